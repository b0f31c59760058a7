// SPDX-License-Identifier: Apache-2.0
// Options of the process: rows of options.def, read from the environment at first use, overridden by programs.
// Safe to use from several threads; a snapshot never changes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nvfuser {

/// Names of the stages that can be dumped, comma-separated.
inline constexpr std::string_view kDumpNames = [] {
  constexpr std::string_view all =
#define DUMP_STAGE(name, doc) "," #name
#include "nvfuser/base/dump.def"
#undef DUMP_STAGE
      ;
  return all.substr(1);
}();

enum class Option : uint8_t {
#define OPTION(name, variable, kind, fallback, choices, doc) name,
#include "nvfuser/base/options.def"
#undef OPTION
};

enum class OptionType : uint8_t { flag, number, text, list };

/// One row of the table.
struct OptionRow {
  Option id;
  std::string_view name;      ///< "cache_dir"
  std::string_view variable;  ///< "NVFUSER_CACHE_DIR"
  OptionType type;
  std::string_view fallback;
  std::string_view choices;
  std::string_view doc;
};
std::span<const OptionRow> option_rows();

template <OptionType>
struct OptionValue;
template <>
struct OptionValue<OptionType::flag> {
  using type = bool;
};
template <>
struct OptionValue<OptionType::number> {
  using type = int64_t;
};
template <>
struct OptionValue<OptionType::text> {
  using type = std::string;
};
template <>
struct OptionValue<OptionType::list> {
  using type = std::vector<std::string>;
};

/// The values of all options: bool cache, std::string cache_dir (the folder itself, never empty), ...
struct Options {
#define OPTION(name, variable, kind, fallback, choices, doc) OptionValue<OptionType::kind>::type name{};
#include "nvfuser/base/options.def"
#undef OPTION
};

/// The values as they are now.  An unknown or ill-typed value is an ErrorKind::option error that lists what is known.
Options options();
/// The text of one option, as it was given; of a flag 0 or 1, whatever word stands for it.
std::string option_text(Option id);

/// Overrides an option for the whole process; `name` is the option's or its variable's; empty value: the default.
/// Refused values leave it as it was.
void set_option(std::string_view name, std::string_view value);
/// Back to the environment, which is read again; drops every override of set_option.
void reload_options();

/// Overrides an option until the end of the scope.  The override made last wins, whatever the order in which they end.
class ScopedOption {
 public:
  ScopedOption(std::string_view name, std::string_view value);
  ~ScopedOption();
  ScopedOption(const ScopedOption&) = delete;
  ScopedOption& operator=(const ScopedOption&) = delete;

 private:
  uint64_t token_;
};

/// Changes whenever some option does: lets callers keep what they derive from options.
uint64_t options_version();

}  // namespace nvfuser
