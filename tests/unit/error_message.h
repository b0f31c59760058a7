// SPDX-License-Identifier: Apache-2.0
// What a call refuses, and in which words.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "nvfuser/base/errors.h"

namespace nvfuser {

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
