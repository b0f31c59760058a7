// SPDX-License-Identifier: Apache-2.0
// From strides to layouts and back: what a kernel may assume of a tensor's memory, and what an output needs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nvfuser/graph/instantiate.h"
#include "nvfuser/ir/strided.h"

namespace nvfuser {

/// One element of an expanded axis is read, all of them are written where the buffer has them.
enum class BufferUse : uint8_t { read, written };
/// The layout class of actual strides (in elements): the memory order of the axes, and for each whether its stride is
/// dense, zero or free.  Strides of axes of size 1 do not matter and count as dense.
Layout layout_of(const TensorView& view, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                 BufferUse use = BufferUse::read);
/// The layout that the fusion gives a tensor: its allocation order, dense; zero for broadcast and expanded axes.
Layout allocation_layout(const TensorView& view);
/// Strides of a tensor of that layout without free strides, in elements.
std::vector<int64_t> dense_strides(const Layout& layout, const std::vector<int64_t>& sizes);
/// Two axes along which different positions are one element; both -1 when no pair of axes is like that.
std::pair<int, int> overlapping_axes(std::span<const int64_t> sizes, std::span<const int64_t> strides);
/// Largest power of two up to 16 that divides an address.
int64_t alignment_of(const void* pointer);
/// A short text, part of kernel keys.
std::string to_string(const Layout& layout);

}  // namespace nvfuser
