// SPDX-License-Identifier: Apache-2.0
// The handler of this process.
#include "nvfuser/base/warning.h"

#include <unistd.h>

#include <atomic>

namespace nvfuser {
namespace {

std::atomic<void (*)(const std::string&)> current_handler{nullptr};

}  // namespace

void set_warning_handler(void (*handler)(const std::string& message)) {
  current_handler.store(handler, std::memory_order_release);
}

void warn(const std::string& message) {
  if (void (*handler)(const std::string&) = current_handler.load(std::memory_order_acquire)) {
    handler(message);
    return;
  }
  const std::string line = "nvfuser: warning: " + message + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) {
    return;  // nobody listens
  }
}

}  // namespace nvfuser
