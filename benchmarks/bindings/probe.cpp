// SPDX-License-Identifier: Apache-2.0
// What the benchmark asks of the modules beside their surface; called by ctypes.
#include <ctime>

#include "bindings.h"

/// Nanoseconds in which the line of the caller is found and kept, as at the definition of each op.
extern "C" __attribute__((visibility("default"))) double nvfuser_line_ns(PyObject* fusion, long count) {
  const auto& locator = nvfuser::python::nb::cast<nvfuser::Fusion&>(nvfuser::python::nb::handle(fusion)).locator;
  std::vector<std::shared_ptr<const nvfuser::Location>> lines(static_cast<size_t>(count));
  timespec start, end;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  for (long k = 0; k < count; ++k) {
    lines[static_cast<size_t>(k)] = locator();
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  const double elapsed =
      1e9 * static_cast<double>(end.tv_sec - start.tv_sec) + static_cast<double>(end.tv_nsec - start.tv_nsec);
  return elapsed / static_cast<double>(count);
}
