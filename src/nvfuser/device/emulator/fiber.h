// SPDX-License-Identifier: Apache-2.0
// Fibers of the emulator: one stack per CUDA thread, switched without system calls where the processor is known, by
// ucontext elsewhere.  Every switch is announced to the address and thread sanitizers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#if !defined(__x86_64__) || defined(RT_UCONTEXT)
#include <ucontext.h>
#define RT_FIBER_UCONTEXT 1
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define RT_FIBER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define RT_FIBER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define RT_FIBER_TSAN 1
#endif
#ifdef RT_FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RT_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef RT_FIBER_UCONTEXT
// Saves the callee-saved registers and the stack pointer of the caller in *from and goes on where `to` was saved.
extern "C" __attribute__((visibility("hidden"))) void rt_switch_stack(void** from, void* to);
asm(R"(
.pushsection .text
.p2align 4
.type rt_switch_stack, @function
rt_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size rt_switch_stack, .-rt_switch_stack
.popsection
)");
#endif

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// A stack and what is saved of it while another one runs.  The scheduler's own stack is a Fiber without memory.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { release(); }

  /// Gives the fiber its stack; the caller owns the memory.
  void attach(char* bottom, size_t bytes) {
    bottom_ = bottom;
    bytes_ = bytes;
  }
  /// The next switch to this fiber calls entry(), which never returns.
  void start(void (*entry)()) {
    entry_ = entry;
    release();
#ifdef RT_FIBER_TSAN
    tsan_ = __tsan_create_fiber(0);
    owns_tsan_ = true;
#endif
#ifdef RT_FIBER_UCONTEXT
    getcontext(&context_);
    context_.uc_stack.ss_sp = bottom_;
    context_.uc_stack.ss_size = bytes_;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
#else
    // As rt_switch_stack leaves it: six registers, the address to return to, and above it a null return address.
    // On entry the stack pointer is 8 below a multiple of 16, as after a call.
    void** top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(bottom_) + bytes_) & ~uintptr_t(15));
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    for (int k = 0; k < 6; ++k) {
      *--top = nullptr;
    }
    saved_ = top;
#endif
  }
  /// Goes on in `to`; returns when something switches back.  `last`: this fiber will not run again.
  void switch_to(Fiber& to, bool last = false) {
#ifdef RT_FIBER_ASAN
    __sanitizer_start_switch_fiber(last ? nullptr : &fake_stack_, to.bottom_, to.bytes_);
#endif
#ifdef RT_FIBER_TSAN
    if (!tsan_) {
      tsan_ = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(to.tsan_, 0);
#endif
    (void)last;
#ifdef RT_FIBER_UCONTEXT
    swapcontext(&context_, &to.context_);
#else
    rt_switch_stack(&saved_, to.saved_);
#endif
#ifdef RT_FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
  }
  /// First thing that an entry function does; `home` is the fiber that switched to it.
  void entered([[maybe_unused]] Fiber& home) {
#ifdef RT_FIBER_ASAN
    const void* bottom = nullptr;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &home.bytes_);
    home.bottom_ = const_cast<char*>(static_cast<const char*>(bottom));
#endif
  }

 private:
  void release() {
#ifdef RT_FIBER_TSAN
    if (owns_tsan_) {
      __tsan_destroy_fiber(tsan_);
      owns_tsan_ = false;
    }
#endif
  }

  char* bottom_ = nullptr;
  size_t bytes_ = 0;
  void (*entry_)() = nullptr;
  void* saved_ = nullptr;
  [[maybe_unused]] void* fake_stack_ = nullptr;
  [[maybe_unused]] void* tsan_ = nullptr;
  [[maybe_unused]] bool owns_tsan_ = false;
#ifdef RT_FIBER_UCONTEXT
  ucontext_t context_;
#endif
};

/// Stacks of all threads of a block, used again by the next block.  Memory is touched only as far as stacks grow.
class FiberPool {
 public:
  static constexpr size_t kStackBytes = 256 << 10;
  explicit FiberPool(unsigned count, size_t bytes = kStackBytes)
      : bytes_(bytes), fibers_(new Fiber[count]), stacks_(new char[bytes * count]) {
    for (unsigned k = 0; k < count; ++k) {
      fibers_[k].attach(stacks_.get() + bytes * k, bytes);
      std::memcpy(stacks_.get() + bytes * k, &kCanary, sizeof kCanary);
    }
  }
  Fiber& operator[](int k) { return fibers_[k]; }
  /// False when the stack grew over its end.
  bool intact(int k) const { return std::memcmp(stacks_.get() + bytes_ * k, &kCanary, sizeof kCanary) == 0; }

 private:
  static constexpr uint64_t kCanary = 0x5AFE57ACCA11AB1Eull;
  size_t bytes_;
  std::unique_ptr<Fiber[]> fibers_;
  std::unique_ptr<char[]> stacks_;
};

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
