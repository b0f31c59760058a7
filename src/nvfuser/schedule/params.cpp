// SPDX-License-Identifier: Apache-2.0
// Text of Params: what dumps and tests compare.
#include "nvfuser/schedule/params.h"

#include <array>
#include <string_view>

namespace nvfuser {

namespace {

/// One numeric field and the value that goes without saying.
struct Field {
  std::string_view name;
  int64_t value;
  int64_t usual;
};

constexpr std::array<std::string_view, 10> kFamilyNames = {
    "flat", "tile", "cpu_flat", "cpu_tile", "rows", "cpu_rows", "columns", "cpu_columns", "mixed", "cpu_mixed"};
constexpr std::array<std::string_view, 3> kHomeNames = {"reload", "registers", "shared"};
constexpr std::array<std::string_view, 4> kFinishNames = {"second", "dependent", "last", "barrier"};
constexpr std::array<std::string_view, 2> kFormNames = {"resident", "streaming"};

}  // namespace

std::string_view Params::family_name() const { return kFamilyNames[static_cast<size_t>(family)]; }

std::string Params::text() const {
  const bool reduces = family == Family::rows || family == Family::columns || family == Family::mixed;
  const bool gpu = family == Family::flat || family == Family::tile || reduces;
  const Field fields[] = {{"threads", threads, gpu ? 0 : threads},
                          {"batch", batch, gpu ? 0 : 1},
                          {"vector", vector, gpu ? 0 : 1},
                          {"other", vector_other, family == Family::tile ? 0 : 1},
                          {"blocks", blocks_per_sm, 0},
                          {"tile", tile, 0},
                          {"lanes", lanes, 0},
                          {"rows", rows, 1},
                          {"unroll", unroll, 1},
                          {"task", task, 0},
                          {"peel", peel, 0},
                          {"share", blocks, 1},
                          {"piece", piece, 0},
                          {"runs", runs, 0},
                          {"stream", stream, 0},
                          {"stages", stages, 0},
                          {"values", values, 0},
                          {"hold", hold, 0},
                          {"grid", grid, 0},
                          {"cluster", cluster, 1},
                          {"counter", counter, 0}};
  std::string text(family_name());
  for (const Field& field : fields) {
    if (field.value != field.usual) {
      text += " " + std::string(field.name) + "=" + std::to_string(field.value);
    }
  }
  if (blocks > 1 || family == Family::mixed) {
    text += " finish=" + std::string(kFinishNames[static_cast<size_t>(finish)]);
  }
  if (reduces) {
    text += " home=" + std::string(kHomeNames[static_cast<size_t>(home)]);
    text += form == Form::streaming ? " form=" + std::string(kFormNames[static_cast<size_t>(form)]) : "";
  }
  return text;
}

}  // namespace nvfuser
