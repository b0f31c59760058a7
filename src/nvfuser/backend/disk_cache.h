// SPDX-License-Identifier: Apache-2.0
// Compiled units on disk, by content key.  Several processes and threads share one folder: entries are published
// atomically and carry a checksum; whatever is wrong with the folder costs a compile, never an error or a wrong kernel.
//
// An entry is one file: the payload, then a trailer (a loader of shared objects ignores bytes after the last section).
// Its source lies beside it.  Folder and files are private to the user, because what lies there is executed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nvfuser {

/// Name of an entry: `stem` is a hash of everything that the payload depends on, in letters that a file name may have.
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
  DiskCache(std::string parent, int64_t budget_bytes);
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;

  /// Folder of the entries; empty when the cache is off or the folder cannot be trusted (see why_off).
  const std::string& folder() const { return folder_; }
  const std::string& why_off() const { return why_off_; }
  /// False once the folder has refused a write.  Reads go on.
  bool writable() const { return !folder_.empty() && !read_only_.load(std::memory_order_relaxed); }

  /// The entry, checked.  A file whose content is not what its name says is deleted; one that cannot be read, or that
  /// another user could have written, is left alone.
  std::optional<CacheEntry> find(const CacheName& name);
  /// Publishes; of several writers of one name any one wins.  The path is empty when nothing was stored.
  CacheEntry store(const CacheName& name, std::string payload, std::string_view source);
  /// Writes a folder of small files in one step.  Its path, or empty when that folder is not there with just this
  /// content.
  std::string store_folder(const std::string& name, const std::vector<std::pair<std::string, std::string_view>>& files);
  /// Deletes the least recently used entries until 80 % of the budget is left, if it is exceeded.
  void sweep();

 private:
  void note_write_error(int error);
  bool write_file(const std::string& path, std::string_view first, std::string_view second);
  bool publish(const std::string& path, std::string_view first, std::string_view second);
  void sweep_if_due();

  std::string folder_, why_off_;
  int64_t budget_bytes_;
  std::atomic<bool> read_only_{false};
};

/// The cache of the current options: NVFUSER_CACHE, NVFUSER_CACHE_DIR, NVFUSER_CACHE_SIZE.
std::shared_ptr<DiskCache> disk_cache();

}  // namespace nvfuser
