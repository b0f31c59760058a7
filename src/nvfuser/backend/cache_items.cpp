// SPDX-License-Identifier: Apache-2.0
// What lies in the folder of the disk cache, and how it stays within its budget.  Only names that the cache gives
// count: whatever else is in the folder is left alone.
//
// The ledger says how much is there without a look at every file: first what a sweep has found, then what was stored
// since, a line of fixed length each, appended by any process.  Where it is missing, odd or long, a sweep makes it
// anew.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>

#include "nvfuser/backend/disk_cache.h"

namespace nvfuser {
namespace {

constexpr const char* kLedger = "/ledger";
constexpr size_t kLineBytes = 16;
constexpr size_t kMostLines = 4096;
constexpr std::string_view kIncludePrefix = "include-";
constexpr std::array<std::string_view, 4> kSuffixes = {".so", ".cpp", ".cubin", ".cu"};
constexpr std::array<std::string_view, 3> kKinds = {"host", "emulator", "cuda"};
constexpr size_t kHashDigits = 32;

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The stem of an entry's file; empty when its name is none that the cache gives.
std::string_view stem_of_entry(std::string_view name) {
  const size_t dot = name.find('.');
  const std::string_view stem = name.substr(0, dot);
  if (dot == std::string_view::npos ||
      std::find(kSuffixes.begin(), kSuffixes.end(), name.substr(dot)) == kSuffixes.end() ||
      stem.size() <= kHashDigits || !is_hash(stem.substr(0, kHashDigits)) || stem[kHashDigits] != '-') {
    return {};
  }
  std::string_view kind = stem.substr(kHashDigits + 1);
  kind = kind.substr(0, kind.find_last_not_of("0123456789") + 1);  // an architecture
  return std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end() ? std::string_view() : stem;
}

int64_t bytes_below(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    bytes += entry->is_regular_file(ignored) ? static_cast<int64_t>(entry->file_size(ignored)) : 0;
  }
  return bytes;
}

std::vector<CacheItem> items_in(const std::string& folder) {
  std::map<std::string, CacheItem, std::less<>> found;
  DIR* stream = opendir(folder.c_str());
  if (!stream) {
    return {};
  }
  while (const dirent* entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    const bool headers = name.starts_with(kIncludePrefix) && is_hash(name.substr(kIncludePrefix.size()));
    const std::string_view stem = headers ? name : stem_of_entry(name);
    struct stat status;
    if (stem.empty() || fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        status.st_uid != geteuid() || !(headers ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode))) {
      continue;
    }
    CacheItem& item = found[std::string(stem)];
    item.name = stem;
    item.files.emplace_back(name);
    item.bytes += headers ? bytes_below(folder + "/" + std::string(name)) : static_cast<int64_t>(status.st_size);
    item.used = std::max(item.used, status.st_mtime);
  }
  closedir(stream);
  std::vector<CacheItem> items;
  for (auto& [name, item] : found) {
    items.push_back(std::move(item));
  }
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.used > b.used; });
  return items;
}

/// Folders are moved away first, so that nobody sees one that is half deleted.
bool remove_item(const std::string& folder, const CacheItem& item, const LiveFolder* work) {
  bool gone = true;
  for (const std::string& file : item.files) {
    const std::string path = folder + "/" + file;
    if (file.starts_with(kIncludePrefix)) {
      gone = work != nullptr && rename(path.c_str(), (work->path() + "/" + file).c_str()) == 0;
    } else {
      gone = unlink(path.c_str()) == 0 && gone;
    }
  }
  return gone;
}

/// What the ledger says; -1 when it says nothing.
int64_t read_ledger(int ledger) {
  std::array<char, kLineBytes*(kMostLines + 1)> text;
  const ssize_t count = pread(ledger, text.data(), text.size(), 0);
  if (count <= 0 || count % kLineBytes != 0 || static_cast<size_t>(count) == text.size()) {
    return -1;
  }
  int64_t total = 0;
  for (const char* line = text.data(); line < text.data() + count; line += kLineBytes) {
    if (line[kLineBytes - 1] != '\n') {
      return -1;
    }
    total += std::strtoll(line, nullptr, 10);
  }
  return total;
}

bool append_line(int ledger, int64_t bytes) {
  char line[kLineBytes + 8];
  std::snprintf(line, sizeof line, "%015lld\n", static_cast<long long>(bytes % 1000000000000000));
  return write(ledger, line, kLineBytes) == static_cast<ssize_t>(kLineBytes);
}

}  // namespace

std::vector<CacheItem> cache_items(const std::string& parent) { return items_in(cache_folder_of(parent)); }

std::vector<CacheItem> clear_cache(const std::string& parent) {
  const std::string folder = cache_folder_of(parent), temporary = folder + "/tmp";
  std::vector<CacheItem> removed;
  {
    int ignored = 0;
    const std::unique_ptr<LiveFolder> work = LiveFolder::make(temporary, "w-", ignored);
    for (CacheItem& item : items_in(folder)) {
      if (remove_item(folder, item, work.get())) {
        removed.push_back(std::move(item));
      }
    }
  }
  remove_dead(temporary, "w-");
  unlink((folder + kLedger).c_str());
  rmdir(temporary.c_str());  // both only where they are empty now
  rmdir(folder.c_str());
  return removed;
}

void DiskCache::account(int64_t bytes) {
  const int ledger = open((folder_ + kLedger).c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (ledger < 0) {
    return;
  }
  struct stat status{};
  const bool known = fstat(ledger, &status) == 0 && status.st_size > 0 && append_line(ledger, bytes);
  const int64_t total = known ? read_ledger(ledger) : -1;
  // Where there are no locks several may sweep at once.
  if ((total < 0 || total > budget_bytes_) && (flock(ledger, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)) {
    const int64_t left = sweep();  // first: on a full disk nothing can be written before something is deleted
    if (ftruncate(ledger, 0) != 0 || !append_line(ledger, left)) {
      note_write_error(errno);
    }
  }
  close(ledger);
}

int64_t DiskCache::sweep() {
  std::vector<CacheItem> items = items_in(folder_);
  int64_t total = 0;
  for (const CacheItem& item : items) {
    total += item.bytes;
  }
  if (total <= budget_bytes_ || !writable()) {
    return total;
  }
  const std::unique_ptr<LiveFolder> work = begin_write();
  for (; !items.empty() && total > budget_bytes_ / 10 * 8; items.pop_back()) {
    remove_item(folder_, items.back(), work.get());
    total -= items.back().bytes;
  }
  return total;
}

}  // namespace nvfuser
