// SPDX-License-Identifier: Apache-2.0
// For tests of backend/: a folder of their own, and options that hold for a scope.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "nvfuser/base/errors.h"
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
};

/// The message of the Error of this kind that `call` throws; a failed test and "" otherwise.
template <class Call>
std::string message_of(ErrorKind kind, Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace nvfuser
