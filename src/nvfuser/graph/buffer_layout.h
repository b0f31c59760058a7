// SPDX-License-Identifier: Apache-2.0
// Layouts of global buffers as stride expressions.  Part of graph/instantiate.
#pragma once

#include <string>

#include "nvfuser/graph/extents.h"

namespace nvfuser {

/// Elements that a buffer has along an axis: of an expanded axis one, unless its elements have a stride.
Index buffer_extent(const IterDomain& axis, Layout::Stride stride, Extents& extents);
/// One dimension per logical (no-reduction) axis of the view; free strides are sizes "<name>_s<axis>".
Allocation global_allocation(const TensorView& view, const Layout& layout, const std::string& name, Extents& extents,
                             IndexPool& pool);

}  // namespace nvfuser
