// SPDX-License-Identifier: Apache-2.0
// A job is a range cut into pieces that are claimed by an atomic counter.  Workers sleep while no job wants hands.
// Invariant: a job stays in the list while it has unclaimed pieces and may take more hands; its caller waits until
// every hand has left, so what the job points to outlives all use.
#include "nvfuser/base/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "nvfuser/base/options.h"

namespace nvfuser {

namespace {

constexpr uint64_t kMostThreads = 1024;
constexpr uint64_t kCountRange = 2 * kMostThreads;
constexpr int64_t kPiecesPerThread = 32;          ///< evens out unequal pieces and unequal threads
constexpr std::chrono::microseconds kLinger(30);  ///< about what it takes to wake a thread

thread_local bool is_working = false;

struct Working {
  Working() { is_working = true; }
  ~Working() { is_working = false; }
};

struct Job {
  const std::function<void(int64_t, int64_t)>* fn;
  int64_t begin, end, piece;
  int64_t pieces;
  int wanted;                    ///< hands that may still join; guarded by the pool's mutex
  std::atomic<int> hands{0};     ///< written under the pool's mutex
  std::atomic<int64_t> next{0};  ///< piece to claim
  std::atomic<bool> failed{false};
  std::exception_ptr error;  ///< written by the one that set `failed`

  void work() {
    const Working mark;
    for (int64_t at = next++; at < pieces && !failed.load(std::memory_order_relaxed); at = next++) {
      const int64_t first = begin + at * piece;
      try {
        (*fn)(first, at + 1 == pieces ? end : first + piece);
      } catch (...) {
        if (!failed.exchange(true)) {
          error = std::current_exception();
        }
      }
    }
  }
};

class Pool {
 public:
  void run(Job& job) {
    const bool one = job.wanted == 1;
    {
      const std::lock_guard lock(mutex_);
      start(job.wanted);
      jobs_.push_back(&job);
    }
    one ? wake_.notify_one() : wake_.notify_all();
    job.work();
    linger(job);
    std::unique_lock lock(mutex_);
    std::erase(jobs_, &job);
    left_.wait(lock, [&] { return job.hands == 0; });
  }

 private:
  /// Hands finish nearly at once: who sleeps meanwhile is woken long after the last of them.
  static void linger(const Job& job) {
    const auto end = std::chrono::steady_clock::now() + kLinger;
    while (job.hands.load(std::memory_order_relaxed) > 0 && std::chrono::steady_clock::now() < end) {
    }
  }

  /// Makes sure that there are `count` workers; fewer do when the system refuses more.
  void start(int count) {
    if (workers_ >= count) {
      return;
    }
    // Signals belong to the program's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; workers_ < count; ++workers_) {
        std::thread([this] { serve(); }).detach();
      }
    } catch (const std::system_error&) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !jobs_.empty(); });
      Job& job = *jobs_.front();
      ++job.hands;
      if (--job.wanted == 0) {
        jobs_.erase(jobs_.begin());
      }
      lock.unlock();
      job.work();
      lock.lock();
      std::erase(jobs_, &job);  // no piece is left to claim
      if (--job.hands == 0) {
        left_.notify_all();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  std::vector<Job*> jobs_;  ///< oldest first; few, and its memory is kept: a warm call allocates nothing
  int workers_ = 0;
};

/// The pool of this process.  Never destroyed, as workers may run until the process ends; abandoned in a forked child,
/// where its threads do not exist.
std::mutex& pool_mutex() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}
Pool* current_pool = nullptr;

Pool& pool() {
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork([] { pool_mutex().lock(); }, [] { pool_mutex().unlock(); },
                   [] {
                     current_pool = nullptr;
                     pool_mutex().unlock();
                   });
  });
  const std::lock_guard lock(pool_mutex());
  if (current_pool == nullptr) {
    current_pool = new Pool;
  }
  return *current_pool;
}

}  // namespace

int thread_count() {
  // Asked for every job, so kept until an option changes: version above, count below.
  static std::atomic<uint64_t> cached{0};
  const uint64_t version = options_version();
  uint64_t known = cached.load(std::memory_order_acquire);
  if (known / kCountRange != version) {
    const int64_t asked = options().threads;
    const uint64_t there = std::max(1u, std::thread::hardware_concurrency());
    const uint64_t count = asked == 0 ? there : static_cast<uint64_t>(asked);
    known = version * kCountRange + std::min(count, kMostThreads);
    cached.store(known, std::memory_order_release);
  }
  return static_cast<int>(known % kCountRange);
}

void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)>& fn) {
  if (begin >= end) {
    return;
  }
  grain = std::max<int64_t>(grain, 1);
  const int64_t count = end - begin;
  const int64_t most = is_working ? 1 : std::min<int64_t>(thread_count(), (count - 1) / grain + 1);
  if (most == 1) {
    fn(begin, end);
    return;
  }
  Job job;
  job.fn = &fn;
  job.begin = begin;
  job.end = end;
  job.piece = std::max(grain, (count - 1) / (most * kPiecesPerThread) + 1);
  job.pieces = (count - 1) / job.piece + 1;
  job.wanted = static_cast<int>(std::min(most, job.pieces)) - 1;
  if (job.wanted == 0) {
    fn(begin, end);
    return;
  }
  pool().run(job);
  if (job.error != nullptr) {
    std::rethrow_exception(job.error);
  }
}

}  // namespace nvfuser
