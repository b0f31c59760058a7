// SPDX-License-Identifier: Apache-2.0
// Random legal schedules of random fusions, as text through the compiler into the emulator, against the evaluator.
//   fuzz_schedules [--seed 1] [--count 500] [--unit 125] [--workers 2]
// A schedule that the rules refuse is drawn again and counted; an internal error, a fault, a wrong bit is a failure.
#include <cstdio>
#include <deque>

#include "emulated_run.h"
#include "nvfuser/base/options.h"
#include "random_schedule.h"

namespace nvfuser {
namespace {

struct Drawn {
  uint64_t seed;
  RandomPlan plan;
};

struct Tally {
  int accepted = 0, without = 0, failed = 0, barriers = 0, moves = 0, in_place = 0, shared = 0, forked = 0;
  std::map<std::string, int> refusals;

  void count(const RandomPlan& plan) {
    const Program& program = *plan.program;
    ++accepted;
    barriers += program.has_barrier;
    moves += holds_move(program.body);
    in_place += plan.in_place;
    shared += !program.shared.empty();
    forked += program.kernel->references.size() > 1;
  }
  void fail(const Drawn& drawn, const std::string& problem) {
    ++failed;
    std::printf("FAIL seed %llu: %s\n%s", static_cast<unsigned long long>(drawn.seed), problem.c_str(),
                print_math(*drawn.plan.test.fusion).c_str());
    if (drawn.plan.program) {
      for (const auto& [name, value] : drawn.plan.test.sizes(*drawn.plan.program->kernel)) {
        std::printf("%s = %lld\n", name.c_str(), static_cast<long long>(value));
      }
      std::printf("%s\n%s\n", drawn.plan.program->facts.text().c_str(), to_string(*drawn.plan.program).c_str());
    }
  }
};

void run_all(std::deque<Drawn>& drawn, size_t per_unit, size_t workers, Tally& tally) {
  std::vector<Program*> programs;
  for (Drawn& d : drawn) {
    programs.push_back(&*d.plan.program);
  }
  const auto start = std::chrono::steady_clock::now();
  const std::vector<CompiledKernel> compiled = compile_for_emulator(programs, per_unit, workers);
  std::printf("compiled %zu kernels in %.1f s\n", programs.size(), seconds_since(start));
  for (size_t k = 0; k < drawn.size(); ++k) {
    EmulatedRun run(drawn[k].plan.test, *programs[k]);
    for (uint64_t order = 1; order <= 2 && run.launches(); ++order) {
      if (const std::string problem = run.run(compiled[k].module, compiled[k].kernel, drawn[k].seed + order);
          !problem.empty()) {
        tally.fail(drawn[k], problem);
        break;
      }
    }
  }
}

int fuzz_schedules(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  const auto first = static_cast<uint64_t>(number_option(argc, argv, "seed", 1));
  const auto count = static_cast<uint64_t>(number_option(argc, argv, "count", 500));
  set_option("cache", "0");
  Tally tally;
  std::deque<Drawn> drawn;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Drawn one{seed, draw_plan(seed, tally.refusals, 0)};
    if (!one.plan.problem.empty()) {
      tally.fail(one, one.plan.problem);
    } else if (one.plan.program) {
      tally.count(one.plan);
      drawn.push_back(std::move(one));
    } else {
      ++tally.without;
    }
  }
  std::printf("drew %zu schedules in %.1f s\n", drawn.size(), seconds_since(start));
  run_all(drawn, number_option(argc, argv, "unit", 125), number_option(argc, argv, "workers", 2), tally);
  std::printf(
      "seeds %llu to %llu: %d schedules (%d with barriers, %d shared, %d forked, %d moves, %d in place), %d fusions "
      "without one, %d failed, %.1f s\n",
      static_cast<unsigned long long>(first), static_cast<unsigned long long>(first + count - 1), tally.accepted,
      tally.barriers, tally.shared, tally.forked, tally.moves, tally.in_place, tally.without, tally.failed,
      seconds_since(start));
  for (const auto& [reason, times] : tally.refusals) {
    std::printf("  refused %d times: %s\n", times, reason.c_str());
  }
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace nvfuser

int main(int argc, char** argv) { return nvfuser::fuzz_schedules(argc, argv); }
