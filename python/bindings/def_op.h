// SPDX-License-Identifier: Apache-2.0
// How operations are bound: what is wrong with a call names the operation, its operands and the user's line.
#pragma once

#include <array>
#include <utility>

#include "bindings.h"

namespace nvfuser::python {

/// In a `catch`: throws on what is caught, with the operation's name and the user's line where it has none, and with
/// what the operands are where an argument is of a wrong type.
[[noreturn, gnu::cold]] void rethrow_named(const char* op, const nb::handle* arguments, size_t count);

/// A function whose errors have the operation's name.
template <class F, class Result, class... Args>
struct Named {
  const char* name;
  F function;

  Result operator()(Args... args) const {
    std::array<nb::handle, sizeof...(Args)> objects;
    size_t count = 0;
    const auto note = [&]<class Arg>(const Arg& arg) {
      if constexpr (std::is_same_v<Arg, nb::handle>) {
        objects[count++] = arg;
      }
    };
    (note(args), ...);
    try {
      return function(std::forward<Args>(args)...);
    } catch (...) {
      rethrow_named(name, objects.data(), count);
    }
  }
};

template <class F, class Result, class... Args>
using Held = std::conditional_t<std::is_empty_v<F>, Result (*)(Args...), F>;

template <class F, class Result, class... Args>
Named<Held<F, Result, Args...>, Result, Args...> named(const char* name, const F& function,
                                                       Result (F::*)(Args...) const) {
  return {name, function};
}
template <class Function, class... Extra>
[[gnu::cold, gnu::noinline]] void def_named(nb::module_& m, const Function& function, const Extra&... extra) {
  m.def(function.name, function, extra...);
}
/// `m.def` for an operation.  `name` lives as long as the module.  What captures nothing is called by its address, so
/// operations of equal signatures share the code that takes their arguments.
template <class F, class... Extra>
void def_op(nb::module_& m, const char* name, const F& function, const Extra&... extra) {
  def_named(m, named(name, function, &F::operator()), extra...);
}

}  // namespace nvfuser::python
