// SPDX-License-Identifier: Apache-2.0
// What the emulator notices: fixed kernels, each with one defect, run as text at several sizes.  A defect is reported
// when a run ends in a fault or a wrong result that names the tensor.  Survivors are listed with the reason.  Exit
// status 1 when less than 99 % of those that can change a result are reported so, or when a kernel without a defect
// fails.
//   fuzz_mutants [--seed 1] [--unit 200] [--workers 2]
#include <algorithm>
#include <cstdio>
#include <deque>
#include <iterator>
#include <regex>

#include "emulated_run.h"
#include "mutations.h"
#include "nvfuser/base/options.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/schedule/schedule.h"
#include "row_cases.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

/// A fusion and a way to schedule it; every mutant lowers it anew.
struct Golden {
  std::string name;
  KernelCase test;
  std::function<void(Kernel&)> schedule;
  std::vector<std::vector<Sizes>> more = {};  ///< further sizes of the inputs, at which the kernel runs too
  bool facts = true;

  std::vector<KernelCase> cases() const {
    std::vector<KernelCase> found = {test};
    for (const std::vector<Sizes>& sizes : more) {
      found.push_back(test);
      found.back().input_sizes = sizes;
    }
    return found;
  }

  Program program() const {
    const std::shared_ptr<Kernel> kernel = test.kernel();
    schedule(*kernel);
    assign_loops(*kernel);
    Facts known = facts ? facts_of(*kernel, test.sizes(*kernel)) : no_facts();
    for (const KernelCase& other : cases()) {
      known = common_facts(known, facts_of(*kernel, other.sizes(*kernel)));
    }
    return lower({kernel, "k", Target::gpu, known, 0, {}});
  }

 private:
  static Facts common_facts(Facts a, const Facts& b) {
    std::erase_if(a.exact, [&](const auto& fact) { return !b.exact.contains(fact); });
    for (auto& [name, divisor] : a.divisors) {
      const auto other = b.divisors.find(name);
      divisor = other == b.divisors.end() ? 1 : std::min(divisor, other->second);
    }
    std::erase_if(a.divisors, [](const auto& fact) { return fact.second == 1; });
    return a;
  }
};

/// A row below, a column to the left and `right` columns to the right.
KernelCase padded_case(int64_t m, int64_t n, int64_t right) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  Fusion& fusion = *test.fusion;
  const auto at = [&](int64_t k) { return fusion.index_constant(k); };
  test.output(
      pad(unary(PointwiseOp::tanh, x), {at(1), at(right), at(0), at(1)}, fusion.constant(0.5, DataType::Float)));
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

Params columns_of(int threads, int lanes, int batch, int vector, Home home) {
  return {
      .family = Family::columns, .threads = threads, .batch = batch, .vector = vector, .lanes = lanes, .home = home};
}

Params rows_of(int threads, int batch, int vector, Home home) {
  return {.family = Family::rows, .threads = threads, .batch = batch, .vector = vector, .home = home};
}

std::vector<Golden> row_kernels() {
  const auto reload = applied(rows_of(64, 2, 4, Home::reload)), kept = applied(rows_of(64, 2, 4, Home::registers));
  const auto single = applied(rows_of(32, 1, 1, Home::reload));
  return {
      {"sum of rows", reduced_case(ReducedForm::sum, 5, 260), reload, {{{9, 700}}}},
      {"sum of rows, a warp, no facts", reduced_case(ReducedForm::sum, 7, 37), single, {{{4, 70}}}, false},
      {"largest of rows", reduced_case(ReducedForm::largest, 5, 260), reload, {{{9, 700}}}},
      {"distance from the largest", reduced_case(ReducedForm::distance, 5, 256), kept, {{{3, 500}}}},
      {"distance from the largest, read again", reduced_case(ReducedForm::distance, 5, 260), reload, {{{9, 700}}}},
      {"sum of distances, no facts", reduced_case(ReducedForm::sum_of_distances, 3, 301), kept, {{{5, 77}}}, false},
      {"scaled beside its sum", reduced_case(ReducedForm::scaled_beside_sum, 4, 260), reload, {{{9, 300}}}},
  };
}

std::vector<Golden> column_kernels() {
  const auto reload = applied(columns_of(64, 8, 2, 4, Home::reload)),
             kept = applied(columns_of(64, 8, 4, 1, Home::registers));
  return {
      {"sum of columns", reduced_case(ReducedForm::sum, 37, 40, 0), reload, {{{70, 44}}}},
      {"largest of columns, no facts", reduced_case(ReducedForm::largest, 19, 37, 0), reload, {{{33, 41}}}, false},
      {"distance from the largest of columns",
       reduced_case(ReducedForm::distance, 29, 37, 0),
       kept,
       {{{32, 11}}},
       false},
  };
}

std::vector<Golden> golden_kernels() {
  const auto by_hand_flat = [](Kernel& kernel) { schedule_flat(kernel, 8, 4); };
  const auto rows = [](Kernel& kernel) { schedule_rows(kernel, 8, 2, 4); };
  const auto transpose = [](int64_t side, int64_t vector, int64_t tiles, bool swizzle, int64_t pad, int64_t group) {
    return [=](Kernel& kernel) { schedule_transpose(kernel, side, vector, tiles, swizzle, pad, group); };
  };
  return {
      {"bias, flat, whole vectors", BiasCase(6, 20), by_hand_flat, {{{23, 20}, {20}}}},
      {"bias, flat, no facts", BiasCase(5, 13), by_hand_flat, {{{12, 19}, {19}}}, false},
      {"bias, rows, whole vectors", BiasCase(5, 36), rows, {{{8, 68}, {68}}}},
      {"bias, rows, no facts", BiasCase(5, 37), rows, {{{8, 70}, {70}}}, false},
      {"bias, family flat", BiasCase(7, 24), applied(flat(32, 2, 4)), {{{23, 24}, {24}}, {{28, 24}, {24}}}},
      {"bias, family flat, double", BiasCase(7, 10, DataType::Double), applied(flat(32, 1, 2)), {{{19, 10}, {10}}}},
      {"transpose, one tile", TransposeCase(9, 10), transpose(4, 1, 1, false, 1, 1), {{{18, 21}}}},
      {"transpose, two tiles", TransposeCase(17, 33), transpose(8, 2, 2, false, 1, 1)},
      {"transpose, two tiles, no pad", TransposeCase(16, 40), transpose(8, 4, 2, false, 0, 1)},
      {"transpose, swizzle", TransposeCase(20, 24), transpose(8, 2, 2, true, 0, 2)},
      {"transpose, swizzle, no facts", TransposeCase(19, 23), transpose(8, 1, 2, true, 0, 1), {}, false},
      {"transpose, family tile", TransposeCase(40, 36), applied(tiled(64, 16, 4, 4))},
      {"transpose, family tile, odd", TransposeCase(37, 41), applied(tiled(64, 16, 1, 1)), {}, false},
      {"square and its transpose", square_case(21), applied(tiled(64, 16, 1, 1))},
      {"pad", padded_case(6, 9, 2), applied(flat(32, 1, 1)), {{{13, 10}}}},
      {"pad, two values a thread", padded_case(7, 8, 0), applied(flat(32, 1, 2)), {{{13, 10}}, {{12, 13}}}, false},
      {"cat", joined_case(5, 7), applied(flat(32, 1, 1)), {{{11, 8}, {11, 8}}}},
      {"outer difference", outer_case(9, 14), applied(flat(32, 2, 2)), {{{31}, {14}}, {{37}, {14}}}},
      {"reshape", reshaped_case(6, 10), applied(flat(32, 1, 4))},
      {"iota", counted_case(5, 11), applied(flat(32, 1, 1)), {{{9, 17}}}, false},
  };
}

struct Mutant {
  const Golden* golden;
  std::optional<Defect> defect;  ///< none: the kernel as it is
  int site;
  Program program;
  std::string reason;  ///< why the defect changes nothing; empty where it should
};

struct Count {
  int fault = 0, wrong = 0, unnamed = 0, survived = 0;
  int harmless = 0;  ///< survivors that cannot change what is stored
  int total() const { return fault + wrong + unnamed + survived; }
  int named() const { return fault + wrong; }
};

std::deque<Mutant> make_mutants(const std::vector<Golden>& goldens) {
  std::deque<Mutant> mutants;
  for (const Golden& golden : goldens) {
    mutants.push_back({&golden, std::nullopt, 0, golden.program(), ""});
    for (size_t defect = 0; defect < kDefectNames.size(); ++defect) {
      for (int site = 0;; ++site) {
        Mutant mutant{&golden, static_cast<Defect>(defect), site, golden.program(), ""};
        Mutation mutation(mutant.program, *mutant.defect, site);
        if (!mutation.apply()) {
          break;
        }
        mutant.reason = mutation.why_harmless();
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

/// What the first run that goes wrong says; empty when all are right.
std::string run_sizes(const Mutant& mutant, const CompiledKernel& kernel, uint64_t seed) {
  for (const KernelCase& test : mutant.golden->cases()) {
    EmulatedRun run(test, mutant.program);
    for (uint64_t order = 0; order < 3; ++order) {
      if (const std::string problem = run.run(kernel.module, kernel.kernel, seed + order); !problem.empty()) {
        return problem;
      }
    }
  }
  return "";
}

void print_table(const std::array<Count, kDefectNames.size()>& counts, const Count& all) {
  std::printf("%-22s %8s %8s %8s %10s %10s\n", "defect", "mutants", "faults", "wrong", "no tensor", "survivors");
  const auto line = [](const char* name, const Count& c) {
    std::printf("%-22s %8d %8d %8d %10d %10d\n", name, c.total(), c.fault, c.wrong, c.unnamed, c.survived);
  };
  for (size_t k = 0; k < counts.size(); ++k) {
    line(kDefectNames[k], counts[k]);
  }
  line("all", all);
}

/// Counts a mutant by what its runs said.
void judge(const Mutant& mutant, const std::string& problem, Count& count) {
  const bool wrong = problem.starts_with("wrong result");
  const char* const defect = kDefectNames[static_cast<size_t>(*mutant.defect)];
  if (problem.empty()) {
    ++count.survived;
    const bool explained = !mutant.reason.empty();
    count.harmless += explained;
    std::printf("SURVIVOR %s: %s, site %d: %s\n%s", mutant.golden->name.c_str(), defect, mutant.site,
                explained ? mutant.reason.c_str() : "no reason known",
                explained ? "" : to_string(mutant.program).c_str());
  } else if (!names_tensor(problem)) {
    ++count.unnamed;
    std::printf("NO TENSOR %s: %s, site %d: %s\n", mutant.golden->name.c_str(), defect, mutant.site, problem.c_str());
  } else {
    ++(wrong ? count.wrong : count.fault);
  }
}

Count sum(const std::array<Count, kDefectNames.size()>& counts) {
  Count all;
  for (const Count& c : counts) {
    all = {all.fault + c.fault, all.wrong + c.wrong, all.unnamed + c.unnamed, all.survived + c.survived,
           all.harmless + c.harmless};
  }
  return all;
}

int fuzz_mutants(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  const auto seed = static_cast<uint64_t>(number_option(argc, argv, "seed", 1));
  set_option("cache", "0");
  std::vector<Golden> goldens = golden_kernels();
  std::ranges::move(row_kernels(), std::back_inserter(goldens));
  std::ranges::move(column_kernels(), std::back_inserter(goldens));
  std::deque<Mutant> mutants = make_mutants(goldens);
  std::vector<Program*> programs;
  for (Mutant& mutant : mutants) {
    programs.push_back(&mutant.program);
  }
  const std::vector<CompiledKernel> compiled =
      compile_for_emulator(programs, number_option(argc, argv, "unit", 200), number_option(argc, argv, "workers", 2));
  std::printf("compiled %zu kernels in %.1f s\n", programs.size(), seconds_since(start));
  std::array<Count, kDefectNames.size()> counts;
  int broken = 0;
  for (size_t k = 0; k < mutants.size(); ++k) {
    const Mutant& mutant = mutants[k];
    const std::string problem = run_sizes(mutant, compiled[k], seed);
    if (mutant.defect) {
      judge(mutant, problem, counts[static_cast<size_t>(*mutant.defect)]);
    } else if (!problem.empty()) {
      ++broken;
      std::printf("FAIL %s: %s\n%s", mutant.golden->name.c_str(), problem.c_str(), to_string(mutant.program).c_str());
    }
  }
  const Count all = sum(counts);
  print_table(counts, all);
  const double share = 100.0 * all.named() / std::max(1, all.total() - all.harmless);
  std::printf(
      "%zu kernels, %d mutants, %d of which change nothing; %.2f %% of the others (%.2f %% of all) reported with "
      "the tensor's name; seed %llu, %.1f s\n",
      goldens.size(), all.total(), all.harmless, share, 100.0 * all.named() / std::max(1, all.total()),
      static_cast<unsigned long long>(seed), seconds_since(start));
  return broken == 0 && share >= 99.0 ? 0 : 1;
}

}  // namespace
}  // namespace nvfuser

int main(int argc, char** argv) { return nvfuser::fuzz_mutants(argc, argv); }
