// SPDX-License-Identifier: Apache-2.0
// Enums, from the same tables that the C++ side reads.
#include "bindings.h"

namespace nvfuser::python {

void bind_enums(nb::module_& m) {
  nb::enum_<DataType> data_type(m, "DataType", "Element types.");
  for (const DataTypeInfo& row : kDataTypes) {
    data_type.value(row.name.data(), row.type);
  }
  nb::enum_<ParallelType> parallel_type(m, "ParallelType", "Where a loop axis goes.");
  for (size_t k = 0; k < kParallelTypeNames.size(); ++k) {
    parallel_type.value(kParallelTypeNames[k].data(), static_cast<ParallelType>(k));
  }
  nb::enum_<MemoryType> memory_type(m, "MemoryType", "Where a tensor lives.");
  for (size_t k = 0; k < kMemoryTypeNames.size(); ++k) {
    memory_type.value(kMemoryTypeNames[k].data(), static_cast<MemoryType>(k));
  }
}

}  // namespace nvfuser::python
