// SPDX-License-Identifier: Apache-2.0
// Objects of other packages that are looked up once.
#pragma once

#include <atomic>

#include "bindings.h"

namespace nvfuser::python {

/// An attribute of a module, imported when it is asked for first and held for good.  No lock is held meanwhile: an
/// import runs Python code, and a thread that waits for one with the interpreter's lock would wait for ever.  Two
/// threads may both look it up.
class Imported {
 public:
  constexpr Imported(const char* module, const char* name) : module_(module), name_(name) {}

  PyObject* get() {
    PyObject* known = found_.load(std::memory_order_acquire);
    if (known == nullptr) [[unlikely]] {
      known = nb::object(nb::module_::import_(module_).attr(name_)).release().ptr();
      found_.store(known, std::memory_order_release);
    }
    return known;
  }

 private:
  const char *module_, *name_;
  std::atomic<PyObject*> found_ = nullptr;
};

}  // namespace nvfuser::python
