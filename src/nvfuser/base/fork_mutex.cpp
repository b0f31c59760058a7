// SPDX-License-Identifier: Apache-2.0
// All mutexes stand in two lists, which the handlers of fork() walk.
#include "nvfuser/base/fork_mutex.h"

#include <atomic>
#include <chrono>
#include <new>

#include "nvfuser/base/interrupt.h"

namespace nvfuser {

struct ForkHandlers {
  std::mutex mutex;  ///< guards the lists; taken before any LeafMutex
  LeafMutex* leaves = nullptr;
  LongMutex* longs = nullptr;
  std::atomic<uint64_t> generation{0};

  /// Never destroyed: mutexes of static objects go after it.
  static ForkHandlers& only() {
    static ForkHandlers& handlers = *make();
    return handlers;
  }

  template <class Mutex>
  void add(Mutex*& first, Mutex* added) {
    const std::lock_guard lock(mutex);
    added->next_ = first;
    if (first != nullptr) {
      first->previous_ = added;
    }
    first = added;
  }

  template <class Mutex>
  void remove(Mutex*& first, Mutex* removed) {
    const std::lock_guard lock(mutex);
    (removed->previous_ != nullptr ? removed->previous_->next_ : first) = removed->next_;
    if (removed->next_ != nullptr) {
      removed->next_->previous_ = removed->previous_;
    }
  }

 private:
  static ForkHandlers* make() {
    pthread_atfork([] { only().before(); }, [] { only().release(); }, [] { only().in_child(); });
    return new ForkHandlers;
  }

  void before() {
    mutex.lock();
    for (LeafMutex* leaf = leaves; leaf != nullptr; leaf = leaf->next_) {
      leaf->mutex_.lock();
    }
  }
  void release() {
    for (LeafMutex* leaf = leaves; leaf != nullptr; leaf = leaf->next_) {
      leaf->mutex_.unlock();
    }
    mutex.unlock();
  }
  void in_child() {
    ++generation;
    LongMutex* each = longs;
    release();
    for (; each != nullptr; each = each->next_) {
      each->after_fork();
    }
  }
};

uint64_t fork_generation() { return ForkHandlers::only().generation.load(std::memory_order_acquire); }

LeafMutex::LeafMutex() { ForkHandlers::only().add(ForkHandlers::only().leaves, this); }
LeafMutex::~LeafMutex() { ForkHandlers::only().remove(ForkHandlers::only().leaves, this); }

LongMutex::LongMutex(std::function<void()> lost) : lost_(std::move(lost)) {
  ForkHandlers::only().add(ForkHandlers::only().longs, this);
}
LongMutex::~LongMutex() { ForkHandlers::only().remove(ForkHandlers::only().longs, this); }

void LongMutex::lock() {
  std::unique_lock lock(mutex_);
  while (held_) {
    freed_.wait_until(lock, std::chrono::system_clock::now() + kInterruptPeriod);
    if (held_) {
      lock.unlock();
      check_interrupt();
      lock.lock();
    }
  }
  held_ = true;
  owner_ = pthread_self();
}

void LongMutex::unlock() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  freed_.notify_one();
}

/// The only thread there is.
void LongMutex::after_fork() {
  // A thread that no longer exists may have stood inside of these.
  new (&mutex_) std::mutex;
  new (&freed_) std::condition_variable;
  if (held_ && !pthread_equal(owner_, pthread_self())) {
    held_ = false;
    if (lost_) {
      lost_();
    }
  }
}

}  // namespace nvfuser
