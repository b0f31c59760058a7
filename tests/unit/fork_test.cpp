// SPDX-License-Identifier: Apache-2.0
// A child forked at any moment of its parent's threads can do all that its parent can; compiles can be interrupted.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "backend_fixture.h"
#include "nvfuser/backend/cpu/host_compiler.h"
#include "nvfuser/backend/cpu/subprocess.h"
#include "nvfuser/backend/disk_cache.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/interrupt.h"

namespace nvfuser {
namespace {

/// The status of a child that runs `body`; one that hangs is killed.
int in_child(const std::function<bool()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

TEST(ForkMutex, GenerationsDiffer) {
  const uint64_t before = fork_generation();
  EXPECT_EQ(in_child([&] { return fork_generation() != before; }), 0);
  EXPECT_EQ(fork_generation(), before);
}

TEST(ForkMutex, OfAnotherThreadIsFreeInTheChild) {
  bool lost = false;
  LongMutex mutex([&] { lost = true; });
  std::atomic<bool> held{false}, done{false};
  std::thread other([&] {
    const std::lock_guard lock(mutex);
    held = true;
    while (!done) {
      std::this_thread::yield();
    }
  });
  while (!held) {
    std::this_thread::yield();
  }
  EXPECT_EQ(in_child([&] {
              const std::lock_guard lock(mutex);
              return lost;
            }),
            0);
  done = true;
  other.join();
  EXPECT_FALSE(lost);
}

TEST(ForkMutex, OfTheForkingThreadStaysHeld) {
  bool lost = false;
  LongMutex mutex([&] { lost = true; });
  const std::lock_guard lock(mutex);
  EXPECT_EQ(in_child([&] {
              set_interrupt_check([] { return true; });
              try {
                mutex.lock();
              } catch (const Interrupted&) {
                return !lost;
              }
              return false;
            }),
            0);
}

TEST(ForkMutex, ShortSectionsAreWholeInTheChild) {
  LeafMutex mutex;
  int64_t first = 0, second = 0;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int k = 0; k < 2; ++k) {
    threads.emplace_back([&] {
      while (!done) {
        const std::lock_guard lock(mutex);
        ++first;
        ++second;
      }
    });
  }
  for (int k = 0; k < 20; ++k) {
    EXPECT_EQ(in_child([&] {
                const std::lock_guard lock(mutex);
                return first == second;
              }),
              0);
  }
  done = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

/// A compiler that says when it has begun, and makes what the true one makes once it may go on.
class SlowCompile : public testing::Test {
 protected:
  void SetUp() override {
    const std::shared_ptr<const HostCompiler> real = find_host_compiler(&why_);
    if (!real) {
      GTEST_SKIP() << why_;
    }
    forget_modules();
    std::ofstream(script_) << "#!/bin/sh\ncase \" $* \" in *\" -dM \"*) ;; *)\n"
                           << "echo $$ > " << begun_ << "\nwhile [ ! -e " << go_ << " ]; do sleep 0.01; done;; esac\n"
                           << "exec " << real->command[0] << " \"$@\"\n";
    std::filesystem::permissions(script_, std::filesystem::perms::owner_all);
    chosen_.emplace("cxx", script_);
    ASSERT_TRUE(host_compiler_available(&why_)) << why_;
  }

  static int64_t result() {
    CompileRequest request{};
    request.way = Way::host;
    request.text =
        "#include \"rt/types.h\"\n"
        "extern \"C\" void k(const void* image, const long long*, long long, long long) {\n"
        "  **static_cast<long long* const*>(image) = 7;\n}\n";
    request.kernels = {{"k", 8, false}};
    int64_t out = 0;
    int64_t* data = &out;
    LaunchRequest launch;
    launch.image = &data;
    launch.image_bytes = sizeof data;
    compile(request)->launch(0, launch);
    return out;
  }
  pid_t wait_for_begin() const {
    pid_t pid = 0;
    while (!(std::ifstream(begun_) >> pid)) {
      std::this_thread::yield();
    }
    return pid;
  }
  void go() const { std::ofstream(go_) << "go"; }

  const TestFolder folder_;
  const ScopedOption cache_{"cache", "1"}, folder_option_{"cache_dir", folder_.path + "/cache"};
  const std::string script_ = folder_.path + "/c++", begun_ = folder_.path + "/begun", go_ = folder_.path + "/go";
  std::optional<ScopedOption> chosen_;
  std::string why_;
};

TEST_F(SlowCompile, InAThreadOfTheParentIsMadeAnewInTheChild) {
  int64_t of_parent = 0;
  std::thread other([&] { of_parent = result(); });
  wait_for_begin();
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    // The parent holds the claim on the entry, and so does the copy of its descriptor in this process.
    _exit(result() == 7 ? 0 : 1);
  }
  go();
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  other.join();
  EXPECT_EQ(of_parent, 7);
  EXPECT_TRUE(folder_.left_over().empty());
}

TEST_F(SlowCompile, FindsTheDeviceHeadersThatWereClearedMeanwhile) {
  int64_t out = 0;
  std::thread thread([&] { out = result(); });
  wait_for_begin();
  EXPECT_FALSE(clear_cache(folder_.path + "/cache").empty());
  go();
  thread.join();
  EXPECT_EQ(out, 7);
}

TEST_F(SlowCompile, EndsWhenItIsInterrupted) {
  static std::atomic<bool> asked;
  static std::atomic<pthread_t> thread;
  asked = false;
  set_interrupt_check([] { return asked && pthread_equal(thread, pthread_self()) != 0; });
  bool interrupted = false;
  int64_t of_waiter = 0;
  std::thread first([&] {
    thread = pthread_self();
    try {
      result();
    } catch (const Interrupted&) {
      interrupted = true;
    }
  });
  const pid_t compiler = wait_for_begin();
  std::thread waiter([&] { of_waiter = result(); });  // it waits for the first, and goes on by itself
  asked = true;
  first.join();
  EXPECT_TRUE(interrupted);
  EXPECT_EQ(kill(compiler, 0), -1) << "the compiler was left behind";
  go();
  waiter.join();
  set_interrupt_check(nullptr);
  EXPECT_EQ(of_waiter, 7);
  EXPECT_TRUE(folder_.left_over().empty());
}

TEST(Subprocess, EndsWithItsGroupWhenItIsInterrupted) {
  const TestFolder folder;
  const std::string file = folder.path + "/pid";
  static std::string watched;
  watched = file;
  set_interrupt_check([] { return std::filesystem::exists(watched) && std::filesystem::file_size(watched) > 0; });
  EXPECT_THROW(run_process({"/bin/sh", "-c", "sleep 600 & echo $! > " + file + "; wait"}, 300), Interrupted);
  set_interrupt_check(nullptr);
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  ASSERT_GT(pid, 0);
  // Killed with its group; whoever adopted it may take a moment to bury it.
  std::string state;
  do {
    std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name;
    state.clear();
    status >> number >> name >> state;
  } while (!state.empty() && state != "Z" && state != "X");
  SUCCEED();
}

}  // namespace
}  // namespace nvfuser
