// SPDX-License-Identifier: Apache-2.0
// NVRTC's front end takes SIGINT and SIGTERM for itself while it works, and ends the process when one comes.
#pragma once

namespace nvfuser {

/// From now on the library that holds `symbol` changes nothing about these two signals, so that the program's handlers
/// stay: its calls of signal() and sigaction() go through functions of ours.  False where its calls cannot be led
/// there; it works as before then.
bool keep_signals_from(const void* symbol);

}  // namespace nvfuser
