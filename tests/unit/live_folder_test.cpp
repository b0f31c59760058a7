// SPDX-License-Identifier: Apache-2.0
// What processes leave when they are killed goes with the next one; of several that want one thing, one works.
#include "nvfuser/backend/live_folder.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "backend_fixture.h"
#include "nvfuser/base/interrupt.h"

namespace nvfuser {
namespace {

/// Runs `body` in a forked process and kills it there.
void die_in(const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    body();
    kill(getpid(), SIGKILL);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(LiveFolder, GoesWithItsScope) {
  const TestFolder folder;
  int error = 0;
  {
    const auto made = LiveFolder::make(folder.path, "w-", error);
    ASSERT_TRUE(made);
    std::ofstream(made->path() + "/file") << "text";
    remove_dead(folder.path, "w-");
    EXPECT_TRUE(std::filesystem::exists(made->path() + "/file"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
  EXPECT_FALSE(LiveFolder::make(folder.path + "/none", "w-", error));
  EXPECT_EQ(error, ENOENT);
}

TEST(LiveFolder, OfADeadProcessIsDeletedAndNothingElse) {
  const TestFolder folder;
  die_in([&] {
    int error = 0;
    const auto* left = LiveFolder::make(folder.path, "w-", error).release();
    std::ofstream(left->path() + "/file") << "text";
    new KeyLock(folder.path + "/key", 1);
  });
  std::filesystem::create_directories(folder.path + "/w-mine12/inner");  // of that form, but without a lock
  std::ofstream(folder.path + "/w-file12") << "text";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 4);
  remove_dead(folder.path, "w-");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 2);
}

TEST(LiveFolder, ScratchOfADeadProcessIsDeletedByTheNext) {
  const TestFolder folder;
  setenv("TMPDIR", folder.path.c_str(), 1);
  die_in([] { new std::unique_ptr<LiveFolder>(make_scratch()); });
  EXPECT_FALSE(std::filesystem::is_empty(folder.path));
  const pid_t pid = fork();
  if (pid == 0) {
    remove_dead(folder.path, "nvfuser-scratch-");
    const bool alone = std::filesystem::is_empty(folder.path);
    make_scratch();
    _exit(alone && std::filesystem::is_empty(folder.path) ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  unsetenv("TMPDIR");
}

TEST(KeyLock, IsHeldByOneAndEndsForTheOthers) {
  const TestFolder folder;
  const std::string path = folder.path + "/key";
  auto first = std::make_unique<KeyLock>(path, 10);
  ASSERT_EQ(first->outcome(), KeyLock::Outcome::held);
  std::vector<std::unique_ptr<KeyLock>> others(4);
  std::vector<std::thread> threads;
  for (auto& other : others) {
    threads.emplace_back([&] { other = std::make_unique<KeyLock>(path, 60); });
  }
  EXPECT_EQ(KeyLock(path, 0.01).outcome(), KeyLock::Outcome::none);
  first.reset();
  for (std::thread& thread : threads) {
    thread.join();
  }
  // Those that had begun to wait find that the work is done; one that came later works.
  for (const auto& other : others) {
    EXPECT_NE(other->outcome(), KeyLock::Outcome::none);
  }
  others.clear();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
  EXPECT_EQ(KeyLock(folder.path + "/none/key", 10).outcome(), KeyLock::Outcome::none);
}

TEST(KeyLock, PassesOnWhenItsHolderIsKilled) {
  const TestFolder folder;
  const std::string path = folder.path + "/key";
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    const KeyLock held(path, 10);
    if (write(pipe_ends[1], "x", 1) == 1) {
      pause();
    }
    _exit(0);
  }
  char byte;
  ASSERT_EQ(read(pipe_ends[0], &byte, 1), 1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  KeyLock::Outcome outcome = KeyLock::Outcome::none;
  std::thread waiter([&] { outcome = KeyLock(path, 60).outcome(); });
  while (KeyLock(path, 0).outcome() != KeyLock::Outcome::none) {
  }
  kill(pid, SIGKILL);
  waiter.join();
  EXPECT_EQ(outcome, KeyLock::Outcome::held);
  waitpid(pid, nullptr, 0);
}

TEST(KeyLock, WaitingForItCanBeInterrupted) {
  const TestFolder folder;
  const KeyLock held(folder.path + "/key", 10);
  set_interrupt_check([] { return true; });
  EXPECT_THROW(KeyLock(folder.path + "/key", 600), Interrupted);
  set_interrupt_check(nullptr);
}

}  // namespace
}  // namespace nvfuser
