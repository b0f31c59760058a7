// SPDX-License-Identifier: Apache-2.0
// posix_spawn, two pipes and a deadline.  Safe beside other threads that spawn: every descriptor here is close-on-exec.
#include "nvfuser/backend/cpu/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "nvfuser/base/interrupt.h"

extern char** environ;

namespace nvfuser {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kCaptureLimit = size_t{4} << 20;  // the rest is read and dropped, so that the program never blocks
/// Between looks whether a silent program has ended, or this one wants it to end.
constexpr long long kLookMilliseconds = kInterruptPeriod.count();

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
      read = ends[0];
      write = ends[1];
    }
  }
  ~Pipe() {
    close_end(read);
    close_end(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close_end(int& end) {
    if (end >= 0) {
      close(end);
    }
    end = -1;
  }
};

/// Starts the program; returns 0 or an errno.
int spawn(const std::vector<std::string>& argv, const std::string& temporary, const Pipe& out, const Pipe& err,
          pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);

  // Interpreters ignore SIGPIPE and may block signals; a compiler expects neither.
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (int signal : {SIGPIPE, SIGINT, SIGTERM, SIGCHLD}) {
    sigaddset(&defaults, signal);
  }
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  std::vector<std::string> settings{"LC_ALL=C"};  // messages in English, whatever the user's locale
  if (!temporary.empty()) {
    settings.push_back("TMPDIR=" + temporary);
  }
  std::vector<char*> environment;
  for (char** entry = environ; *entry; ++entry) {
    const bool is_set = std::any_of(settings.begin(), settings.end(), [&](const std::string& setting) {
      return std::strncmp(*entry, setting.c_str(), setting.find('=') + 1) == 0;
    });
    if (!is_set) {
      environment.push_back(*entry);
    }
  }
  for (std::string& setting : settings) {
    environment.push_back(setting.data());
  }
  environment.push_back(nullptr);

  const int status = posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

/// The status stays for waitpid.
bool has_ended(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/// The process or -1; `code` is its status.
pid_t wait_for(pid_t pid, int& code) {
  pid_t ended;
  while ((ended = waitpid(pid, &code, 0)) < 0 && errno == EINTR) {
  }
  return ended;
}

/// Takes what is there; closes the pipe at its end.
void read_some(Pipe& pipe, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t count = read(pipe.read, buffer.data(), buffer.size());
  if (count > 0) {
    text.append(buffer.data(), std::min<size_t>(count, kCaptureLimit - std::min(kCaptureLimit, text.size())));
  } else if (count == 0 || errno != EINTR) {
    Pipe::close_end(pipe.read);
  }
}

/// Reads both pipes until they end, or the program has and they are silent: a server that it leaves behind, as compiler
/// caches do, may hold them open.  False when the deadline passed first.
bool drain(pid_t pid, Pipe& out, Pipe& err, ProcessResult& result, Clock::time_point deadline) {
  while (out.read >= 0 || err.read >= 0) {
    check_interrupt();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      return false;
    }
    std::array<pollfd, 2> ends{pollfd{out.read, POLLIN, 0}, pollfd{err.read, POLLIN, 0}};  // negative: skipped by poll
    const int ready = poll(ends.data(), ends.size(), static_cast<int>(std::min<long long>(left, kLookMilliseconds)));
    if ((ready < 0 && errno != EINTR) || (ready == 0 && has_ended(pid))) {
      break;
    }
    if (ready > 0 && ends[0].revents != 0) {
      read_some(out, result.out);
    }
    if (ready > 0 && ends[1].revents != 0) {
      read_some(err, result.err);
    }
  }
  return true;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, double timeout_seconds, const std::string& temporary) {
  ProcessResult result;
  Pipe out, err;
  pid_t pid = -1;
  const int status = out.read < 0 || err.read < 0 ? errno : spawn(argv, temporary, out, err, pid);
  if (status != 0) {
    result.error = argv[0] + " does not start: " + std::strerror(status);
    return result;
  }
  Pipe::close_end(out.write);
  Pipe::close_end(err.write);
  const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_seconds));
  try {
    if (!drain(pid, out, err, result, Clock::now() + limit)) {
      result.timed_out = true;
      kill(-pid, SIGKILL);
    }
  } catch (...) {
    int ignored = 0;
    kill(-pid, SIGKILL);
    wait_for(pid, ignored);
    throw;
  }
  int code = 0;
  const pid_t ended = wait_for(pid, code);
  // ECHILD: the process ignores SIGCHLD or reaps all its children elsewhere.  The status is lost, what was printed is
  // not; the caller sees success by the file that it expects.
  if (ended < 0) {
    result.exit_code = errno == ECHILD ? 0 : -1;
  } else {
    result.exit_code = WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code);
  }
  return result;
}

std::string find_program(std::string_view name) {
  const auto executable = [](const std::string& path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
  };
  if (name.empty()) {
    return {};
  }
  if (name.find('/') != std::string_view::npos) {
    return executable(std::string(name)) ? std::string(name) : std::string();
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    const std::string folder(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // Relative folders of PATH are passed over: what runs must not depend on the current folder.
    if (folder.empty() || folder[0] != '/') {
      continue;
    }
    std::string candidate = folder + "/" + std::string(name);
    if (executable(candidate)) {
      return candidate;
    }
  }
  return {};
}

}  // namespace nvfuser
