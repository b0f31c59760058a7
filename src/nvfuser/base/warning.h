// SPDX-License-Identifier: Apache-2.0
// Things that go wrong without being errors: said to whoever runs the program.
#pragma once

#include <string>

namespace nvfuser {

/// Where warnings go; null: one line to the error stream.  Called from any thread, holding no lock for which another
/// thread waits in the handler.
void set_warning_handler(void (*handler)(const std::string& message));
void warn(const std::string& message);

}  // namespace nvfuser
