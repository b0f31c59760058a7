// SPDX-License-Identifier: Apache-2.0
// Reading, publishing and sweeping of cache entries.  Rules: content that is wrong is deleted, an I/O error never
// deletes anything (it says nothing about the content), the loser of a race leaves silently, a read-only folder is
// latched.
#include "nvfuser/backend/disk_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <mutex>

#include "nvfuser/backend/private_file.h"
#include "nvfuser/base/hash.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

constexpr uint32_t kFormat = 1;
constexpr const char* kFormatFolder = "v1";
constexpr std::time_t kRefreshSeconds = 24 * 3600;  // mtime says "used on this day", which is enough for the sweep
constexpr std::time_t kSweepSeconds = 3600;

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

/// Names of one process never meet: pid for processes, a counter for threads.
std::string temporary_name(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  return path + "." + std::to_string(getpid()) + "." + std::to_string(counter.fetch_add(1)) + ".tmp";
}

struct StoredFile {
  std::string name;
  int64_t bytes = 0;
  std::time_t used = 0;
};

std::vector<StoredFile> list_files(const std::string& folder) {
  std::vector<StoredFile> files;
  DIR* stream = opendir(folder.c_str());
  if (!stream) {
    return files;
  }
  while (const dirent* entry = readdir(stream)) {
    struct stat status;
    if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) {
      continue;
    }
    files.push_back({entry->d_name, static_cast<int64_t>(status.st_size), status.st_mtime});
  }
  closedir(stream);
  return files;
}

}  // namespace

DiskCache::DiskCache(std::string parent, int64_t budget_bytes) : budget_bytes_(budget_bytes) {
  if (parent.empty()) {
    why_off_ = "the cache is off";
    return;
  }
  std::error_code ignored;
  std::filesystem::create_directories(parent, ignored);
  const std::string folder = parent + "/" + kFormatFolder;
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
  std::string content;
  if (!file.trusted() || !file.read(content)) {
    return std::nullopt;
  }
  if (!take_payload(name, content)) {
    unlink(path.c_str());
    return std::nullopt;
  }
  if (std::time(nullptr) - file.modified() > kRefreshSeconds && writable()) {
    file.touch();
  }
  return CacheEntry{std::move(content), path};
}

CacheEntry DiskCache::store(const CacheName& name, std::string payload, std::string_view source) {
  CacheEntry entry{std::move(payload), {}};
  if (!writable()) {
    return entry;
  }
  const std::string path = folder_ + "/" + file_of(name);
  const Trailer trailer = trailer_of(name, entry.payload);
  if (!name.source_suffix.empty()) {
    publish(folder_ + "/" + name.stem + name.source_suffix, source, {});
  }
  if (publish(path, entry.payload, bytes_of(trailer))) {
    entry.path = path;
  }
  sweep_if_due();
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
    return path;
  }
  if (!writable()) {
    return {};
  }
  const std::string temporary = temporary_name(path);
  bool written = make_private_folder(temporary).empty();
  for (const auto& [file, text] : files) {
    const std::string folder = std::filesystem::path(temporary + "/" + file).parent_path();
    written = written && make_private_folder(folder).empty() && write_file(temporary + "/" + file, text, {});
  }
  // A folder of this name that is there already stays: it is another writer's, equal to ours, or broken and not used.
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary, ignored);
  }
  return complete() ? path : std::string();
}

void DiskCache::note_write_error(int error) {
  // A full disk may have room again later; a folder that may not be written stays so.
  if (error == EROFS || error == EACCES || error == EPERM) {
    read_only_.store(true, std::memory_order_relaxed);
  }
}

bool DiskCache::write_file(const std::string& path, std::string_view first, std::string_view second) {
  const int error = write_private_file(path, first, second);
  if (error == 0) {
    return true;
  }
  note_write_error(error);
  unlink(path.c_str());
  return false;
}

bool DiskCache::publish(const std::string& path, std::string_view first, std::string_view second) {
  const std::string temporary = temporary_name(path);
  if (!write_file(temporary, first, second)) {
    return false;
  }
  if (rename(temporary.c_str(), path.c_str()) == 0) {
    return true;
  }
  note_write_error(errno);
  unlink(temporary.c_str());
  return false;
}

void DiskCache::sweep_if_due() {
  // One sweep an hour and folder, claimed through a stamp file that all processes share.
  const std::string path = folder_ + "/sweep.stamp";
  const int stamp = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (stamp < 0) {
    return;
  }
  struct stat status{};
  const bool known = fstat(stamp, &status) == 0;
  const bool due = known && (status.st_size == 0 || std::time(nullptr) - status.st_mtime > kSweepSeconds);
  if (due && flock(stamp, LOCK_EX | LOCK_NB) == 0) {
    sweep();  // first: on a full disk the stamp cannot be written before something is deleted
    if (ftruncate(stamp, 0) != 0 || write(stamp, "swept\n", 6) != 6) {
      note_write_error(errno);
    }
  }
  close(stamp);
}

void DiskCache::sweep() {
  if (!writable()) {
    return;
  }
  const std::time_t now = std::time(nullptr);
  struct Group {
    std::vector<std::string> files;
    int64_t bytes = 0;
    std::time_t used = 0;
  };
  std::map<std::string, Group> groups;  // by stem: a binary goes together with its source
  int64_t total = 0;
  for (const StoredFile& file : list_files(folder_)) {
    if (file.name == "sweep.stamp") {
      continue;
    }
    if (file.name.ends_with(".tmp")) {  // left by a process that was killed
      if (now - file.used > kSweepSeconds) {
        unlink((folder_ + "/" + file.name).c_str());
      }
      continue;
    }
    Group& group = groups[file.name.substr(0, file.name.find('.'))];
    group.files.push_back(file.name);
    group.bytes += file.bytes;
    group.used = std::max(group.used, file.used);
    total += file.bytes;
  }
  if (total <= budget_bytes_) {
    return;
  }
  std::vector<const Group*> oldest_first;
  for (const auto& [stem, group] : groups) {
    oldest_first.push_back(&group);
  }
  std::stable_sort(oldest_first.begin(), oldest_first.end(), [](auto* a, auto* b) { return a->used < b->used; });
  for (const Group* group : oldest_first) {
    if (total <= budget_bytes_ / 10 * 8) {
      break;
    }
    for (const std::string& file : group->files) {
      unlink((folder_ + "/" + file).c_str());
    }
    total -= group->bytes;
  }
}

std::shared_ptr<DiskCache> disk_cache() {
  static std::mutex mutex;
  static std::shared_ptr<DiskCache> current;
  static std::string current_parent;
  static int64_t current_budget = -1;
  const Options now = options();
  const std::string parent = now.cache ? now.cache_dir : std::string();
  const int64_t budget = now.cache_size;
  const std::lock_guard lock(mutex);
  if (!current || parent != current_parent || budget != current_budget) {
    current = std::make_shared<DiskCache>(parent, budget);
    current_parent = parent;
    current_budget = budget;
  }
  return current;
}

}  // namespace nvfuser
