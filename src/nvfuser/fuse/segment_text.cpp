// SPDX-License-Identifier: Apache-2.0
// Groups as text.
#include <algorithm>
#include <sstream>

#include "nvfuser/fuse/segment.h"

namespace nvfuser {
namespace {

using Bytes = std::function<int64_t(const TensorView*)>;

void add_borders(std::ostringstream& text, const std::vector<Group::Border>& borders, const TensorView* tensor,
                 std::string_view how) {
  for (const Group::Border& border : borders) {
    if (border.tensor == tensor) {
      text << how << border.other << ": " << border.reason;
    }
  }
}

bool is_output(const TensorView* tensor) {
  const std::vector<TensorView*>& outputs = tensor->fusion()->outputs();
  return std::find(outputs.begin(), outputs.end(), tensor) != outputs.end();
}

}  // namespace

std::string to_string(const std::vector<Group>& groups, const Bytes& bytes) {
  std::ostringstream text;
  int64_t moved = 0, between = 0;
  for (size_t k = 0; k < groups.size(); ++k) {
    const Group& group = groups[k];
    text << "group " << k << ": " << name_of(group.kind) << '\n';
    for (const TensorView* input : group.inputs) {
      text << "  reads " << to_string(*input) << ", " << bytes(input) << " bytes";
      add_borders(text, group.read_with, input, "; so does group ");
      text << '\n';
      moved += bytes(input);
    }
    for (const TensorView* output : group.outputs) {
      text << "  stores " << to_string(*output) << ", " << bytes(output) << " bytes"
           << (is_output(output) ? ", output" : "");
      add_borders(text, group.stored_for, output, "; read by group ");
      text << '\n';
      moved += bytes(output);
      between += is_output(output) ? 0 : bytes(output);
    }
    for (const TensorView* input : group.inputs) {
      between += input->definition() != nullptr ? bytes(input) : 0;
    }
  }
  text << groups.size() << " groups move " << moved << " bytes, " << between << " of them between groups\n";
  return text.str();
}

}  // namespace nvfuser
