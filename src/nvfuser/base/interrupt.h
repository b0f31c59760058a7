// SPDX-License-Identifier: Apache-2.0
// How a program stops what takes long: compiles and waits ask about twenty times a second whether they shall end.
#pragma once

#include <chrono>
#include <exception>

namespace nvfuser {

inline constexpr std::chrono::milliseconds kInterruptPeriod{50};

/// Ends a compile or a wait at the program's wish.  No Error: nothing falls back to another way because of it.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

/// `check` says whether the calling thread shall stop; it is called from any thread, holding no lock for which another
/// waits without asking too.  Null: never.
void set_interrupt_check(bool (*check)());
/// What the check says now.
bool interrupt_asked();
/// Throws Interrupted when the check says so.
void check_interrupt();

}  // namespace nvfuser
