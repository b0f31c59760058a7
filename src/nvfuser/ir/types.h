// SPDX-License-Identifier: Apache-2.0
// Small enums of the IR.  Enumerators and their order follow the Python API, so the bindings loop over the name tables.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nvfuser {

/// Where a loop axis goes.  The names of the Python API: grid_x = blockIdx.x, block_x = threadIdx.x.
enum class ParallelType : uint8_t {
  mesh_x,
  mesh_y,
  mesh_z,
  grid_x,
  grid_y,
  grid_z,
  block_x,
  block_y,
  block_z,
  mma,
  serial,
  tma,
  unroll,
  unswitch,
  vectorize,
  stream,
};
inline constexpr std::array<std::string_view, 16> kParallelTypeNames = {
    "mesh_x",  "mesh_y", "mesh_z", "grid_x", "grid_y", "grid_z",   "block_x",   "block_y",
    "block_z", "mma",    "serial", "tma",    "unroll", "unswitch", "vectorize", "stream"};
constexpr std::string_view name_of(ParallelType t) { return kParallelTypeNames[static_cast<int>(t)]; }
constexpr bool is_block(ParallelType t) { return t >= ParallelType::grid_x && t <= ParallelType::grid_z; }
constexpr bool is_thread(ParallelType t) { return t >= ParallelType::block_x && t <= ParallelType::block_z; }

enum class IterType : uint8_t { iteration, reduction, broadcast };

enum class MemoryType : uint8_t { tensor, local, shared, global, symmetric };
inline constexpr std::array<std::string_view, 5> kMemoryTypeNames = {"tensor", "local", "shared", "global",
                                                                     "symmetric"};
constexpr std::string_view name_of(MemoryType t) { return kMemoryTypeNames[static_cast<int>(t)]; }

/// Pointwise operations: the rows of pointwise.def.
enum class PointwiseOp : uint8_t {
#define POINTWISE(name, ...) name,
#include "nvfuser/ir/pointwise.def"
  count_,
};

/// Reductions: the rows of reduction.def.
enum class ReductionOp : uint8_t {
#define REDUCTION(name, ...) name,
#include "nvfuser/ir/reduction.def"
  count_,
};

/// Kinds of expressions: the rows of nodes.def.
enum class ExprKind : uint8_t {
#define NODE(name, ...) name,
#include "nvfuser/ir/nodes.def"
  count_,
};

}  // namespace nvfuser
