// SPDX-License-Identifier: Apache-2.0
// A bounded pool of large blocks, most recently used first.
#include "nvfuser/runtime/host_memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <list>
#include <mutex>

#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"

namespace nvfuser {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kKeptBytes = size_t{512} << 20;

struct Block {
  void* data;
  size_t bytes;
};

size_t rounded(size_t bytes) {
  const size_t unit = bytes >= kHugePage ? kHugePage : 4096;
  return (bytes + unit - 1) / unit * unit;
}

class Pool {
 public:
  Block take(size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      for (auto block = free_.begin(); block != free_.end(); ++block) {
        if (block->bytes == bytes) {
          const Block found = *block;
          free_.erase(block);
          kept_ -= bytes;
          return found;
        }
      }
    }
    void* data = std::aligned_alloc(bytes >= kHugePage ? kHugePage : 4096, bytes);
    check(data != nullptr, ErrorKind::device, "no memory for ", bytes, " bytes");
    if (bytes >= kHugePage) {
      madvise(data, bytes, MADV_HUGEPAGE);  // only a hint: fewer page faults on first touch
    }
    return {data, bytes};
  }

  void give(Block block) {
    std::list<Block> dropped;
    {
      const std::lock_guard lock(mutex_);
      free_.push_front(block);
      kept_ += block.bytes;
      while (kept_ > kKeptBytes) {
        kept_ -= free_.back().bytes;
        dropped.splice(dropped.end(), free_, std::prev(free_.end()));
      }
    }
    for (const Block& old : dropped) {
      std::free(old.data);
    }
  }

  size_t kept() {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

  void release() {
    const std::lock_guard lock(mutex_);
    for (const Block& block : free_) {
      std::free(block.data);
    }
    free_.clear();
    kept_ = 0;
  }

 private:
  LeafMutex mutex_;
  std::list<Block> free_;
  size_t kept_ = 0;
};

/// Never destroyed: results may outlive every static object.
Pool& pool() {
  static Pool* shared = new Pool;
  return *shared;
}

}  // namespace

std::shared_ptr<void> host_memory(size_t bytes) {
  const Block block = pool().take(rounded(bytes < 1 ? 1 : bytes));
  return {block.data, [block](void*) { pool().give(block); }};
}

size_t host_memory_kept() { return pool().kept(); }
void release_host_memory() { pool().release(); }

}  // namespace nvfuser
