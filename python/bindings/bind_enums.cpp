// SPDX-License-Identifier: Apache-2.0
// Enums, from the same tables that the C++ side reads.
#include "bindings.h"
#include "docs_enums.h"

namespace nvfuser::python {

static_assert(docs::kDataTypes.size() == std::size(kDataTypes));

void bind_enums(nb::module_& m) {
  nb::enum_<DataType> data_type(m, "DataType", docs::kDataType);
  for (const DataTypeInfo& row : kDataTypes) {
    data_type.value(row.name.data(), row.type, docs::kDataTypes[static_cast<size_t>(row.type)]);
  }
  nb::enum_<ParallelType> parallel_type(m, "ParallelType", docs::kParallelType);
  for (size_t k = 0; k < kParallelTypeNames.size(); ++k) {
    parallel_type.value(kParallelTypeNames[k].data(), static_cast<ParallelType>(k), docs::kParallelTypes[k]);
  }
  nb::enum_<MemoryType> memory_type(m, "MemoryType", docs::kMemoryType);
  for (size_t k = 0; k < kMemoryTypeNames.size(); ++k) {
    memory_type.value(kMemoryTypeNames[k].data(), static_cast<MemoryType>(k), docs::kMemoryTypes[k]);
  }
}

}  // namespace nvfuser::python
