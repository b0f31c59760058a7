// SPDX-License-Identifier: Apache-2.0
// What the emulator notices: fixed kernels, each with one defect, run as text.  A defect is reported when the run ends
// in a fault or a wrong result; survivors are printed.  Exit status 1 below 99 %.
//   fuzz_mutants [--unit 200] [--workers 2]
#include <cstdio>
#include <deque>
#include <regex>

#include "emulated_run.h"
#include "mutations.h"
#include "nvfuser/base/options.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

/// A fusion and a way to schedule it; every mutant lowers it anew.
struct Golden {
  std::string name;
  KernelCase test;
  std::function<void(Kernel&)> schedule;
  bool facts = true;

  Program program() const {
    const std::shared_ptr<Kernel> kernel = test.kernel();
    schedule(*kernel);
    return lowered(test, kernel, facts);
  }
};

KernelCase padded_case(int64_t m, int64_t n) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  Fusion& fusion = *test.fusion;
  const auto at = [&](int64_t k) { return fusion.index_constant(k); };
  test.output(pad(unary(PointwiseOp::tanh, x), {at(1), at(2), at(0), at(1)}, fusion.constant(0.5, DataType::Float)));
  return test;
}

KernelCase joined_case(int64_t m, int64_t n) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  TensorView* y = test.input({m, n});
  test.output(cat({x, unary(PointwiseOp::neg, y)}, 1));
  return test;
}

KernelCase outer_case(int64_t m, int64_t n) {
  KernelCase test;
  TensorView* a = test.input({m});
  TensorView* b = test.input({n});
  test.output(binary(PointwiseOp::sub, broadcast(a, {false, true}), broadcast(b, {true, false})));
  return test;
}

KernelCase square_case(int64_t n) {
  KernelCase test;
  TensorView* x = test.input({n, n});
  test.output(binary(PointwiseOp::sub, x, permute(x, {1, 0})));
  return test;
}

KernelCase reshaped_case(int64_t m, int64_t n) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  Val* all = test.fusion->index_constant(m * n);
  test.output(unary(PointwiseOp::neg, reshape(x, {all})));
  return test;
}

KernelCase counted_case(int64_t m, int64_t n) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  auto* count = static_cast<TensorView*>(cast(iota(x->logical()[1]->extent()), DataType::Float));
  test.output(binary(PointwiseOp::mul, x, broadcast(count, {true, false})));
  return test;
}

std::function<void(Kernel&)> applied(Params params) {
  return [params](Kernel& kernel) { apply(kernel, params); };
}

Params flat(int threads, int batch, int vector) {
  return {.family = Family::flat, .threads = threads, .batch = batch, .vector = vector};
}

Params tiled(int threads, int tile, int vector, int other) {
  return {
      .family = Family::tile, .threads = threads, .batch = 1, .vector = vector, .vector_other = other, .tile = tile};
}

std::vector<Golden> golden_kernels() {
  const auto by_hand_flat = [](Kernel& kernel) { schedule_flat(kernel, 8, 4); };
  const auto rows = [](Kernel& kernel) { schedule_rows(kernel, 8, 2, 4); };
  const auto transpose = [](int64_t side, int64_t vector, int64_t tiles, bool swizzle, int64_t pad, int64_t group) {
    return [=](Kernel& kernel) { schedule_transpose(kernel, side, vector, tiles, swizzle, pad, group); };
  };
  return {
      {"bias, flat, whole vectors", BiasCase(6, 20), by_hand_flat},
      {"bias, flat, no facts", BiasCase(5, 13), by_hand_flat, false},
      {"bias, rows, whole vectors", BiasCase(5, 36), rows},
      {"bias, rows, no facts", BiasCase(5, 37), rows, false},
      {"bias, family flat", BiasCase(7, 24), applied(flat(32, 2, 4))},
      {"bias, family flat, double", BiasCase(7, 10, DataType::Double), applied(flat(32, 1, 2))},
      {"transpose, one tile", TransposeCase(9, 10), transpose(4, 1, 1, false, 1, 1)},
      {"transpose, two tiles", TransposeCase(17, 33), transpose(8, 2, 2, false, 1, 1)},
      {"transpose, two tiles, no pad", TransposeCase(16, 40), transpose(8, 4, 2, false, 0, 1)},
      {"transpose, swizzle", TransposeCase(20, 24), transpose(8, 2, 2, true, 0, 2)},
      {"transpose, swizzle, no facts", TransposeCase(19, 23), transpose(8, 1, 2, true, 0, 1), false},
      {"transpose, family tile", TransposeCase(40, 36), applied(tiled(64, 16, 4, 4))},
      {"transpose, family tile, odd", TransposeCase(37, 41), applied(tiled(64, 16, 1, 1)), false},
      {"square and its transpose", square_case(21), applied(tiled(64, 16, 1, 1))},
      {"pad", padded_case(6, 9), applied(flat(32, 1, 1))},
      {"pad, two values a thread", padded_case(7, 9), applied(flat(32, 1, 2)), false},
      {"cat", joined_case(5, 7), applied(flat(32, 1, 1))},
      {"outer difference", outer_case(9, 14), applied(flat(32, 2, 2))},
      {"reshape", reshaped_case(6, 10), applied(flat(32, 1, 4))},
      {"iota", counted_case(5, 11), applied(flat(32, 1, 1)), false},
  };
}

struct Mutant {
  const Golden* golden;
  std::optional<Defect> defect;  ///< none: the kernel as it is
  int site;
  Program program;
};

struct Count {
  int named = 0, other_fault = 0, wrong = 0, survived = 0;
  int total() const { return named + other_fault + wrong + survived; }
};

std::deque<Mutant> make_mutants(const std::vector<Golden>& goldens) {
  std::deque<Mutant> mutants;
  for (const Golden& golden : goldens) {
    mutants.push_back({&golden, std::nullopt, 0, golden.program()});
    for (size_t defect = 0; defect < kDefectNames.size(); ++defect) {
      for (int site = 0;; ++site) {
        Mutant mutant{&golden, static_cast<Defect>(defect), site, golden.program()};
        if (!Mutation(mutant.program, *mutant.defect, site).apply()) {
          break;
        }
        mutants.push_back(std::move(mutant));
      }
    }
  }
  return mutants;
}

/// Does a message name the tensor that it is about?
bool names_tensor(const std::string& message) {
  static const std::regex pattern("\\b(in|out|T)[0-9]+(_[a-z]+)?\\[");
  return std::regex_search(message, pattern);
}

std::string run_orders(EmulatedRun& run, const CompiledKernel& kernel) {
  for (uint64_t order = 1; order <= 3; ++order) {
    if (const std::string problem = run.run(kernel.module, kernel.kernel, order); !problem.empty()) {
      return problem;
    }
  }
  return "";
}

void print_table(const std::array<Count, kDefectNames.size()>& counts, const Count& all) {
  std::printf("%-22s %8s %14s %12s %8s %10s\n", "defect", "mutants", "tensor named", "other fault", "wrong",
              "survivors");
  const auto line = [](const char* name, const Count& c) {
    std::printf("%-22s %8d %14d %12d %8d %10d\n", name, c.total(), c.named, c.other_fault, c.wrong, c.survived);
  };
  for (size_t k = 0; k < counts.size(); ++k) {
    line(kDefectNames[k], counts[k]);
  }
  line("all", all);
}

int fuzz_mutants(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  set_option("cache", "0");
  const std::vector<Golden> goldens = golden_kernels();
  std::deque<Mutant> mutants = make_mutants(goldens);
  std::vector<Program*> programs;
  for (Mutant& mutant : mutants) {
    programs.push_back(&mutant.program);
  }
  const std::vector<CompiledKernel> compiled =
      compile_for_emulator(programs, number_option(argc, argv, "unit", 200), number_option(argc, argv, "workers", 2));
  std::printf("compiled %zu kernels in %.1f s\n", programs.size(), seconds_since(start));
  std::array<Count, kDefectNames.size()> counts;
  Count all;
  int broken = 0;
  for (size_t k = 0; k < mutants.size(); ++k) {
    const Mutant& mutant = mutants[k];
    EmulatedRun run(mutant.golden->test, mutant.program);
    const std::string problem = run_orders(run, compiled[k]);
    if (!mutant.defect) {
      broken += !problem.empty();
      std::printf("%s%s\n", problem.empty() ? "" : ("FAIL " + mutant.golden->name + ": " + problem + "\n").c_str(),
                  problem.empty() ? "" : to_string(mutant.program).c_str());
      continue;
    }
    const bool wrong = problem.starts_with("wrong result");
    int Count::* kind = problem.empty()         ? &Count::survived
                        : wrong                 ? &Count::wrong
                        : names_tensor(problem) ? &Count::named
                                                : &Count::other_fault;
    ++(counts[static_cast<size_t>(*mutant.defect)].*kind);
    ++(all.*kind);
    if (problem.empty()) {
      std::printf("SURVIVOR %s: %s, site %d\n%s\n", mutant.golden->name.c_str(),
                  kDefectNames[static_cast<size_t>(*mutant.defect)], mutant.site, to_string(mutant.program).c_str());
    }
  }
  print_table(counts, all);
  const double share = 100.0 * (all.total() - all.survived) / std::max(1, all.total());
  std::printf("%zu kernels, %d mutants, %.2f %% reported, %.1f s\n", goldens.size(), all.total(), share,
              seconds_since(start));
  return broken == 0 && share >= 99.0 ? 0 : 1;
}

}  // namespace
}  // namespace nvfuser

int main(int argc, char** argv) { return nvfuser::fuzz_mutants(argc, argv); }
