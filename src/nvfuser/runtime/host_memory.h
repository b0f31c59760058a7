// SPDX-License-Identifier: Apache-2.0
// Memory for large results on the CPU.  Freed blocks are kept for the next call of their size, because the first touch
// of fresh pages costs more than a fused kernel that writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace nvfuser {

/// Results from this size on come from the pool: below it, fresh memory costs less than a kernel does.
inline constexpr int64_t kPooledBytes = int64_t{1} << 20;

/// At least `bytes` of memory with undefined content, aligned to 64 bytes at least.  The block goes back to the pool
/// when the last owner dies; from any thread.
std::shared_ptr<void> host_memory(size_t bytes);
/// Bytes that the pool keeps at present.
size_t host_memory_kept();
/// Gives all kept blocks back to the system.
void release_host_memory();

}  // namespace nvfuser
