// SPDX-License-Identifier: Apache-2.0
// Layout of a kernel's argument image, the same for CUDA's parameter buffer, the emulator and the cpu entry.
#include <algorithm>

#include "nvfuser/lower/lower.h"

namespace nvfuser {

namespace {

struct Footprint {
  int bytes;
  int alignment;
};

Footprint footprint(const Parameter& parameter, bool wide) {
  const int word = wide ? 8 : 4;
  switch (parameter.kind) {
    case Parameter::Kind::input:
    case Parameter::Kind::output:
    case Parameter::Kind::workspace:
    case Parameter::Kind::semaphores:
      return {8, 8};
    case Parameter::Kind::size:
      return {word, word};
    case Parameter::Kind::divisor:
      return {3 * word, word};
    case Parameter::Kind::scalar:
      break;
  }
  // Complex values are structs of two parts, aligned as one part.
  const int bytes = std::max(1, bytes_of(parameter.dtype));
  return {bytes, is_complex(parameter.dtype) ? bytes / 2 : bytes};
}

}  // namespace

ImageLayout image_layout(const Program& program) {
  ImageLayout layout;
  for (const Parameter& parameter : program.parameters) {
    const auto [bytes, alignment] = footprint(parameter, program.wide);
    layout.bytes = (layout.bytes + alignment - 1) / alignment * alignment;
    layout.offsets.push_back(layout.bytes);
    layout.bytes += bytes;
  }
  return layout;
}

}  // namespace nvfuser
