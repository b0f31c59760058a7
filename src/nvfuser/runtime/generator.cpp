// SPDX-License-Identifier: Apache-2.0
// Generators: see generator.h.
#include "nvfuser/runtime/generator.h"

namespace nvfuser {

RandomState Generator::take(uint64_t count) {
  const std::lock_guard lock(mutex_);
  const RandomState taken = state_;
  state_.offset += count;
  return taken;
}

RandomState Generator::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Generator::set_state(const RandomState& state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
}

Generator& default_generator() {
  static Generator& only = *new Generator;  // never destroyed: threads may draw until the process ends
  return only;
}

}  // namespace nvfuser
