// SPDX-License-Identifier: Apache-2.0
// The global operators, which count.
#include "counted_new.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local int64_t count = 0;

/// Null where there is no memory.
void* counted(std::size_t bytes, std::size_t alignment) noexcept {
  ++count;
  if (alignment <= alignof(std::max_align_t)) {
    return std::malloc(bytes == 0 ? 1 : bytes);
  }
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

void* required(std::size_t bytes, std::size_t alignment) {
  void* memory = counted(bytes, alignment);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

int64_t nvfuser::testing::allocations() { return count; }

void* operator new(std::size_t bytes) { return required(bytes, 1); }
void* operator new[](std::size_t bytes) { return required(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return required(bytes, std::size_t(alignment)); }
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return required(bytes, std::size_t(alignment)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes, 1); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes, 1); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
