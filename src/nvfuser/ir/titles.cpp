// SPDX-License-Identifier: Apache-2.0
// Short names for messages.
#include "nvfuser/ir/titles.h"

#include <sstream>

namespace nvfuser {

std::string summary_of(const Fusion& fusion) {
  return std::to_string(fusion.inputs().size()) + " inputs, " + std::to_string(fusion.exprs().size()) +
         " expressions, " + std::to_string(fusion.outputs().size()) + " outputs";
}

std::string describe_input(const Fusion& fusion, size_t position) {
  std::ostringstream text;
  if (position < fusion.inputs().size()) {
    text << *fusion.inputs()[position] << AtLine{*fusion.inputs()[position]};
  }
  return text.str();
}

}  // namespace nvfuser
