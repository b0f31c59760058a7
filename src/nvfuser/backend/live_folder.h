// SPDX-License-Identifier: Apache-2.0
// Folders and locks that end with their process, however it ends: a lock of the system says whether the process still
// lives, and whoever comes next deletes what the dead have left.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace nvfuser {

/// A private folder `<base>/<prefix>XXXXXX` of this process, deleted with all it holds at the end of its scope.
class LiveFolder {
 public:
  /// Null when none can be made; `error` is then an errno.  `base` must exist.
  static std::unique_ptr<LiveFolder> make(const std::string& base, const std::string& prefix, int& error);
  ~LiveFolder();
  LiveFolder(const LiveFolder&) = delete;
  LiveFolder& operator=(const LiveFolder&) = delete;

  const std::string& path() const { return path_; }
  /// False in a forked child: the folder is its parent's.
  bool is_ours() const;

 private:
  LiveFolder(std::string path, int lock);
  std::string path_;
  int lock_;
  pid_t owner_;
};

/// A folder for one piece of work, in TMPDIR, else in /tmp.  ErrorKind::compile when none can be made: without one
/// nothing is compiled.
std::unique_ptr<LiveFolder> make_scratch();
/// The same for the whole process; a forked child gets its own.  Deleted at exit, or by the next process that makes
/// one.
std::string scratch_folder();

/// Deletes the folders of dead processes with that prefix, and lock files (see KeyLock) that nobody holds.  Leaves
/// alone what belongs to another user and what is not of that form.
void remove_dead(const std::string& base, const std::string& prefix);

/// One of several processes works, the others wait: a lock by name.
class KeyLock {
 public:
  enum class Outcome {
    held,   ///< the caller works
    ended,  ///< another has worked while the caller waited
    none    ///< there are no locks here, or the wait took too long: the caller works, perhaps beside others
  };
  /// Waits until the lock is free, at most so long.  Throws Interrupted when the program asks for that.
  KeyLock(const std::string& path, double timeout_seconds);
  ~KeyLock();
  KeyLock(const KeyLock&) = delete;
  KeyLock& operator=(const KeyLock&) = delete;
  Outcome outcome() const { return outcome_; }

 private:
  struct FileIdentity {
    bool known = false;
    uint64_t inode = 0;
    int64_t seconds = 0, nanoseconds = 0;  ///< of its making: numbers of files are used again
    bool operator==(const FileIdentity&) const = default;
  };
  bool try_lock(FileIdentity& identity);
  void release();

  std::string path_;
  int lock_ = -1;
  pid_t owner_;
  Outcome outcome_ = Outcome::none;
};

}  // namespace nvfuser
