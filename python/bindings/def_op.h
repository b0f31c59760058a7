// SPDX-License-Identifier: Apache-2.0
// How operations are bound: what is wrong with a call names the operation, its operands and the user's line.
#pragma once

#include <array>
#include <utility>

#include "bindings.h"

namespace nvfuser::python {

/// In a `catch`: throws on what is caught, with the operation's name and the user's line where it has none, and with
/// what the operands are where an argument is of a wrong type.
[[noreturn]] void rethrow_named(const char* op, const nb::handle* arguments, size_t count);

template <class F, class Result, class... Args, class... Extra>
void def_named(nb::module_& m, const char* name, F function, Result (F::*)(Args...) const, const Extra&... extra) {
  m.def(
      name,
      [name, function = std::move(function)](Args... args) -> Result {
        std::array<nb::handle, sizeof...(Args)> objects;
        size_t count = 0;
        const auto note = [&]<class Arg>(const Arg& arg) {
          if constexpr (std::is_same_v<Arg, nb::handle>) {
            objects[count++] = arg;
          }
        };
        (note(args), ...);
        try {
          return function(std::move(args)...);
        } catch (...) {
          rethrow_named(name, objects.data(), count);
        }
      },
      extra...);
}
/// `m.def` for an operation.  `name` lives as long as the module.
template <class F, class... Extra>
void def_op(nb::module_& m, const char* name, F function, const Extra&... extra) {
  def_named(m, name, std::move(function), &F::operator(), extra...);
}

}  // namespace nvfuser::python
