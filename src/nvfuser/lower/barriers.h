// SPDX-License-Identifier: Apache-2.0
// Pass: barriers between accesses of shared memory that may cross threads.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Makes every pair of accesses of one shared tensor that may cross threads be separated by a barrier on every path. At
/// this point every place of the nest is reached by all threads: tests wrap single statements, and no loop bound names
/// a thread.
void insert_barriers(Lowering& state);
/// The same for any nest; `threads`: the thread dimensions in use.  Returns whether a barrier stands in it.
bool insert_barriers(std::vector<Item>& body, const std::array<bool, 3>& threads);

}  // namespace nvfuser
