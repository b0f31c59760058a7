// SPDX-License-Identifier: Apache-2.0
// Runs a program without a shell and captures what it prints.  The host compiler is the only program that is run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nvfuser {

struct ProcessResult {
  int exit_code = -1;      ///< 128 + signal when a signal ended it; -1: it did not start or its status is unknown
  bool timed_out = false;  ///< the whole process group was killed
  std::string error;       ///< why it did not start
  std::string out;         ///< stdout
  std::string err;         ///< stderr

  bool ok() const { return exit_code == 0 && !timed_out; }
};

/// argv[0] is the path of the program; stdin is empty.  The program gets its own process group, so that a compiler's
/// own children end with it.  `temporary`: where it puts files that it deletes itself unless it is killed.  Throws
/// Interrupted when this program asks for that: the group is killed then.
ProcessResult run_process(const std::vector<std::string>& argv, double timeout_seconds,
                          const std::string& temporary = {});

/// The first executable file of this name on PATH, or `name` itself when it has a slash; empty when there is none.
std::string find_program(std::string_view name);

}  // namespace nvfuser
