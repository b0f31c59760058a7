// SPDX-License-Identifier: Apache-2.0
// The check of this process.
#include "nvfuser/base/interrupt.h"

#include <atomic>

namespace nvfuser {
namespace {

std::atomic<bool (*)()> current_check{nullptr};

}  // namespace

void set_interrupt_check(bool (*check)()) { current_check.store(check, std::memory_order_release); }

bool interrupt_asked() {
  bool (*check)() = current_check.load(std::memory_order_acquire);
  return check != nullptr && check();
}

void check_interrupt() {
  if (interrupt_asked()) {
    throw Interrupted();
  }
}

}  // namespace nvfuser
