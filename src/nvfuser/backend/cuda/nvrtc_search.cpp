// SPDX-License-Identifier: Apache-2.0
// The search order as tables of folders, and versions compared as numbers.
#include "nvfuser/backend/cuda/nvrtc_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "nvfuser/backend/module.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

namespace fs = std::filesystem;

/// Below a registered folder: itself, NVIDIA's packages for CUDA 13 and before, torch's own copy.
constexpr const char* kPackageFolders[] = {"", "nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib", "torch/lib"};
constexpr const char* kToolkitVariables[] = {"CUDA_HOME", "CUDA_PATH"};
constexpr const char* kToolkitFolders[] = {"lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"};
constexpr int kNewestMajor = 14, kOldestMajor = 12;
constexpr const char* kSystemFolders[] = {"/usr/local/cuda/lib64", "/usr/lib/x86_64-linux-gnu",
                                          "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/opt/cuda/lib64"};

struct Registered {
  LeafMutex mutex;
  std::vector<std::string> folders;
};

Registered& registered() {
  static Registered& instance = *new Registered;
  return instance;
}

/// The numbers of a file name: "libnvrtc.so.13.0.88" gives 13, 0, 88.
std::vector<long> version_of(const std::string& path) {
  std::vector<long> numbers;
  const std::string name = path.substr(path.rfind('/') + 1);
  size_t at = name.find(".so");
  while (at != std::string::npos && (at = name.find_first_of("0123456789", at)) != std::string::npos) {
    numbers.push_back(std::strtol(name.c_str() + at, nullptr, 10));
    at = name.find('.', at);
  }
  return numbers;
}

std::vector<std::string> files_with_prefix(const std::string& folder, const std::string& prefix) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    // ".alt" files are a second build of the same version, for the use of NVRTC itself.
    if (name.starts_with(prefix) && name.find(".so") != std::string::npos && name.find(".alt.") == std::string::npos) {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end(), [](const std::string& a, const std::string& b) {
    const std::vector<long> left = version_of(a), right = version_of(b);
    return left != right ? left > right : a < b;
  });
  return files;
}

void add_folder(std::vector<LibraryCandidate>& candidates, const std::string& folder, const std::string& origin) {
  for (std::string& file : nvrtc_files_in(folder)) {
    candidates.push_back({std::move(file), origin});
  }
}

}  // namespace

void add_library_folder(const std::string& path) {
  Registered& known = registered();
  const std::lock_guard lock(known.mutex);
  if (std::find(known.folders.begin(), known.folders.end(), path) == known.folders.end()) {
    known.folders.push_back(path);
  }
}

std::vector<std::string> nvrtc_files_in(const std::string& folder) {
  std::vector<std::string> files = files_with_prefix(folder, "libnvrtc");
  std::erase_if(files, [](const std::string& file) { return file.find("libnvrtc-builtins") != std::string::npos; });
  return files;
}

std::vector<std::string> nvrtc_builtins_beside(const std::string& library) {
  if (library.find('/') == std::string::npos) {
    return {};
  }
  return files_with_prefix(library.substr(0, library.rfind('/')), "libnvrtc-builtins");
}

std::string nvrtc_search_state() {
  std::string state = options().nvrtc;
  for (const char* variable : kToolkitVariables) {
    const char* value = std::getenv(variable);
    state += "\n" + std::string(value ? value : "");
  }
  Registered& known = registered();
  const std::lock_guard lock(known.mutex);
  for (const std::string& folder : known.folders) {
    state += "\n" + folder;
  }
  return state;
}

std::vector<LibraryCandidate> nvrtc_candidates() {
  std::vector<LibraryCandidate> candidates;
  const std::string chosen = options().nvrtc;
  if (!chosen.empty()) {
    std::error_code ignored;
    if (!fs::is_directory(chosen, ignored)) {
      return {{chosen, "NVFUSER_NVRTC"}};
    }
    add_folder(candidates, chosen, "NVFUSER_NVRTC");
    return candidates;
  }
  std::vector<std::string> folders;
  {
    Registered& known = registered();
    const std::lock_guard lock(known.mutex);
    folders = known.folders;
  }
  for (const char* below : kPackageFolders) {
    for (const std::string& folder : folders) {
      add_folder(candidates, folder + "/" + below, "Python's packages");
    }
  }
  for (const char* variable : kToolkitVariables) {
    const char* value = std::getenv(variable);
    if (!value || !*value) {
      continue;
    }
    for (const char* below : kToolkitFolders) {
      add_folder(candidates, std::string(value) + "/" + below, variable);
    }
  }
  for (int major = kNewestMajor; major >= kOldestMajor; --major) {
    candidates.push_back({"libnvrtc.so." + std::to_string(major), "the loader's path"});
  }
  for (const char* folder : kSystemFolders) {
    add_folder(candidates, folder, "the system's folders");
  }
  return candidates;
}

}  // namespace nvfuser
