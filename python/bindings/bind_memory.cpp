// SPDX-License-Identifier: Apache-2.0
// Pooled memory for large CPU results, as NumPy arrays of bytes; what lent memory of a GPU has to be asked.
#include <nanobind/ndarray.h>

#include "bindings.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/runtime/host_memory.h"

namespace nvfuser::python {

void bind_memory(nb::module_& m) {
  m.attr("POOLED_BYTES") = kPooledBytes;
  m.def(
      "host_bytes",
      [](size_t bytes) {
        auto* block = new std::shared_ptr<void>(host_memory(bytes));
        nb::capsule owner(block, [](void* held) noexcept { delete static_cast<std::shared_ptr<void>*>(held); });
        return nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(static_cast<uint8_t*>(block->get()), {bytes}, owner);
      },
      "bytes"_a, nb::sig("def host_bytes(bytes: int) -> NDArray[np.uint8]"),
      "A writable array of bytes from the pool of CPU results; the memory goes back to the pool when the last view of "
      "it dies.");
  m.def(
      "synchronize_stream",
      [](uintptr_t stream) {
        nb::gil_scoped_release release;
        cuda_synchronize(reinterpret_cast<void*>(stream));
      },
      "stream"_a, "Waits for all work on a stream of CUDA, given by its handle.");
  m.def(
      "cuda_device_of", [](uintptr_t address) { return cuda_device_of(reinterpret_cast<void*>(address)); }, "address"_a,
      "The device on which memory of CUDA lies.");
}

}  // namespace nvfuser::python
