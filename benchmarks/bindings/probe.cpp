// SPDX-License-Identifier: Apache-2.0
// What the benchmark asks of the modules beside their surface; called by ctypes.
#include <chrono>

#include "bindings.h"

/// Nanoseconds in which the line of the caller is found and forgotten, as at the definition of each op.
extern "C" __attribute__((visibility("default"))) double nvfuser_line_ns(PyObject* fusion, long count) {
  const auto& locator = nvfuser::python::nb::cast<nvfuser::Fusion&>(nvfuser::python::nb::handle(fusion)).locator;
  const auto start = std::chrono::steady_clock::now();
  for (long k = 0; k < count; ++k) {
    locator();
  }
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() /
         static_cast<double>(count);
}
