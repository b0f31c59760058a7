// SPDX-License-Identifier: Apache-2.0
// For tests of backend/: a folder of their own, and options that hold for a scope.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "error_message.h"
#include "nvfuser/base/options.h"

namespace nvfuser {

/// Deleted with all it holds.
struct TestFolder {
  std::string path;
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nvfuser-test-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TestFolder(const TestFolder&) = delete;

  /// Names of the regular files below it that end so.
  std::vector<std::string> files(const std::string& suffix) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file() && entry.path().string().ends_with(suffix)) {
        found.push_back(entry.path());
      }
    }
    return found;
  }

  /// What a disk cache below has left of writes and locks.
  std::vector<std::string> left_over() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.path().parent_path().filename() == "tmp") {
        found.push_back(entry.path());
      }
    }
    return found;
  }
};

}  // namespace nvfuser
