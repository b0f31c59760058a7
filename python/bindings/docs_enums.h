// SPDX-License-Identifier: Apache-2.0
// Docstrings of the enums.  The tests run the examples.
#pragma once

#include <array>

#include "nvfuser/ir/types.h"

namespace nvfuser::python::docs {

/// Of the rows of dtype.def.
inline constexpr std::array<const char*, 17> kDataTypes = {
    "Floating, 64 bits.",
    "Floating, 32 bits.",
    "Floating, 16 bits: 5 of exponent, 10 of mantissa.  Computed in Float.",
    "Signed integer, 64 bits.",
    "Signed integer, 32 bits.",
    "Unsigned integer, 64 bits.",
    "Signed integer of extents and positions; 64 bits in memory.",
    "True or false, a byte.",
    "Floating, 16 bits: 8 of exponent, 7 of mantissa.  Computed in Float.",
    "Floating, 8 bits: 4 of exponent, 3 of mantissa, no infinity.  Computed in Float.",
    "Floating, 8 bits: 5 of exponent, 2 of mantissa.  Computed in Float.",
    "A power of two, 8 bits of exponent.  Computed in Float.",
    "Floating, 4 bits: 2 of exponent, 1 of mantissa.  Computed in Float.",
    "Two elements of Float4_e2m1fn in a byte.",
    "Complex of two Float.",
    "Complex of two Double.",
    "No dtype: the operation decides.",
};

inline constexpr std::array<const char*, kParallelTypeNames.size()> kParallelTypes = {
    "Devices along the x axis of a mesh.",
    "Devices along the y axis of a mesh.",
    "Devices along the z axis of a mesh.",
    "Blocks along x of the grid.",
    "Blocks along y of the grid.",
    "Blocks along z of the grid.",
    "Threads along x of the block.",
    "Threads along y of the block.",
    "Threads along z of the block.",
    "One instruction of the matrix unit.",
    "A loop.",
    "One bulk copy.",
    "A loop that is written out.",
    "A loop whose range is tested once, before it.",
    "Lanes of one access.",
    "Streams of one device.",
};

inline constexpr std::array<const char*, kMemoryTypeNames.size()> kMemoryTypes = {
    "The tensor memory of the matrix unit.",       "Registers of one thread.",
    "The memory that threads of one block share.", "The memory of the device.",
    "Memory of several devices at one address.",
};

inline constexpr const char* kDataType = R"(Element types of tensors and scalars.

Float is 32 bits wide and Int 64.  Null stands for a type that is left open.

See Also
--------
ops.cast, TensorView.dtype

Examples
--------
>>> DataType.Float, DataType.BFloat16
(DataType.Float, DataType.BFloat16)
)";

inline constexpr const char* kParallelType = R"(What runs the iterations of a loop axis.

The blocks and threads of a GPU, lanes of a vector, or a plain loop.

See Also
--------
TensorView.axis

Examples
--------
>>> ParallelType.block_x.name
'block_x'
)";

inline constexpr const char* kMemoryType = R"(Where a tensor lives while a kernel runs.

The member ``global`` is a keyword of Python: getattr(MemoryType, "global") reaches it.

See Also
--------
TensorView

Examples
--------
>>> [kind.name for kind in MemoryType]
['tensor', 'local', 'shared', 'global', 'symmetric']
)";

inline constexpr const char* kWay = R"(How kernels run.

cuda: on a GPU.  host: compiled for the CPU.  emulator: the GPU's kernels thread by thread on the CPU, every access
checked.  evaluator: without a compiler.

See Also
--------
FusionDefinition.execute, FusionDefinition.last_way

Examples
--------
>>> [way.name for way in Way]
['cuda', 'host', 'emulator', 'evaluator']
)";

}  // namespace nvfuser::python::docs
