// SPDX-License-Identifier: Apache-2.0
// Pass: the parameters of the kernel, from what its body names.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Buffers that are read, buffers that are written, sizes, divisors, scalars, in this order.
void collect_parameters(Lowering& state);

}  // namespace nvfuser
