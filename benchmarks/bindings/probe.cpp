// SPDX-License-Identifier: Apache-2.0
// What the benchmark asks of the modules beside their surface; called by ctypes.
#include <array>
#include <ctime>

#include "exchange.h"

namespace {

/// Nanoseconds of the thread's processor time that each of some rounds takes.
template <class Round>
double nanoseconds(long count, const Round& round) {
  timespec start, end;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  for (long k = 0; k < count; ++k) {
    round(k);
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return (1e9 * static_cast<double>(end.tv_sec - start.tv_sec) + static_cast<double>(end.tv_nsec - start.tv_nsec)) /
         static_cast<double>(count);
}

}  // namespace

/// In which the line of the caller is found and kept, as at the definition of each op.
extern "C" __attribute__((visibility("default"))) double nvfuser_line_ns(PyObject* fusion, long count) {
  const auto& locator = nvfuser::python::nb::cast<nvfuser::Fusion&>(nvfuser::python::nb::handle(fusion)).locator;
  std::vector<std::shared_ptr<const nvfuser::Location>> lines(static_cast<size_t>(count));
  return nanoseconds(count, [&](long k) { lines[static_cast<size_t>(k)] = locator(); });
}

/// In which two tensors are borrowed from their framework, one of 1,024 floats is made by it, and dropped.
extern "C" __attribute__((visibility("default"))) double nvfuser_exchange_ns(PyObject* inputs, long count) {
  using namespace nvfuser;
  const std::array<python::nb::handle, 2> tensors = {PyList_GetItem(inputs, 0), PyList_GetItem(inputs, 1)};
  const python::Exchange& exchange = *python::exchange_of(tensors[0]);
  OutputSpec spec{DataType::Float, {}, {1024}, {1}};
  spec.elements = 1024;
  return nanoseconds(count, [&](long) {
    alignas(std::max_align_t) std::array<std::byte, 1024> buffer;
    std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size());
    CallArguments arguments(&memory);
    arguments.reserve(tensors.size());
    for (const python::nb::handle tensor : tensors) {
      exchange.borrow(tensor, arguments);
    }
    void* data = nullptr;
    exchange.make(spec, data);
  });
}
