// SPDX-License-Identifier: Apache-2.0
// Options, libraries and devices, as the doctor and the tests read them.
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include <map>
#include <tuple>

#include "bindings.h"
#include "nvfuser/backend/disk_cache.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/base/options.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser::python {
namespace {

const OptionRow& option_row(const std::string& variable) {
  for (const OptionRow& row : option_rows()) {
    if (row.variable == variable) {
      return row;
    }
  }
  fail(ErrorKind::option, "unknown option ", variable);
}

/// The options table as a page of Markdown.
[[gnu::cold]] std::string options_page() {
  std::string text =
      "# Options\n\nEnvironment variables, read at first use. Made from the options table by "
      "`tools/options_page.py`.\n\n"
      "| variable | default | choices | meaning |\n|---|---|---|---|\n";
  for (const OptionRow& row : option_rows()) {
    text += "| `" + std::string(row.variable) + "` | " +
            (row.fallback.empty() ? "" : "`" + std::string(row.fallback) + "`") + " | " + std::string(row.choices) +
            " | " + std::string(row.doc) + " |\n";
  }
  return text;
}

using CacheRow = std::tuple<std::string, std::vector<std::string>, int64_t, int64_t>;

std::vector<CacheRow> rows_of(const std::vector<CacheItem>& items) {
  std::vector<CacheRow> rows;
  for (const CacheItem& item : items) {
    rows.emplace_back(item.name, item.files, item.bytes, static_cast<int64_t>(item.used));
  }
  return rows;
}

/// Target -> (found, what compiles for it or why it was not found).
[[gnu::cold]] std::map<std::string, std::pair<bool, std::string>> device_status() {
  nb::gil_scoped_release release;  // a search may wait for another thread's
  std::string no_compiler, no_cuda, no_nvrtc;
  const bool host = host_compiler_available(&no_compiler);
  const bool cuda = cuda_available(&no_cuda) && nvrtc_available(&no_nvrtc);
  const std::string compiler = host ? host_compiler_name() : no_compiler;
  return {{"host", {host, compiler}},
          {"emulator", {host, compiler}},
          {"cuda",
           {cuda, cuda              ? nvrtc_name()
                  : no_cuda.empty() ? no_nvrtc
                                    : no_cuda}},
          {"evaluator", {true, ""}}};
}

/// (name, arity, type rule, docstring) of every pointwise operation.
std::vector<std::tuple<std::string, int, int, std::string>> pointwise_table() {
  std::vector<std::tuple<std::string, int, int, std::string>> rows;
  for (const PointwiseInfo& row : kPointwiseOps) {
    rows.emplace_back(row.name, row.arity, static_cast<int>(row.rule), row.doc);
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
  m.def(
      "options_table",
      [] {
        std::vector<std::tuple<std::string, std::string, std::string>> rows;
        for (const OptionRow& row : option_rows()) {
          rows.emplace_back(row.variable, option_text(row.id), row.doc);
        }
        return rows;
      },
      "(variable, value, meaning) of every option.");
  m.def("options_page", &options_page, "The options table as a page of Markdown.");
  m.def("cache_folder", [] { return options().cache_dir; }, "Folder of the disk cache.");
  m.def("cache_problem", &cache_problem, "Why compiled kernels are not kept there; empty while they are.");
  m.def(
      "cache_items", [](const std::string& parent) { return rows_of(cache_items(parent)); }, "parent"_a,
      "(name, files, bytes, seconds since 1970 of the last use) of all that nvfuser keeps below that folder.");
  m.def(
      "clear_cache", [](const std::string& parent) { return rows_of(clear_cache(parent)); }, "parent"_a,
      "Deletes what nvfuser keeps below that folder, and nothing else; what was deleted.");
  m.def("device_status", &device_status, "Target -> (found, what compiles for it or why it was not found).");
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
  m.def("pointwise_table", &pointwise_table, "(name, arity, type rule, docstring) of every pointwise operation.");
  m.def(
      "compile_cubin",
      [](const std::string& text, int arch) {
        nb::gil_scoped_release release;
        return static_cast<int64_t>(compile_cubin(text, arch).size());
      },
      "text"_a, "arch"_a, "Compiles GPU kernel text with NVRTC; bytes of the cubin.");
}

}  // namespace nvfuser::python
