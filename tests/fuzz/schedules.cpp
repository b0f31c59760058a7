// SPDX-License-Identifier: Apache-2.0
// Random legal schedules of random fusions, as text through the compiler into the emulator (of CPUs: on the host),
// against the evaluator.  Every other seed takes a family of schedule/ with random Params and withheld Facts.
//   fuzz_schedules [--seed 1] [--count 500] [--seconds 0] [--unit 125] [--workers 2] [--report FILE]
// A schedule that the rules refuse is drawn again and counted; an internal error, a fault, a wrong bit is a failure,
// and so is, from 2,000 seeds on, a family, width or fact that can be reached and never ran.
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>

#include "emulated_run.h"
#include "family_schedule.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

// The host has the evaluator's bits only where the compiler can do without fused multiply-add.
#ifdef __x86_64__
constexpr bool kWithCpu = true;
constexpr const char* kCompiler = "c++ -mno-fma -mno-avx512f -frounding-math";
#else
constexpr bool kWithCpu = false;
constexpr const char* kCompiler = "";
#endif
constexpr uint64_t kCovered = 2000;  ///< seeds that reach every family, width and fact
constexpr uint64_t kRound = 250;     ///< seeds that are drawn before they are compiled

struct Drawn {
  uint64_t seed;
  RandomPlan plan;
  std::optional<Params> params;
};

struct Tally {
  int accepted = 0, without = 0, barriers = 0, moves = 0, in_place = 0, shared = 0, forked = 0, wide = 0, on_host = 0;
  int chains = 0, meetings = 0;  ///< kernels of several programs; whose blocks meet
  std::map<uint64_t, std::string> failures;
  std::map<std::string, int> refusals;
  FamilyCoverage coverage;

  void count(const Drawn& drawn) {
    const Program& program = *drawn.plan.program;
    ++accepted;
    barriers += program.has_barrier;
    moves += holds_move(program.body);
    in_place += drawn.plan.in_place;
    shared += !program.shared.empty();
    forked += program.kernel->references.size() > 1;
    wide += program.wide;
    on_host += program.target == Target::cpu;
    chains += !drawn.plan.later.empty();
    meetings += program.cooperative;
  }
  void fail(const Drawn& drawn, const std::string& problem) {
    failures.emplace(drawn.seed, problem);
    std::printf("FAIL seed %llu: %s\n%s\n%s", static_cast<unsigned long long>(drawn.seed), problem.c_str(),
                drawn.params ? drawn.params->text().c_str() : "", print_math(*drawn.plan.test.fusion).c_str());
    if (drawn.plan.program) {
      for (const auto& [name, value] : drawn.plan.test.sizes(*drawn.plan.program->kernel)) {
        std::printf("%s = %lld\n", name.c_str(), static_cast<long long>(value));
      }
      std::printf("%s\n%s\n", drawn.plan.program->facts.text().c_str(), to_string(*drawn.plan.program).c_str());
      for (const Program& later : drawn.plan.later) {
        std::printf("%s\n", to_string(later).c_str());
      }
    }
    std::fflush(stdout);
  }
};

Drawn draw(uint64_t seed, Tally& tally) {
  Drawn one;
  one.seed = seed;
  if (seed % 2 == 0) {
    FamilyPlan made = draw_family_plan(seed / 2, tally.refusals, kWithCpu);
    one.plan = std::move(made.plan);
    one.params = made.params;
    return one;
  }
  one.plan = draw_plan(seed, tally.refusals, kWithCpu ? 15 : 0);
  if (one.plan.program && seed % 8 == 1) {
    one.plan.program->facts.wide = one.plan.program->wide = true;
  }
  return one;
}

/// A drawn kernel's programs, in their order.
std::vector<Program*> programs_of(Drawn& drawn) {
  std::vector<Program*> found = {&*drawn.plan.program};
  for (Program& later : drawn.plan.later) {
    found.push_back(&later);
  }
  return found;
}

void run_compiled(Drawn& drawn, const std::vector<CompiledKernel>& compiled, Tally& tally) {
  const std::vector<Program*> programs = programs_of(drawn);
  EmulatedRun run(drawn.plan.test, std::vector<const Program*>(programs.begin(), programs.end()));
  const uint64_t orders = drawn.plan.program->target == Target::cpu ? 1 : 2;
  for (uint64_t order = 1; order <= orders && run.launches(); ++order) {
    if (const std::string problem = run.run(compiled, drawn.seed + order); !problem.empty()) {
      tally.fail(drawn, problem);
      return;
    }
    if (!run.semaphores_are_zero()) {
      tally.fail(drawn, "semaphores are left behind");
      return;
    }
  }
  if (drawn.params && run.launches()) {
    tally.coverage.add(*drawn.params, drawn.plan.program->facts, drawn.plan.in_place);
  }
}

void run_target(std::deque<Drawn>& drawn, Target target, size_t per_unit, size_t workers, Tally& tally) {
  std::vector<Program*> programs;
  std::vector<Drawn*> owners;
  for (Drawn& d : drawn) {
    if (d.plan.program->target == target) {
      const std::vector<Program*> mine = programs_of(d);
      programs.insert(programs.end(), mine.begin(), mine.end());
      owners.push_back(&d);
    }
  }
  const Way way = target == Target::cpu ? Way::host : Way::emulator;
  const std::vector<CompiledKernel> compiled = compile_programs(way, programs, per_unit, workers);
  auto next = compiled.begin();
  for (Drawn* owner : owners) {
    const auto first = next;
    next += static_cast<std::ptrdiff_t>(programs_of(*owner).size());
    run_compiled(*owner, {first, next}, tally);
  }
}

void run_round(uint64_t first, uint64_t count, size_t per_unit, size_t workers, Tally& tally) {
  std::deque<Drawn> drawn;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Drawn one = draw(seed, tally);
    if (!one.plan.problem.empty()) {
      tally.fail(one, one.plan.problem);
    } else if (one.plan.program) {
      tally.count(one);
      drawn.push_back(std::move(one));
    } else {
      ++tally.without;
    }
  }
  run_target(drawn, Target::gpu, per_unit, workers, tally);
  run_target(drawn, Target::cpu, per_unit, workers, tally);
  forget_modules();
}

/// What a crew of processes adds up (crew.py).
void write_report(const std::string& path, uint64_t first, uint64_t count, double seconds, const Tally& tally) {
  std::ofstream out(path + ".draft");
  out << "{\"first\": " << first << ", \"count\": " << count << ", \"seconds\": " << seconds << ", \"failures\": {";
  for (const auto& [seed, problem] : tally.failures) {
    std::string line = problem.substr(0, problem.find('\n'));
    std::erase_if(line, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
    out << (seed == tally.failures.begin()->first ? "\"" : ", \"") << seed << "\": \"" << line << "\"";
  }
  out << "}, \"counts\": {\"schedules\": " << tally.accepted << ", \"with barriers\": " << tally.barriers
      << ", \"shared\": " << tally.shared << ", \"forked\": " << tally.forked << ", \"vector moves\": " << tally.moves
      << ", \"several programs\": " << tally.chains << ", \"blocks meet\": " << tally.meetings
      << ", \"in place\": " << tally.in_place << ", \"wide\": " << tally.wide << ", \"on the host\": " << tally.on_host
      << ", \"fusions without one\": " << tally.without << "}, \"coverage\": []}\n";
  out.close();
  std::filesystem::rename(path + ".draft", path);  // a report is whole or not there
}

int fuzz_schedules(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  const auto first = static_cast<uint64_t>(number_option(argc, argv, "seed", 1));
  const auto seconds = static_cast<double>(number_option(argc, argv, "seconds", 0));
  const auto count = static_cast<uint64_t>(number_option(argc, argv, "count", seconds > 0 ? INT64_MAX / 2 : 500));
  const auto unit = number_option(argc, argv, "unit", 125), workers = number_option(argc, argv, "workers", 2);
  set_option("cache", "0");
  set_option("cxx", kCompiler);
  Tally tally;
  uint64_t done = 0;
  while (done < count && (done == 0 || seconds == 0 || seconds_since(start) < seconds)) {
    const uint64_t round = std::min(kRound, count - done);
    run_round(first + done, round, unit, workers, tally);
    done += round;
  }
  std::printf(
      "seeds %llu to %llu: %d schedules (%d with barriers, %d shared, %d forked, %d moves, %d in place, %d wide, %d on "
      "the host, %d of several programs, %d whose blocks meet), %d fusions without one, %zu failed, %.1f s\n",
      static_cast<unsigned long long>(first), static_cast<unsigned long long>(first + done - 1), tally.accepted,
      tally.barriers, tally.shared, tally.forked, tally.moves, tally.in_place, tally.wide, tally.on_host, tally.chains,
      tally.meetings, tally.without, tally.failures.size(), seconds_since(start));
  int refused = 0;
  for (const auto& [reason, times] : tally.refusals) {
    refused += times;
  }
  std::printf("  %d draws were refused by the rules, for %zu reasons\n", refused, tally.refusals.size());
  tally.coverage.print();
  if (const std::string report = text_option(argc, argv, "report"); !report.empty()) {
    write_report(report, first, done, seconds_since(start), tally);
    return 0;
  }
  const std::vector<std::string> missing = tally.coverage.missing(kWithCpu);
  for (const std::string& cell : missing) {
    std::printf("%s never ran: %s\n", done >= kCovered ? "FAIL" : "  ", cell.c_str());
  }
  return tally.failures.empty() && (missing.empty() || done < kCovered) ? 0 : 1;
}

}  // namespace
}  // namespace nvfuser

int main(int argc, char** argv) { return nvfuser::fuzz_schedules(argc, argv); }
