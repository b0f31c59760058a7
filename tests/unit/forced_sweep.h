// SPDX-License-Identifier: Apache-2.0
// Many programs, shapes and schedules that a test forces, compiled as one unit.
#pragma once

#include "forced_run.h"

namespace nvfuser {

struct ForcedSweep {
  std::vector<std::unique_ptr<ForcedRun>> runs;
  std::vector<std::string> titles;
  std::vector<double> tolerances;

  /// `what`: its name, `make`, which builds it from one input, and the tolerance of its results.
  template <class Program>
  void add(const Program& what, const Sizes& sizes, const Params& params, bool gpu) {
    auto made = std::make_shared<KernelCase>();
    what.make(*made, made->input(sizes));
    add(what.name, std::move(made), params, what.tolerance, gpu);
  }
  void add(const std::string& name, std::shared_ptr<const KernelCase> made, const Params& params, double tolerance,
           bool gpu) {
    const Sizes& sizes = made->input_sizes[0];
    titles.push_back(name + " " + std::to_string(sizes[0]) + "x" + std::to_string(sizes[1]) + ", " + params.text());
    runs.push_back(std::make_unique<ForcedRun>(std::move(made), params, gpu, "k" + std::to_string(runs.size())));
    tolerances.push_back(tolerance);
  }
  void compile(Way way) const {
    std::vector<ForcedRun*> all;
    for (const auto& run : runs) {
      all.push_back(run.get());
    }
    compile_runs(all, way);
  }
  void expect_right(uint64_t seed = 1) const {
    for (size_t k = 0; k < runs.size(); ++k) {
      EXPECT_EQ(runs[k]->run(tolerances[k], seed), "") << titles[k];
    }
  }
  /// Compiled and right, with the same bits in two other orders of threads.
  void expect_right_and_stable(Way way) const {
    compile(way);
    expect_right();
    for (size_t k = 0; k < runs.size(); ++k) {
      const std::vector<char> first = runs[k]->results(2);
      EXPECT_EQ(runs[k]->results(3), first) << titles[k] << ": the order of threads decides bits";
    }
  }
};

}  // namespace nvfuser
