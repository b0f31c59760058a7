// SPDX-License-Identifier: Apache-2.0
// CPU target: lane loops whose results go to large outputs write them into a small array first, which then leaves past
// the cache in whole lines; a plain store would read every line that it replaces.
//
//   for l < n: out[b + l] = f(l)    ->    for k < n / 512: { for l < 512: L[l] = f(512 k + l);  out[b + 512 k ..] =
//   L[..] }
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Acts on stores marked `streaming` that are consecutive in their lane loop.
void stage_stores(Lowering& state);

}  // namespace nvfuser
