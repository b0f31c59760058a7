// SPDX-License-Identifier: Apache-2.0
// Options, libraries and devices, as the doctor and the tests read them.
#include <array>

#include "bindings.h"
#include "nvfuser/backend/disk_cache.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/backend/targets.h"
#include "nvfuser/base/options.h"
#include "nvfuser/base/options_page.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser::python {
namespace {

[[gnu::cold]] const OptionRow& option_row(const std::string& variable) {
  for (const OptionRow& row : option_rows()) {
    if (row.variable == variable) {
      return row;
    }
  }
  fail(ErrorKind::option, "unknown option ", variable);
}

[[gnu::cold]] nb::list rows_of(const std::vector<CacheItem>& items) {
  nb::list rows;
  for (const CacheItem& item : items) {
    rows.append(nb::make_tuple(item.name, item.files, item.bytes, static_cast<int64_t>(item.used)));
  }
  return rows;
}

[[gnu::cold]] nb::dict device_status() {
  std::array<TargetStatus, 4> targets;
  {
    nb::gil_scoped_release release;  // a search may wait for another thread's
    targets = target_status();
  }
  nb::dict status;
  for (const TargetStatus& row : targets) {
    status[row.target] = nb::make_tuple(row.found, row.text);
  }
  return status;
}

[[gnu::cold]] nb::list pointwise_table() {
  nb::list rows;
  for (const PointwiseInfo& row : kPointwiseOps) {
    rows.append(nb::make_tuple(row.name, row.arity, static_cast<int>(row.rule), row.doc));
  }
  return rows;
}

[[gnu::cold]] nb::list options_table() {
  nb::list rows;
  for (const OptionRow& row : option_rows()) {
    rows.append(nb::make_tuple(row.variable, option_text(row.id), row.doc));
  }
  return rows;
}

}  // namespace

void bind_options(nb::module_& m) {
  m.def("library_version", [] { return std::string(NVFUSER_VERSION); }, "Version of the compiled library.");
  m.def(
      "add_library_folder", [](const std::string& path) { add_library_folder(path); }, "path"_a,
      "A folder that may hold an NVRTC.");
  m.def("compiler_runs", &compiler_runs, "Runs of a compiler in this process.");
  m.def(
      "option", [](const std::string& variable) { return option_text(option_row(variable).id); }, "variable"_a,
      "The text of an option.");
  m.def(
      "set_option", [](const std::string& name, const std::string& value) { set_option(name, value); }, "name"_a,
      "value"_a, "Overrides an option for this process.");
  m.def("options_table", &options_table, nb::sig("def options_table() -> list[tuple[str, str, str]]"),
        "(variable, value, meaning) of every option.");
  m.def("options_page", &options_page, "The options table as a page of Markdown.");
  m.def("cache_folder", [] { return options().cache_dir; }, "Folder of the disk cache.");
  m.def("cache_problem", &cache_problem, "Why compiled kernels are not kept there; empty while they are.");
  m.def(
      "cache_items", [](const std::string& parent) { return rows_of(cache_items(parent)); }, "parent"_a,
      nb::sig("def cache_items(parent: str) -> list[tuple[str, list[str], int, int]]"),
      "(name, files, bytes, seconds since 1970 of the last use) of all that nvfuser keeps below that folder.");
  m.def(
      "clear_cache", [](const std::string& parent) { return rows_of(clear_cache(parent)); }, "parent"_a,
      nb::sig("def clear_cache(parent: str) -> list[tuple[str, list[str], int, int]]"),
      "Deletes what nvfuser keeps below that folder, and nothing else; what was deleted.");
  m.def("device_status", &device_status, nb::sig("def device_status() -> dict[str, tuple[bool, str]]"),
        "Target -> (found, what compiles for it or why it was not found).");
  m.def(
      "nvrtc_status",
      [] {
        nb::gil_scoped_release release;
        std::string why;
        return nvrtc_available(&why) ? nvrtc_name() : why;
      },
      "The NVRTC that is used, or why there is none; it needs no GPU.");
  m.def(
      "cuda_device_names",
      [] {
        nb::gil_scoped_release release;
        std::vector<std::string> names;
        if (cuda_available()) {
          names.push_back(cuda_device_props(0).name);
        }
        return names;
      },
      "Names of the CUDA devices.");
  m.def("pointwise_table", &pointwise_table, nb::sig("def pointwise_table() -> list[tuple[str, int, int, str]]"),
        "(name, arity, type rule, docstring) of every pointwise operation.");
  m.def(
      "compile_cubin",
      [](const std::string& text, int arch) {
        nb::gil_scoped_release release;
        return static_cast<int64_t>(compile_cubin(text, arch).size());
      },
      "text"_a, "arch"_a, "Compiles GPU kernel text with NVRTC; bytes of the cubin.");
}

}  // namespace nvfuser::python
