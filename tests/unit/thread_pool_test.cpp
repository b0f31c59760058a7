// SPDX-License-Identifier: Apache-2.0
// parallel_for: every element once, exceptions, nesting, several callers, fork.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "nvfuser/base/options.h"
#include "nvfuser/base/thread_pool.h"

namespace nvfuser {
namespace {

class ThreadPool : public testing::Test {
 protected:
  ScopedOption threads_{"threads", "4"};
};

TEST_F(ThreadPool, CountFollowsTheOption) {
  EXPECT_EQ(thread_count(), 4);
  const ScopedOption one("threads", "1");
  EXPECT_EQ(thread_count(), 1);
  const ScopedOption all("threads", "0");
  EXPECT_GE(thread_count(), 1);
}

TEST_F(ThreadPool, EveryElementOnce) {
  for (const int64_t count : {0, 1, 2, 7, 31, 32, 33, 1000, 12345}) {
    for (const int64_t grain : {-1, 1, 3, 64, 100000}) {
      std::vector<int> hits(count + 10, 0);
      parallel_for(5, 5 + count, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          ++hits[i];
        }
      });
      ASSERT_EQ(std::accumulate(hits.begin(), hits.end(), int64_t{0}), count);
      ASSERT_TRUE(std::all_of(hits.begin() + 5, hits.begin() + 5 + count, [](int hit) { return hit == 1; }));
    }
  }
}

TEST_F(ThreadPool, PiecesAreAtLeastAGrain) {
  std::mutex mutex;
  std::multiset<int64_t> sizes;
  parallel_for(0, 1000, 90, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    sizes.insert(end - begin);
  });
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}), 1000);
  EXPECT_LE(std::count_if(sizes.begin(), sizes.end(), [](int64_t size) { return size < 90; }), 1);
}

TEST_F(ThreadPool, WorkersTakePart) {
  std::atomic<int> inside{0};
  std::mutex mutex;
  std::set<std::thread::id> ids;
  // Each of the four waits for the others, so four threads must be at work.
  parallel_for(4, [&](int64_t, int64_t) {
    ++inside;
    while (inside < 4) {
      std::this_thread::yield();
    }
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_TRUE(ids.contains(std::this_thread::get_id()));
}

TEST_F(ThreadPool, ExceptionsComeBackAndThePoolGoesOn) {
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(parallel_for(1000,
                              [&](int64_t begin, int64_t) {
                                if (begin >= round * 10) {
                                  throw std::runtime_error("broken");
                                }
                              }),
                 std::runtime_error);
    std::atomic<int64_t> sum{0};
    parallel_for(100, [&](int64_t begin, int64_t end) { sum += end - begin; });
    ASSERT_EQ(sum, 100);
  }
}

TEST_F(ThreadPool, NestedCallsRunInline) {
  std::atomic<int64_t> sum{0};
  std::atomic<int> strangers{0};
  parallel_for(64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto self = std::this_thread::get_id();
      parallel_for(100, [&](int64_t from, int64_t to) {
        strangers += std::this_thread::get_id() != self;
        sum += to - from;
      });
    }
  });
  EXPECT_EQ(sum, 6400);
  EXPECT_EQ(strangers, 0);
}

TEST_F(ThreadPool, SeveralCallersAtOnce) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        parallel_for(50, [&](int64_t begin, int64_t end) { sum += end - begin; });
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(sum, 4 * 200 * 50);
}

TEST_F(ThreadPool, SignalsAreLeftToTheProgram) {
  std::atomic<int> inside{0}, open{0};
  const auto self = std::this_thread::get_id();
  parallel_for(4, [&](int64_t, int64_t) {
    ++inside;
    while (inside < 4) {
      std::this_thread::yield();
    }
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    open += std::this_thread::get_id() != self && sigismember(&blocked, SIGINT) == 0;
  });
  EXPECT_EQ(open, 0);
}

TEST_F(ThreadPool, AForkedChildHasItsOwnWorkers) {
  parallel_for(100, [](int64_t, int64_t) {});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(30);
    std::atomic<int> inside{0};
    parallel_for(4, [&](int64_t, int64_t) {
      ++inside;
      while (inside < 4) {
        std::this_thread::yield();
      }
    });
    _exit(inside == 4 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::atomic<int64_t> sum{0};
  parallel_for(1000, [&](int64_t begin, int64_t end) { sum += end - begin; });
  EXPECT_EQ(sum, 1000);
}

}  // namespace
}  // namespace nvfuser
