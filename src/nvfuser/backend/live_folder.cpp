// SPDX-License-Identifier: Apache-2.0
// flock on a file: the kernel releases it when the last descriptor is closed, so with the process.  A file that is
// locked and has no name any more has been deleted by another in between; whoever finds that begins anew.
#include "nvfuser/backend/live_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <thread>

#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/interrupt.h"

namespace nvfuser {
namespace {

constexpr const char* kLockFile = "/alive";
constexpr const char* kScratchPrefix = "nvfuser-scratch-";
constexpr std::string_view kKeyLockSuffix = ".lock";
constexpr size_t kRandomLetters = 6;            // of mkdtemp
constexpr std::time_t kUnlockedSeconds = 3600;  // after which a folder without a lock file has no maker any more
constexpr int kTries = 100;                     // of a race with the deletion of the dead
constexpr std::chrono::milliseconds kShortestWait{2};

int open_lock(const std::string& path, int flags) {
  return open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

bool has_name(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

/// A lock on a file that has a name still; -1 when it is held or not to be had.
int lock_if_free(const std::string& path) {
  const int lock = open_lock(path, 0);
  if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 && has_name(lock)) {
    return lock;
  }
  if (lock >= 0) {
    close(lock);
  }
  return -1;
}

/// The lock of a folder whose process is dead; -1 for others.  `unlocked`: there is no lock, and nobody makes one now.
int lock_of_dead(const std::string& path, const struct stat& status, bool& unlocked) {
  const std::string file = path + kLockFile;
  const int lock = lock_if_free(file);
  unlocked = lock < 0 && access(file.c_str(), F_OK) != 0 && errno == ENOENT &&
             std::time(nullptr) - status.st_mtime > kUnlockedSeconds;
  return lock;
}

/// Moves the folder into one of our own, which is deleted as a whole: a compiler that has outlived its process may
/// still be writing there, by a name that is gone then.
void remove_if_dead(const std::string& base, const std::string& prefix, const std::string& path,
                    const struct stat& status) {
  bool unlocked = false;
  const int lock = lock_of_dead(path, status, unlocked);
  if (lock < 0 && !unlocked) {
    return;
  }
  int ignored = 0;
  if (const std::unique_ptr<LiveFolder> ours = LiveFolder::make(base, prefix, ignored)) {
    rename(path.c_str(), (ours->path() + "/dead").c_str());
  }
  if (lock >= 0) {
    close(lock);
  }
}

}  // namespace

std::unique_ptr<LiveFolder> LiveFolder::make(const std::string& base, const std::string& prefix, int& error) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::string path = base + "/" + prefix + std::string(kRandomLetters, 'X');
    if (mkdtemp(path.data()) == nullptr) {
      error = errno;
      return nullptr;
    }
    const int lock = open_lock(path + kLockFile, O_CREAT);
    // Where there are no locks at all the folder serves as well; nobody deletes it when its process is killed.
    const bool locked = lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (locked && (lock < 0 ? access(path.c_str(), F_OK) == 0 : has_name(lock))) {
      return std::unique_ptr<LiveFolder>(new LiveFolder(std::move(path), lock));
    }
    if (lock >= 0) {
      close(lock);
    }
  }
  error = EIO;  // folders made there vanish
  return nullptr;
}

LiveFolder::LiveFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock), owner_(getpid()) {}

LiveFolder::~LiveFolder() {
  std::error_code ignored;
  if (is_ours()) {
    std::filesystem::remove_all(path_, ignored);
  }
  if (lock_ >= 0) {
    close(lock_);
  }
}

bool LiveFolder::is_ours() const { return owner_ == getpid(); }

std::unique_ptr<LiveFolder> make_scratch() {
  static std::atomic<bool> looked{false};
  const char* chosen = std::getenv("TMPDIR");
  std::string tried;
  for (const std::string base : {chosen && *chosen == '/' ? chosen : "/tmp", "/tmp"}) {
    if (!looked.exchange(true)) {
      remove_dead(base, kScratchPrefix);
    }
    int error = 0;
    if (std::unique_ptr<LiveFolder> made = LiveFolder::make(base, kScratchPrefix, error)) {
      return made;
    }
    tried += (tried.empty() ? "" : ", ") + base + ": " + std::strerror(error);
  }
  fail(ErrorKind::compile, "no temporary folder (", tried, "); set TMPDIR to a folder that can be written");
}

std::string scratch_folder() {
  static LeafMutex& mutex = *new LeafMutex;
  static std::unique_ptr<LiveFolder> ours;
  const std::lock_guard lock(mutex);
  if (!ours || !ours->is_ours()) {
    ours = make_scratch();
  }
  return ours->path();
}

void remove_dead(const std::string& base, const std::string& prefix) {
  DIR* stream = opendir(base.c_str());
  if (!stream) {
    return;
  }
  while (const dirent* entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    const bool folder = name.starts_with(prefix) && name.size() == prefix.size() + kRandomLetters;
    struct stat status;
    if ((!folder && !name.ends_with(kKeyLockSuffix)) ||
        fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_uid != geteuid()) {
      continue;
    }
    const std::string path = base + "/" + entry->d_name;
    if (folder && S_ISDIR(status.st_mode)) {
      remove_if_dead(base, prefix, path, status);
    } else if (!folder && S_ISREG(status.st_mode)) {
      if (const int lock = lock_if_free(path); lock >= 0) {
        unlink(path.c_str());
        close(lock);
      }
    }
  }
  closedir(stream);
}

KeyLock::KeyLock(const std::string& path, double timeout_seconds)
    : path_(path + std::string(kKeyLockSuffix)), owner_(getpid()) {
  using Clock = std::chrono::steady_clock;
  const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_seconds));
  const Clock::time_point deadline = Clock::now() + limit;
  FileIdentity awaited, now;
  for (auto wait = kShortestWait; !try_lock(now); wait = std::min(2 * wait, kInterruptPeriod)) {
    if (!now.known || Clock::now() > deadline) {
      return;
    }
    awaited = now;
    std::this_thread::sleep_for(wait);
    check_interrupt();
  }
  // Whoever works deletes the file at the end; where it is still the one that was waited for, its holder was killed.
  outcome_ = awaited.known && awaited != now ? Outcome::ended : Outcome::held;
  if (outcome_ == Outcome::ended) {
    release();
  }
}

KeyLock::~KeyLock() { release(); }

/// False when another holds the lock, which `identity` then names, or when there is none to be had.
bool KeyLock::try_lock(FileIdentity& identity) {
  identity = {};
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const int lock = open_lock(path_, O_CREAT);
    struct stat status;
    if (lock < 0 || fstat(lock, &status) != 0) {
      break;
    }
    const bool locked = flock(lock, LOCK_EX | LOCK_NB) == 0;
    const bool busy = !locked && errno == EWOULDBLOCK;
    if (locked ? has_name(lock) : busy) {
      identity = {true, status.st_ino, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
    }
    if (locked && identity.known) {
      lock_ = lock;
      return true;
    }
    close(lock);
    if (!locked) {
      break;
    }
  }
  return false;
}

void KeyLock::release() {
  if (lock_ >= 0 && owner_ == getpid()) {
    unlink(path_.c_str());
    flock(lock_, LOCK_UN);  // a forked child may hold a copy of the descriptor
  }
  if (lock_ >= 0) {
    close(lock_);
  }
  lock_ = -1;
}

}  // namespace nvfuser
