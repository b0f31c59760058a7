// SPDX-License-Identifier: Apache-2.0
// Reading and publishing of cache entries.  Rules: content that is wrong is deleted, an I/O error never deletes
// anything (it says nothing about the content), the loser of a race leaves silently, a read-only folder is latched, a
// folder that has vanished is made again.
#include "nvfuser/backend/disk_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <utility>

#include "nvfuser/backend/private_file.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/hash.h"
#include "nvfuser/base/options.h"
#include "nvfuser/base/warning.h"

namespace nvfuser {
namespace {

constexpr uint32_t kFormat = 1;
constexpr const char* kFormatFolder = "v1";
constexpr std::time_t kRefreshSeconds = 24 * 3600;  // mtime says "used on this day", which is enough for the sweep
constexpr const char* kWorkFolder = "/tmp";
constexpr const char* kWorkPrefix = "w-";

struct Trailer {
  char magic[8] = {'n', 'v', 'f', 'u', 's', 'e', 'r', '\n'};
  uint32_t format = kFormat;
  uint32_t reserved = 0;
  uint64_t payload_bytes = 0;
  uint64_t checksum[2] = {};
};
static_assert(sizeof(Trailer) == 40);

std::string file_of(const CacheName& name) { return name.stem + name.suffix; }

/// The name takes part: an entry that was copied to another name is foreign there.
Trailer trailer_of(const CacheName& name, std::string_view payload) {
  Trailer trailer;
  trailer.payload_bytes = payload.size();
  Hasher hasher;
  hasher.add(file_of(name));
  hasher.add(trailer.format);
  hasher.add(payload);
  const Hash128 sum = hasher.value128();
  trailer.checksum[0] = sum.low;
  trailer.checksum[1] = sum.high;
  return trailer;
}

std::string_view bytes_of(const Trailer& trailer) { return {reinterpret_cast<const char*>(&trailer), sizeof trailer}; }

/// Strips the trailer off; false when the content is not what `name` promises.
bool take_payload(const CacheName& name, std::string& content) {
  if (content.size() < sizeof(Trailer)) {
    return false;
  }
  const size_t bytes = content.size() - sizeof(Trailer);
  const Trailer expected = trailer_of(name, std::string_view(content).substr(0, bytes));
  if (std::memcmp(content.data() + bytes, &expected, sizeof expected) != 0) {
    return false;
  }
  content.resize(bytes);
  return true;
}

}  // namespace

std::string cache_folder_of(const std::string& parent) { return parent + "/" + kFormatFolder; }

DiskCache::DiskCache(const std::string& parent, int64_t budget_bytes) : budget_bytes_(budget_bytes) {
  if (parent.empty()) {
    why_off_ = "the cache is off";
    return;
  }
  make_folders(parent);
  const std::string folder = cache_folder_of(parent);
  why_off_ = make_private_folder(folder);
  if (why_off_.empty()) {
    folder_ = folder;
  }
}

std::optional<CacheEntry> DiskCache::find(const CacheName& name) {
  if (folder_.empty()) {
    return std::nullopt;
  }
  const std::string path = folder_ + "/" + file_of(name);
  PrivateFile file(path);
  if (!file.exists()) {
    return std::nullopt;
  }
  if (!file.trusted()) {
    warn_once(path, "is no file that only this user can have written");
    return std::nullopt;
  }
  std::string content;
  if (!file.read(content)) {
    return std::nullopt;
  }
  if (!take_payload(name, content)) {
    unlink(path.c_str());
    warn_once(path, "was damaged or foreign and has been deleted");
    return std::nullopt;
  }
  if (std::time(nullptr) - file.modified() > kRefreshSeconds && writable()) {
    file.touch();
  }
  return CacheEntry{std::move(content), path};
}

/// The folder of what is being written; made at the first write, and again where it has vanished.
bool DiskCache::make_work_folder() {
  make_folders(folder_);
  const std::string path = folder_ + kWorkFolder;
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    note_write_error(errno);
    return false;
  }
  return is_private_folder(folder_) && is_private_folder(path);
}

std::unique_ptr<LiveFolder> DiskCache::begin_write() {
  const std::string base = folder_ + kWorkFolder;
  for (bool again = true; writable();) {
    int error = 0;
    if (std::unique_ptr<LiveFolder> made = LiveFolder::make(base, kWorkPrefix, error)) {
      if (!looked_for_dead_.exchange(true)) {
        remove_dead(base, kWorkPrefix);
      }
      return made;
    }
    note_write_error(error);
    if (error != ENOENT || !std::exchange(again, false) || !make_work_folder()) {
      break;
    }
  }
  return nullptr;
}

std::unique_ptr<KeyLock> DiskCache::claim(const CacheName& name, double timeout_seconds) {
  if (!writable() || (access((folder_ + kWorkFolder).c_str(), F_OK) != 0 && !make_work_folder())) {
    return nullptr;
  }
  return std::make_unique<KeyLock>(folder_ + kWorkFolder + "/" + name.stem, timeout_seconds);
}

CacheEntry DiskCache::store(const CacheName& name, std::string payload, std::string_view source) {
  CacheEntry entry{std::move(payload), {}};
  if (!writable()) {
    return entry;
  }
  int64_t bytes = 0;
  if (const std::unique_ptr<LiveFolder> work = begin_write()) {
    const Trailer trailer = trailer_of(name, entry.payload);
    if (!name.source_suffix.empty() && publish(*work, folder_ + "/" + name.stem + name.source_suffix, source, {})) {
      bytes += static_cast<int64_t>(source.size());
    }
    const std::string path = folder_ + "/" + file_of(name);
    if (publish(*work, path, entry.payload, bytes_of(trailer))) {
      bytes += static_cast<int64_t>(entry.payload.size() + sizeof trailer);
      entry.path = path;
    }
  }
  account(bytes);
  return entry;
}

std::string DiskCache::store_folder(const std::string& name,
                                    const std::vector<std::pair<std::string, std::string_view>>& files) {
  if (folder_.empty()) {
    return {};
  }
  const std::string path = folder_ + "/" + name;
  const auto complete = [&] {
    return is_private_folder(path) && std::all_of(files.begin(), files.end(), [&](const auto& file) {
             std::string content;
             PrivateFile stored(path + "/" + file.first);
             return stored.trusted() && stored.read(content) && content == file.second;
           });
  };
  if (complete()) {
    if (writable()) {
      utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // asked for once a process
    }
    return path;
  }
  const std::unique_ptr<LiveFolder> work = begin_write();
  if (!work) {
    return {};
  }
  const std::string made = work->path() + "/made", old = work->path() + "/old";
  bool written = make_private_folder(made).empty();
  int64_t bytes = 0;
  for (const auto& [file, text] : files) {
    const std::string folder = std::filesystem::path(made + "/" + file).parent_path();
    const int error =
        written && make_private_folder(folder).empty() ? write_private_file(made + "/" + file, text) : EIO;
    note_write_error(error);
    written = written && error == 0;
    bytes += static_cast<int64_t>(text.size());
  }
  // One that is there already is another writer's by now, or broken, and then it makes room.
  if (written && !complete()) {
    if (rename(path.c_str(), old.c_str()) == 0) {
      warn_once(path, "was damaged or foreign and has been replaced");
    }
    if (rename(made.c_str(), path.c_str()) == 0) {
      account(bytes);
    }
  }
  return complete() ? path : std::string();
}

/// The first file that is not used, and why; of further ones the user has nothing.
void DiskCache::warn_once(const std::string& path, const char* why) {
  if (!warned_.exchange(true)) {
    warn("disk cache: " + path + " " + why + "; what it stands for is compiled anew");
  }
}

void DiskCache::note_write_error(int error) {
  // A full disk may have room again later; a folder that may not be written stays so.
  if (error == EROFS || error == EACCES || error == EPERM) {
    read_only_.store(true, std::memory_order_relaxed);
  }
}

bool DiskCache::publish(const LiveFolder& work, const std::string& path, std::string_view first,
                        std::string_view second) {
  const std::string temporary = work.path() + "/file";
  int error = write_private_file(temporary, first, second);
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) {
    error = errno;
  }
  note_write_error(error);
  if (error != 0) {
    unlink(temporary.c_str());
  }
  return error == 0;
}

std::shared_ptr<DiskCache> disk_cache() {
  struct Current {
    std::string parent;
    int64_t budget = -1;
    std::shared_ptr<DiskCache> cache;
  };
  static LeafMutex& mutex = *new LeafMutex;
  static Current& current = *new Current;
  const Options now = options();
  Current wanted{now.cache ? now.cache_dir : std::string(), now.cache_size, nullptr};
  const auto fits = [&] { return current.cache && current.parent == wanted.parent && current.budget == wanted.budget; };
  {
    const std::lock_guard lock(mutex);
    if (fits()) {
      return current.cache;
    }
  }
  wanted.cache = std::make_shared<DiskCache>(wanted.parent, wanted.budget);
  const std::lock_guard lock(mutex);
  if (!fits()) {
    std::swap(current, wanted);
  }
  return current.cache;
}

}  // namespace nvfuser
