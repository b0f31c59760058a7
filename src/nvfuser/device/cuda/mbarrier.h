// SPDX-License-Identifier: Apache-2.0
// Barriers in shared memory that count bytes as they come.  From compute capability 9.0 on.
#pragma once

#include "rt/types.h"

namespace rt::inner {

RT_FN unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

/// One that phases of so many arrivals complete.
RT_FN void init_barrier(unsigned barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

/// Arrives, and has the phase wait for so many bytes.
RT_FN void expect_bytes(unsigned barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

/// Until phase number `phase` is complete.
RT_FN void wait_for_phase(unsigned barrier, int phase) {
  const unsigned parity = static_cast<unsigned>(phase) & 1u;
  unsigned complete;
  do {
    asm volatile(
        "{ .reg .pred complete; mbarrier.try_wait.parity.shared::cta.b64 complete, [%1], %2; "
        "selp.u32 %0, 1, 0, complete; }"
        : "=r"(complete)
        : "r"(barrier), "r"(parity)
        : "memory");
  } while (!complete);
}

}  // namespace rt::inner
