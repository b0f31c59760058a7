// SPDX-License-Identifier: Apache-2.0
// Functions of other packages that are written in C, called by their address where they have the expected form: the
// interpreter's look-up and dispatch cost as much as such a function does.
#pragma once

#include "bindings.h"

namespace nvfuser::python {

/// The C function of a builtin whose flags are exactly these; null for any other object.  Code outlives objects.
inline PyCFunction c_function_of(nb::handle callable, int flags) {
  const bool matches =
      PyObject_TypeCheck(callable.ptr(), &PyCFunction_Type) && PyCFunction_GetFlags(callable.ptr()) == flags;
  return matches ? PyCFunction_GetFunction(callable.ptr()) : nullptr;
}

inline nb::object call_c_function(PyCFunction function, PyObject* self, PyObject* argument) {
  PyObject* result = function(self, argument);
  if (result == nullptr) {
    nb::raise_python_error();
  }
  return nb::steal(result);
}

/// A builtin function of one argument (METH_O), or of a tuple of them (METH_VARARGS); empty where the object is
/// another.
class CFunction {
 public:
  CFunction(nb::object callable, int flags)
      : function_(c_function_of(callable, flags)), callable_(std::move(callable)) {}
  explicit operator bool() const { return function_ != nullptr; }
  nb::object operator()(const nb::object& argument) const {
    return call_c_function(function_, PyCFunction_GetSelf(callable_.ptr()), argument.ptr());
  }

 private:
  PyCFunction function_;
  nb::object callable_;
};

}  // namespace nvfuser::python
