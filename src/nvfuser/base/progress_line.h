// SPDX-License-Identifier: Apache-2.0
// A line on the terminal for work that takes long, so that nobody takes a compile for a hang.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace nvfuser {

/// While the scope lasts and once it has lasted `after`, the error stream shows what is done and for how many seconds;
/// the end of the scope erases the line.  Only where the error stream is a terminal that this process may write to at
/// present (it is in the foreground) and NVFUSER_PROGRESS is on; of scopes that overlap, one draws at a time.  The
/// thread that draws ends with the scope; it takes no signals.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what, std::chrono::milliseconds after = std::chrono::seconds(1));
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void draw(std::chrono::milliseconds after);

  std::string what_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;  ///< guarded by mutex_
  std::thread thread_;    ///< not started where nothing may be drawn
};

}  // namespace nvfuser
