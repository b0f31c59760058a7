// SPDX-License-Identifier: Apache-2.0
// What a launch tells the emulator; shared by the compiled kernels and the backend that calls them.
#pragma once

namespace rt {

struct EmulatorLaunch {
  long long grid[3];
  long long block[3];
  long long shared_bytes;
  bool has_barrier;           ///< false: threads run as plain calls
  unsigned long long seed;    ///< order of blocks and threads
  const char* const* names;   ///< of the buffer parameters, in their order
  const long long* elements;  ///< addressable elements of each, from its pointer on
  char* message;              ///< gets the first fault, or ""
  int message_bytes;
  const long long* before = nullptr;  ///< addressable elements below each pointer (negative strides); null: none
  bool cooperative = false;           ///< all blocks are resident at once
  int cluster = 1;                    ///< blocks along y that are resident together, all that there are
  bool dependent = false;             ///< memory may not be touched before the kernel waits for the one in front
  long long* moved = nullptr;  ///< of each buffer: how many of its bytes were read and how many written; null: untold
};

}  // namespace rt
