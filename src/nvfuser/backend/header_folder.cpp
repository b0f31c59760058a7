// SPDX-License-Identifier: Apache-2.0
// Written once per content; checked once per process and folder.
#include "nvfuser/backend/header_folder.h"

#include <filesystem>
#include <map>
#include <mutex>

#include "nvfuser/backend/disk_cache.h"
#include "nvfuser/backend/live_folder.h"
#include "nvfuser/backend/private_file.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"

namespace nvfuser {
namespace {

std::string write_to_scratch(const std::string& name, Flavor flavor) {
  const std::string folder = scratch_folder() + "/" + name;
  for (const auto& [file, text] : device_headers(flavor)) {
    const std::filesystem::path path = folder + "/" + std::string(file);
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    std::filesystem::remove(path, ignored);
    check(write_private_file(path, text) == 0, ErrorKind::compile, "cannot write ", path.string());
  }
  return folder;
}

}  // namespace

Hash128 device_header_hash(Flavor flavor) {
  static LeafMutex& mutex = *new LeafMutex;
  static auto& known = *new std::map<Flavor, Hash128>;
  const std::lock_guard lock(mutex);
  auto [entry, is_new] = known.try_emplace(flavor);
  if (is_new) {
    Hasher hasher;
    for (const auto& [name, text] : device_headers(flavor)) {
      hasher.add(name).add(text);
    }
    entry->second = hasher.value128();
  }
  return entry->second;
}

std::string header_folder(Flavor flavor) {
  static auto& guarded = *new LongGuarded<std::map<std::string, std::string>>;  // by the folder where they would stand
  const std::string name = "include-" + device_header_hash(flavor).hex();
  const std::shared_ptr<DiskCache> cache = disk_cache();
  const std::string base = cache->folder().empty() ? scratch_folder() : cache->folder();
  const auto known = guarded.lock();
  std::string& folder = (*known)[base + "/" + name];
  std::error_code ignored;
  if (folder.empty() || !std::filesystem::exists(folder + "/rt", ignored)) {
    std::vector<std::pair<std::string, std::string_view>> files;
    for (const auto& [file, text] : device_headers(flavor)) {
      files.emplace_back(file, text);
    }
    folder = cache->store_folder(name, files);
    if (folder.empty()) {
      folder = write_to_scratch(name, flavor);
    }
  }
  return folder;
}

}  // namespace nvfuser
