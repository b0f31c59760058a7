// SPDX-License-Identifier: Apache-2.0
// Mutexes that a fork() leaves usable in the child, whatever other threads of the parent held at that moment: the child
// has none of those threads, so nobody would ever release what they hold.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace nvfuser {

/// Counts the forks that led to this process from where the library was loaded: differs in parent and child.
uint64_t fork_generation();

/// For short sections in which no other lock is taken, no LeafMutex or LongMutex is made or destroyed, and nothing
/// waits for another thread.  fork() waits until it is free, so a child finds whole what it guards.
class LeafMutex {
 public:
  LeafMutex();
  ~LeafMutex();
  LeafMutex(const LeafMutex&) = delete;
  LeafMutex& operator=(const LeafMutex&) = delete;
  void lock() { mutex_.lock(); }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  friend struct ForkHandlers;
  std::mutex mutex_;
  LeafMutex *next_ = nullptr, *previous_ = nullptr;
};

/// May be held for long, as by a compile, while others are taken.  fork() does not wait for it; in the child it is free
/// unless the forking thread holds it.  Where another thread held it, `lost` runs in the child before anything else
/// does: what it guards may be half done.  Waiting for it ends with Interrupted when the program asks for that.
class LongMutex {
 public:
  explicit LongMutex(std::function<void()> lost = {});
  ~LongMutex();
  LongMutex(const LongMutex&) = delete;
  LongMutex& operator=(const LongMutex&) = delete;
  void lock();
  void unlock();

 private:
  friend struct ForkHandlers;
  void after_fork();

  std::function<void()> lost_;
  std::mutex mutex_;  ///< guards held_ and owner_
  std::condition_variable freed_;
  bool held_ = false;
  pthread_t owner_{};
  LongMutex *next_ = nullptr, *previous_ = nullptr;
};

/// A value behind a LongMutex.  A child whose parent's other thread worked on it starts with a fresh one.
template <class T>
class LongGuarded {
 public:
  LongGuarded() : mutex_([this] { replace(); }), value_(std::make_unique<T>()) {}

  /// The value, locked.
  class Access {
   public:
    explicit Access(LongGuarded& guarded) : lock_(guarded.mutex_), value_(*guarded.value_) {}
    T* operator->() const { return &value_; }
    T& operator*() const { return value_; }

   private:
    std::unique_lock<LongMutex> lock_;
    T& value_;
  };
  Access lock() { return Access(*this); }

 private:
  void replace() {
    static_cast<void>(value_.release());  // half done: not even fit to be destroyed
    value_ = std::make_unique<T>();
  }

  LongMutex mutex_;
  std::unique_ptr<T> value_;
};

}  // namespace nvfuser
