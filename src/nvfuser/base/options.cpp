// SPDX-License-Identifier: Apache-2.0
// Reading, checking and overriding options.
#include "nvfuser/base/options.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <mutex>

#include "nvfuser/base/errors.h"

namespace nvfuser {

namespace {

constexpr OptionRow kRows[] = {
#define OPTION(name, variable, kind, fallback, choices, doc) \
  {Option::name, #name, variable, OptionType::kind, fallback, choices, doc},
#include "nvfuser/base/options.def"
#undef OPTION
};
constexpr size_t kCount = std::size(kRows);
static_assert(std::is_sorted(std::begin(kRows), std::end(kRows),
                             [](const OptionRow& a, const OptionRow& b) { return a.name < b.name; }));

struct Override {
  uint64_t token;  ///< 0: of set_option
  size_t row;
  std::string text;
};

struct State {
  std::mutex mutex;
  bool is_read = false;
  std::string environment[kCount];
  std::string default_folder;
  std::vector<Override> overrides;
  uint64_t last_token = 0;
  std::atomic<uint64_t> version{1};
};

State& state();

State* make_state() {
  // A thread of the parent may hold the mutex at the moment of a fork, and the child has no such thread to release it.
  pthread_atfork([] { state().mutex.lock(); }, [] { state().mutex.unlock(); }, [] { state().mutex.unlock(); });
  return new State;
}

/// Never destroyed: threads may ask until the process ends.
State& state() {
  static State& only = *make_state();
  return only;
}

/// Non-empty items of a comma-separated list, without blanks around them.
std::vector<std::string> items_of(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t first = item.find_first_not_of(" \t");
    if (first != std::string_view::npos) {
      items.emplace_back(item.substr(first, item.find_last_not_of(" \t") - first + 1));
    }
  }
  return items;
}

std::string list_text(std::string_view choices) {
  std::string text;
  for (const std::string& item : items_of(choices)) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

void check_choice(const OptionRow& row, const std::string& item) {
  const std::vector<std::string> known = items_of(row.choices);
  check(known.empty() || std::find(known.begin(), known.end(), item) != known.end(), ErrorKind::option, row.variable,
        ": '", item, "' is unknown; known: ", list_text(row.choices));
}

void parse(const OptionRow& row, const std::string& text, std::string& value) {
  if (!text.empty()) {
    check_choice(row, text);
  }
  value = text;
}

void parse(const OptionRow& row, const std::string& text, std::vector<std::string>& value) {
  value = items_of(text);
  for (const std::string& item : value) {
    check_choice(row, item);
  }
}

void parse(const OptionRow& row, const std::string& text, bool& value) {
  static constexpr std::string_view kWords[] = {"0", "false", "off", "no", "1", "true", "on", "yes"};
  std::string word = text;
  std::transform(word.begin(), word.end(), word.begin(), [](char c) { return 'A' <= c && c <= 'Z' ? c + 32 : c; });
  const auto found = std::find(std::begin(kWords), std::end(kWords), word);
  check(found != std::end(kWords), ErrorKind::option, row.variable, ": '", text,
        "' is no flag; known: 0, false, off, no, 1, true, on, yes");
  value = found - std::begin(kWords) >= 4;
}

void parse(const OptionRow& row, const std::string& text, int64_t& value) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  check(error == std::errc() && rest == end && value >= 0, ErrorKind::option, row.variable, ": '", text,
        "' is no integer >= 0");
}

/// An unset or empty variable means the default.
std::string environment_text(const OptionRow& row) {
  const char* text = std::getenv(std::string(row.variable).c_str());
  return text == nullptr || *text == '\0' ? std::string(row.fallback) : text;
}

std::string default_cache_folder() {
  const char* base = std::getenv("XDG_CACHE_HOME");
  if (base != nullptr && *base == '/') {
    return std::string(base) + "/nvfuser";
  }
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') {
    return std::string(home) + "/.cache/nvfuser";
  }
  std::error_code error;
  std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
  return (error ? std::filesystem::path("/tmp") : temporary) / ("nvfuser-" + std::to_string(getuid()));
}

/// The state's mutex is held in all that follow.
void read_environment(State& s) {
  if (!s.is_read) {
    for (size_t row = 0; row < kCount; ++row) {
      s.environment[row] = environment_text(kRows[row]);
    }
    s.default_folder = default_cache_folder();
    s.is_read = true;
  }
}

std::string current_text(State& s, size_t row) {
  read_environment(s);
  for (auto entry = s.overrides.rbegin(); entry != s.overrides.rend(); ++entry) {
    if (entry->row == row) {
      return entry->text;
    }
  }
  return s.environment[row];
}

const OptionRow& row_named(std::string_view name) {
  const auto found = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const OptionRow& row) { return row.name == name || row.variable == name; });
  if (found == std::end(kRows)) {
    std::string known;
    for (const OptionRow& row : kRows) {
      known += (known.empty() ? "" : ", ") + std::string(row.name);
    }
    fail(ErrorKind::option, "unknown option '", name, "'; known: ", known);
  }
  return *found;
}

/// Throws unless `text` is a value of that row.
void check_value(const OptionRow& row, const std::string& text) {
  Options ignored;
  switch (row.id) {
#define OPTION(name, variable, kind, fallback, choices, doc) \
  case Option::name:                                         \
    parse(row, text, ignored.name);                          \
    break;
#include "nvfuser/base/options.def"
#undef OPTION
  }
}

uint64_t push_override(std::string_view name, std::string_view value, bool is_scoped) {
  const OptionRow& row = row_named(name);
  const std::string text(value.empty() ? row.fallback : value);
  check_value(row, text);
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const uint64_t token = is_scoped ? ++s.last_token : 0;
  const auto index = static_cast<size_t>(&row - kRows);
  if (!is_scoped) {
    std::erase_if(s.overrides, [&](const Override& entry) { return entry.token == 0 && entry.row == index; });
  }
  s.overrides.push_back({token, index, text});
  ++s.version;
  return token;
}

}  // namespace

std::span<const OptionRow> option_rows() { return kRows; }

Options options() {
  Options values;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  size_t row = 0;
#define OPTION(name, variable, kind, fallback, choices, doc) \
  parse(kRows[row], current_text(s, row), values.name);      \
  ++row;
#include "nvfuser/base/options.def"
#undef OPTION
  if (values.cache_dir.empty()) {
    values.cache_dir = s.default_folder;
  }
  return values;
}

std::string option_text(Option id) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const auto row = static_cast<size_t>(id);
  std::string text = current_text(s, row);
  if (kRows[row].type == OptionType::flag) {
    bool value = false;
    parse(kRows[row], text, value);
    text = value ? "1" : "0";
  }
  return text;
}

void set_option(std::string_view name, std::string_view value) { push_override(name, value, false); }

void reload_options() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.is_read = false;
  std::erase_if(s.overrides, [](const Override& entry) { return entry.token == 0; });
  ++s.version;
}

ScopedOption::ScopedOption(std::string_view name, std::string_view value) : token_(push_override(name, value, true)) {}

ScopedOption::~ScopedOption() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  std::erase_if(s.overrides, [&](const Override& entry) { return entry.token == token_; });
  ++s.version;
}

uint64_t options_version() { return state().version.load(std::memory_order_acquire); }

}  // namespace nvfuser
