// SPDX-License-Identifier: Apache-2.0
// Worker threads of the process, started at first use and kept.  Work of several callers may run at once.
#pragma once

#include <cstdint>
#include <functional>

namespace nvfuser {

/// Threads that work on one parallel_for, the caller's included: NVFUSER_THREADS, or all that this process may use.
int thread_count();

/// Calls fn(b, e) for pieces that together are [begin, end), each of at least `grain` elements (but the last), on the
/// caller and on workers; returns when all are done.  The first exception is rethrown here, pieces not yet begun are
/// left out then.  Called from inside of fn it runs inline.  Which pieces there are depends on the number of threads.
/// After fork() the child makes its own workers.
void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)>& fn);

/// The same for [0, count), where any piece is worth a thread.
inline void parallel_for(int64_t count, const std::function<void(int64_t, int64_t)>& fn) {
  parallel_for(0, count, 1, fn);
}

}  // namespace nvfuser
