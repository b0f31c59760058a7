// SPDX-License-Identifier: Apache-2.0
// Reductions of kernels that run in teams of threads: accumulators, and the join of a team.  Comes after rt/memory.h.
#pragma once

// clang-format off: each part uses those before it
#if __has_include("rt/warp.h")
#include "rt/accumulate.h"
#include "rt/warp.h"
#include "rt/team.h"
#else
#include "accumulate.h"
#include "nvfuser/device/emulator/warp.h"
#include "team.h"
#endif
// clang-format on
