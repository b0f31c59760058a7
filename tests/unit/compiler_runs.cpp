// SPDX-License-Identifier: Apache-2.0
// At the end of all tests: prints how often they ran a compiler, and adds it to the file NVFUSER_TEST_RUNS.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "nvfuser/backend/module.h"

namespace nvfuser {
namespace {

struct CompilerRuns : testing::Environment {
  void TearDown() override {
    std::cout << "compiler runs: " << compiler_runs() << "\n";
    if (const char* file = std::getenv("NVFUSER_TEST_RUNS")) {
      std::ofstream(file, std::ios::app) << compiler_runs() << " unit_tests\n";
    }
  }
};

const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new CompilerRuns);

}  // namespace
}  // namespace nvfuser
