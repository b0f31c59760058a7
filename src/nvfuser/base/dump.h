// SPDX-License-Identifier: Apache-2.0
// Printing the product of a stage, when NVFUSER_DUMP names it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nvfuser {

enum class DumpStage : uint8_t {
#define DUMP_STAGE(name, doc) name,
#include "nvfuser/base/dump.def"
#undef DUMP_STAGE
};
std::string_view name_of(DumpStage stage);

/// Does NVFUSER_DUMP name the stage?  Cheap; ask before making a costly text.
bool dump_enabled(DumpStage stage);
/// When the stage is enabled: a header line and the text go to the error stream, whole, apart from other dumps.
void dump(DumpStage stage, std::string_view text);

/// Tells the dump `time` how long its scope took.
class TimedScope {
 public:
  explicit TimedScope(std::string what);
  ~TimedScope();
  TimedScope(const TimedScope&) = delete;
  TimedScope& operator=(const TimedScope&) = delete;

 private:
  bool enabled_;
  std::string what_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace nvfuser
