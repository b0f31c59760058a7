// SPDX-License-Identifier: Apache-2.0
// Errors of the whole library: one exception with a kind, thrown by `check` (the user's fault) and `ensure` (ours).
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace nvfuser {

/// What went wrong, from the user's side; the Python layer picks the exception type by it.
enum class ErrorKind {
  definition,  ///< a fusion that cannot be built: wrong operands, attributes, scopes
  shape,       ///< ranks, extents, strides, axes
  dtype,       ///< element types
  schedule,    ///< a schedule without a meaning
  compile,     ///< a kernel that a compiler refuses, or no compiler
  device,      ///< drivers, libraries, memory, launches
  option,      ///< an unknown or ill-typed option
  internal,    ///< a broken invariant of this library
};

/// The only exception type that the library throws on purpose.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Throws Error with the streamed parts as its message.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Error(kind, text.str());
}

/// The user's world: throws unless `ok`.  The message is built only on failure.
template <class... Parts>
void check(bool ok, ErrorKind kind, const Parts&... parts) {
  if (!ok) [[unlikely]] {
    fail(kind, parts...);
  }
}

/// Our own invariants: throws ErrorKind::internal unless `ok`.
template <class... Parts>
void ensure(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]] {
    fail(ErrorKind::internal, "internal error: ", parts...);
  }
}

}  // namespace nvfuser
