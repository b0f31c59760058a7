// SPDX-License-Identifier: Apache-2.0
// Arguments of a call held against the fusion's inputs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/call_arguments.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// Error unless there is one argument for each input; names what is missing, or the last input where there are too
/// many.
void check_count(const Fusion& fusion, size_t given);
/// Checks number, kind, dtype, rank, contiguity and device; binds sizes and scalars.  Errors name the input, what was
/// expected and what came.
void bind_arguments(const Fusion& fusion, const std::vector<Argument>& arguments, ScalarBinding& binding);
/// The device of all tensors of rank > 0 (CPU scalars may mix with CUDA tensors); the CPU when there is none.
Device device_of(const Fusion& fusion, const std::vector<Argument>& arguments);
/// Of each input whether it is a CPU tensor without axes in a call on another device: its value goes to kernels as a
/// scalar does.  Error for a CUDA tensor where the fusion says that it is on the CPU.
std::vector<bool> host_values(const Fusion& fusion, const std::vector<Argument>& arguments, const Device& device);
/// The addresses between which a tensor's elements lie.
struct MemoryRange {
  const char *first, *last;
  Device device;
};
MemoryRange range_of(const TensorArgument& tensor);
MemoryRange range_of(const CallArguments& call, int k);
/// May the two tensors share memory?
bool ranges_meet(const MemoryRange& a, const MemoryRange& b);
/// The inputs into whose memory outputs are written.
std::vector<int> written_inputs(const Fusion& fusion);
/// Pairs of a written input and another tensor whose memory may be the same.
std::vector<std::pair<int, int>> shared_inputs(const std::vector<Argument>& arguments, const std::vector<int>& written);
/// For each input whether it is a scalar on which the size of some tensor, an extent or an offset of a view, or the
/// advance of the random offset depends.
std::vector<bool> sizing_scalars(const Fusion& fusion);
/// The device as users write it: cpu, cuda:0.
std::string to_string(const Device& device);

}  // namespace nvfuser
