// SPDX-License-Identifier: Apache-2.0
// What is looked up once: objects of other packages, attributes of a type.
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

/// An attribute that the type of all objects asked computes, got from its descriptor without a look-up by name.  Two
/// threads may both look the descriptor up.
class Getter {
 public:
  constexpr explicit Getter(const char* name) : name_(name) {}

  nb::object operator()(nb::handle object) {
    PyObject* descriptor = descriptor_.load(std::memory_order_acquire);
    if (descriptor == nullptr) [[unlikely]] {
      descriptor = nb::object(nb::handle(object.type()).attr(name_)).release().ptr();
      get_.store(reinterpret_cast<descrgetfunc>(PyType_GetSlot(Py_TYPE(descriptor), Py_tp_descr_get)));
      descriptor_.store(descriptor, std::memory_order_release);
    }
    return nb::steal(get_.load(std::memory_order_relaxed)(descriptor, object.ptr(), object.type().ptr()));
  }

 private:
  const char* name_;
  std::atomic<PyObject*> descriptor_ = nullptr;
  std::atomic<descrgetfunc> get_ = nullptr;
};

}  // namespace nvfuser::python
