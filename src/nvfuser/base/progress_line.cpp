// SPDX-License-Identifier: Apache-2.0
// Invariant: the terminal's line belongs to at most one scope of one process, named by the process, so that a child
// forked meanwhile does not wait for a scope that it does not have.
#include "nvfuser/base/progress_line.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "nvfuser/base/options.h"

namespace nvfuser {

namespace {

constexpr size_t kColumns = 79;
constexpr std::chrono::milliseconds kRedraw{500};

std::atomic<pid_t> drawing{0};  ///< the process whose line is on the terminal; 0: none

bool claim_line() {
  const pid_t self = getpid();
  pid_t owner = drawing.load();
  return owner != self && drawing.compare_exchange_strong(owner, self);
}

/// A job in the background leaves the terminal alone; a terminal that is not the session's own has no foreground.
bool may_draw() {
  const pid_t foreground = tcgetpgrp(STDERR_FILENO);
  return foreground <= 0 || foreground == getpgrp();
}

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(written > 0 ? static_cast<size_t>(written) : 0);
  }
}

std::string line_of(const std::string& what, std::chrono::steady_clock::duration passed) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(passed).count();
  const std::string end = ", " + std::to_string(seconds) + " s";
  return what.substr(0, kColumns - end.size()) + end;
}

}  // namespace

ProgressLine::ProgressLine(std::string what, std::chrono::milliseconds after) : what_(std::move(what)) {
  if (isatty(STDERR_FILENO) == 0 || !options().progress) {
    return;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this, after] { draw(after); });
  } catch (const std::system_error&) {  // no thread to be had: no line
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ProgressLine::~ProgressLine() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
}

void ProgressLine::draw(std::chrono::milliseconds after) {
  const auto start = std::chrono::steady_clock::now();
  size_t drawn = 0;
  bool is_ours = false;
  std::unique_lock lock(mutex_);
  for (std::chrono::milliseconds pause = after; !ended_.wait_for(lock, pause, [&] { return is_over_; });
       pause = kRedraw) {
    is_ours = is_ours || claim_line();
    if (is_ours && may_draw()) {
      const std::string line = line_of(what_, std::chrono::steady_clock::now() - start);
      say("\r" + line);
      drawn = std::max(drawn, line.size());
    }
  }
  if (drawn > 0) {
    say("\r" + std::string(drawn, ' ') + "\r");
  }
  if (is_ours) {
    drawing.store(0);
  }
}

}  // namespace nvfuser
