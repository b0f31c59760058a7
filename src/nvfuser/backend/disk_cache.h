// SPDX-License-Identifier: Apache-2.0
// Compiled units on disk, by content key.  Several processes and threads share one folder: entries are published
// atomically and carry a checksum; whatever is wrong with the folder costs a compile, never an error or a wrong kernel.
//
// An entry is one file: the payload, then a trailer (a loader of shared objects ignores bytes after the last section).
// Its source lies beside it.  Folder and files are private to the user, because what lies there is executed.  What is
// being written lies in the folder tmp/ in a folder of its writer, which goes with the writer however that ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nvfuser/backend/live_folder.h"

namespace nvfuser {

/// Name of an entry: `stem` is a hash of everything that the payload depends on, 32 hexadecimal digits, then a dash and
/// what kind of unit it is.
struct CacheName {
  std::string stem;
  std::string suffix;         ///< ".so", ".cubin"
  std::string source_suffix;  ///< ".cpp", ".cu"
};

struct CacheEntry {
  std::string payload;
  std::string path;  ///< of the file; empty when it could not be stored
};

class DiskCache {
 public:
  /// `parent` is made if missing; entries live in a folder of it that is named by the format.  An empty parent turns
  /// the cache off.
  DiskCache(const std::string& parent, int64_t budget_bytes);
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;

  /// Folder of the entries; empty when the cache is off or the folder cannot be trusted (see why_off).
  const std::string& folder() const { return folder_; }
  const std::string& why_off() const { return why_off_; }
  /// False once the folder has refused a write.  Reads go on.
  bool writable() const { return !folder_.empty() && !read_only_.load(std::memory_order_relaxed); }

  /// The entry, checked.  A file whose content is not what its name says is deleted; one that cannot be read, or that
  /// another user could have written, is not used.  The first of them is a warning.
  std::optional<CacheEntry> find(const CacheName& name);
  /// Of several processes that make one entry, one works: waits for the others, at most so long.
  std::unique_ptr<KeyLock> claim(const CacheName& name, double timeout_seconds);
  /// Publishes; of several writers of one name any one wins.  The path is empty when nothing was stored.
  CacheEntry store(const CacheName& name, std::string payload, std::string_view source);
  /// Writes a folder of small files in one step, in the place of one of other content.  Its path, or empty when that
  /// folder is not there with just this content.
  std::string store_folder(const std::string& name, const std::vector<std::pair<std::string, std::string_view>>& files);
  /// Deletes the least recently used entries until 80 % of the budget is left, if it is exceeded.  Bytes that are left.
  int64_t sweep();

 private:
  void note_write_error(int error);
  void warn_once(const std::string& path, const char* why);
  bool make_work_folder();
  std::unique_ptr<LiveFolder> begin_write();
  bool publish(const LiveFolder& work, const std::string& path, std::string_view first, std::string_view second);
  void account(int64_t bytes);

  std::string folder_, why_off_;
  int64_t budget_bytes_;
  std::atomic<bool> read_only_{false}, looked_for_dead_{false}, warned_{false};
};

/// The cache of the current options: NVFUSER_CACHE, NVFUSER_CACHE_DIR, NVFUSER_CACHE_SIZE.
std::shared_ptr<DiskCache> disk_cache();

/// A binary with its source, or the device headers of one version: what is deleted as one.
struct CacheItem {
  std::string name;                ///< the stem, or the name of the folder
  std::vector<std::string> files;  ///< names in the folder
  int64_t bytes = 0;
  std::time_t used = 0;  ///< to the day
};
/// What this user's processes have stored below `parent`, most recently used first.  Files of other names or owners are
/// none of it.
std::vector<CacheItem> cache_items(const std::string& parent);
/// Deletes all of that, and what processes that were killed have left; returns what went.
std::vector<CacheItem> clear_cache(const std::string& parent);
/// Where entries lie below `parent`.
std::string cache_folder_of(const std::string& parent);

}  // namespace nvfuser
