// SPDX-License-Identifier: Apache-2.0
// Random fusions under the families of schedule/, with Params that choose might not hand out and Facts of which some
// are withheld: a kernel serves every call whose facts include its own, so any of them may be missing.
#pragma once

#include <array>
#include <cstdio>
#include <iterator>
#include <string>

#include "nvfuser/runtime/group_compiler.h"
#include "nvfuser/schedule/schedule.h"
#include "random_schedule.h"
#include "row_cases.h"

namespace nvfuser {

/// x + y.t(), or y.t() alone: tiles.
inline KernelCase turned_case(Dice& dice) {
  KernelCase test;
  const std::vector<int64_t> sides = {8, 16, 24, 32, 48, 64, 17, 33, 40};
  const int64_t m = dice.pick(sides), n = dice.pick(sides);
  TensorView* y = permute(test.input({n, m}), {1, 0});
  test.output(dice.chance(60) ? binary(PointwiseOp::add, test.input({m, n}), y) : unary(PointwiseOp::relu, y));
  return test;
}

/// Rows of round sizes with a bias, or without: full tiles and wide vectors.
inline KernelCase regular_case(Dice& dice) {
  KernelCase test;
  const int64_t m = dice.pick<int64_t>({4, 16, 32}), n = dice.pick<int64_t>({64, 128, 256});
  TensorView* x = test.input({m, n});
  TensorView* y = dice.chance(50) ? broadcast(test.input({n}), {true, false}) : test.input({m, n});
  test.output(unary(PointwiseOp::relu, binary(PointwiseOp::sub, x, y)));
  return test;
}

/// Rows that are reduced: shorter and longer than teams, of lengths that vectors divide and not.
inline KernelCase reduced_case(Dice& dice, int64_t axis) {
  const int64_t kept = dice.pick<int64_t>({1, 3, 8, 16, 33, 64}),
                reduced = dice.pick<int64_t>({1, 7, 32, 33, 64, 128, 256, 256, 500, 512});
  const auto form = static_cast<ReducedForm>(dice.between(0, kReducedForms - 1));
  return axis == 1 ? reduced_case(form, kept, reduced, axis) : reduced_case(form, reduced, kept, axis);
}

/// Rows that blocks or tasks share: few and long ones, or columns of many rows.
inline KernelCase shared_case(Dice& dice, int64_t axis) {
  const int64_t kept = dice.pick<int64_t>({1, 2, 3, 5}),
                reduced = dice.pick<int64_t>({7, 129, 500, 512, 1024, 1031, 1536});
  const int64_t wide = dice.pick<int64_t>({4, 7, 16, 33, 64}), deep = dice.pick<int64_t>({3, 31, 64, 129, 200});
  const auto form = static_cast<ReducedForm>(dice.between(0, kReducedForms - 1));
  return axis == 1 ? reduced_case(form, kept, reduced, axis) : reduced_case(form, deep, wide, axis);
}

/// Rows that are reduced along them and across them.
inline KernelCase mixed_case(Dice& dice) {
  return mixed_case(static_cast<MixedForm>(dice.between(0, kMixedForms - 1)), dice.pick<int64_t>({1, 3, 8, 12, 33, 64}),
                    dice.pick<int64_t>({7, 32, 64, 65, 128, 200}));
}

/// What is done with the facts that hold.
enum class FactUse : uint8_t { all, none, wide, some };

/// How what several blocks or tasks know of a row becomes one; `team`: they keep it in registers, and take turns.
enum class Sharing : uint8_t { second, dependent, last, barrier, team, none };

/// Seeds go through families, vector widths, uses of facts and ways to share in turn, so a few hundred of them leave
/// nothing out.
struct FamilyTurn {
  Family family;
  int vector;
  FactUse facts;
  Sharing sharing;
};

/// Of families whose kernels blocks or tasks may share.
inline Sharing sharing_of(Family family, uint64_t turn) {
  constexpr Sharing kRows[] = {Sharing::none, Sharing::second,  Sharing::dependent, Sharing::none,
                               Sharing::last, Sharing::barrier, Sharing::team},
                    kColumns[] = {Sharing::none, Sharing::second,  Sharing::dependent, Sharing::none,
                                  Sharing::last, Sharing::barrier, Sharing::none},
                    kMixed[] = {Sharing::second,    Sharing::dependent, Sharing::second,   Sharing::dependent,
                                Sharing::dependent, Sharing::second,    Sharing::dependent};
  const uint64_t at = turn % std::size(kRows);
  switch (family) {
    case Family::rows:
    case Family::cpu_rows:
      return kRows[at];
    case Family::columns:
    case Family::cpu_columns:
      return kColumns[at];
    case Family::mixed:
    case Family::cpu_mixed:
      return kMixed[at];
    default:
      return Sharing::none;
  }
}

inline FamilyTurn family_turn(uint64_t seed, bool with_cpu) {
  constexpr Family kGpu[] = {Family::flat, Family::tile, Family::rows, Family::columns, Family::mixed},
                   kAll[] = {Family::flat,     Family::tile,        Family::rows,      Family::columns,
                             Family::mixed,    Family::flat,        Family::tile,      Family::rows,
                             Family::columns,  Family::mixed,       Family::cpu_flat,  Family::cpu_tile,
                             Family::cpu_rows, Family::cpu_columns, Family::cpu_mixed, Family::flat,
                             Family::tile};
  constexpr FactUse kUses[] = {FactUse::all, FactUse::none, FactUse::wide, FactUse::all, FactUse::some};
  const uint64_t families = with_cpu ? std::size(kAll) : std::size(kGpu), rest = seed / families;
  const Family family = with_cpu ? kAll[seed % families] : kGpu[seed % families];
  return {family, 1 << rest % 5, kUses[rest / 5 % std::size(kUses)], sharing_of(family, rest / 5)};
}

/// Blocks of a GPU that share rows or strips of columns.
inline void draw_sharing(Dice& dice, Sharing sharing, Params& params) {
  const bool team = sharing == Sharing::team;
  params.finish = team ? GridFinish::barrier : static_cast<GridFinish>(sharing);
  params.blocks = dice.pick<int>({2, 3, 4, 6, 8});
  params.home = team ? Home::registers : Home::reload;
  params.grid = team ? dice.pick<int>({1, 2, 3}) : 0;
  params.peel = params.vector > 1 && dice.chance(20);
}

inline Params draw_params(Dice& dice, const FamilyTurn& turn) {
  Params params{.family = turn.family, .threads = 1};
  switch (turn.family) {
    case Family::flat:
      params.threads = dice.pick<int>({32, 64});
      params.batch = dice.pick<int>({1, 1, 2, 4});
      params.vector = turn.vector;
      break;
    case Family::tile:
      params.threads = dice.pick<int>({16, 32, 64});
      params.tile = dice.pick<int>({16, 32});
      params.vector = turn.vector;
      params.vector_other = dice.pick<int>({1, 2, 4, 8, 16});
      break;
    case Family::cpu_flat:
      params.task = dice.pick<int64_t>({16, 64, 128, 512});
      params.stream = dice.chance(50);
      break;
    case Family::cpu_tile:
      params.tile = dice.pick<int>({4, 8, 16});
      break;
    case Family::rows:
      params.threads = dice.pick<int>({32, 64, 128});
      params.batch = dice.pick<int>({1, 2, 4});
      params.vector = std::min(turn.vector, 8);
      params.home = dice.chance(50) ? Home::registers : Home::reload;
      break;
    case Family::cpu_rows:
      params.task = dice.pick<int64_t>({16, 64, 512});
      params.piece = turn.sharing == Sharing::none ? 0 : dice.pick<int64_t>({64, 128, 512});
      break;
    case Family::columns:
      params.lanes = dice.pick<int>({4, 8, 16, 32});
      params.threads = params.lanes * dice.pick<int>({1, 2, 4, 8});
      params.batch = dice.pick<int>({1, 2, 4});
      params.vector = std::min(turn.vector, 8);
      params.home = dice.chance(80) ? Home::registers : Home::reload;  // shared ones are read again
      if (params.home == Home::registers && dice.chance(50)) {
        params.threads = params.lanes * 16;  // more of the columns fit
        params.batch = 8;
      }
      break;
    case Family::cpu_columns:
      params.task = dice.pick<int64_t>({16, 64, 128});
      params.piece = turn.sharing == Sharing::none ? 0 : dice.pick<int64_t>({16, 64, 128});
      break;
    case Family::mixed:
      params.rows = dice.pick<int>({1, 1, 2});
      params.threads = params.rows * dice.pick<int>({32, 64});
      params.batch = dice.pick<int>({1, 2, 4});
      params.vector = std::min(turn.vector, 8);
      params.unroll = dice.pick<int>({1, 1, 2});
      params.grid = dice.pick<int>({1, 2, 3, 4, 8});
      params.home = Home::registers;
      params.finish = static_cast<GridFinish>(turn.sharing);
      params.peel = params.vector > 1 && params.grid % params.vector == 0 && dice.chance(30);
      params.hold = dice.chance(50);
      break;
    case Family::cpu_mixed:
      params.task = dice.pick<int64_t>({16, 64, 128});
      params.batch = dice.pick<int>({1, 2, 4});
      params.piece = dice.pick<int64_t>({1, 4, 16});
      break;
  }
  if (turn.sharing != Sharing::none && (turn.family == Family::rows || turn.family == Family::columns)) {
    draw_sharing(dice, turn.sharing, params);
  }
  const int wave = params.threads * std::max(params.vector, params.vector_other);
  return turn.family == Family::tile && params.tile * params.tile % wave != 0 ? draw_params(dice, turn) : params;
}

inline Facts used_facts(Facts facts, FactUse use, Dice& dice) {
  const auto drop = [&] { return use == FactUse::none || (use == FactUse::some && dice.chance(40)); };
  if (drop()) {
    facts.exact.clear();
  }
  if (drop()) {
    facts.divisors.clear();
  }
  if (drop()) {
    facts.alignment.clear();
  }
  facts.wide = facts.wide || use == FactUse::wide || (use == FactUse::some && dice.chance(30));
  return facts;
}

inline bool is_cpu(Family family) { return Params{.family = family}.family_name().starts_with("cpu"); }

/// Which families, widths, facts, homes and teams ran, and which of them have to.
class FamilyCoverage {
 public:
  static constexpr std::array<const char*, 18> kColumns = {
      "exact",  "divisor",  "aligned", "none",  "wide",   "in place",  "batch", "other",   "stream",
      "reload", "register", "warp",    "block", "second", "dependent", "last",  "barrier", "team"};
  static constexpr int kFamilies = 10, kWidest = 16;

  void add(const Params& params, const Facts& facts, bool in_place) {
    const bool none = facts.exact.empty() && facts.divisors.empty() && facts.alignment.empty() && !facts.wide;
    const bool reduces = reduces_on_gpu(params.family);
    const int threads = params.threads / std::max(1, params.lanes) / params.rows;
    const auto shared = [&](GridFinish finish) {
      return (params.blocks > 1 || params.family == Family::mixed) && params.finish == finish;
    };
    const bool team = params.family == Family::rows && params.grid > 0;
    const std::array<bool, kColumns.size()> holds = {!facts.exact.empty(),
                                                     !facts.divisors.empty(),
                                                     !facts.alignment.empty(),
                                                     none,
                                                     facts.wide,
                                                     in_place,
                                                     params.batch > 1,
                                                     params.vector_other > 1,
                                                     params.stream,
                                                     reduces && params.home == Home::reload,
                                                     reduces && params.home == Home::registers,
                                                     reduces && threads <= 32,
                                                     reduces && params.lanes == 0 && threads > 32,
                                                     shared(GridFinish::second),
                                                     shared(GridFinish::dependent),
                                                     shared(GridFinish::last),
                                                     shared(GridFinish::barrier) && !team,
                                                     team};
    Row& row = rows_[{static_cast<int>(params.family), params.vector}];
    ++row.kernels;
    for (size_t k = 0; k < holds.size(); ++k) {
      row.counts[k] += holds[k];
    }
  }

  void print() const {
    std::printf("%-9s%7s%9s", "family", "vector", "kernels");
    for (const char* column : kColumns) {
      std::printf("%9s", column);
    }
    for (const auto& [key, row] : rows_) {
      std::printf("\n%-9s%7d%9d", name_of(key.first).c_str(), key.second, row.kernels);
      for (size_t k = 0; k < kColumns.size(); ++k) {
        const bool excluded = why_excluded(key.first, key.second, static_cast<int>(k)) != nullptr;
        std::printf("%9s", excluded && row.counts[k] == 0 ? "-" : std::to_string(row.counts[k]).c_str());
      }
    }
    std::printf("\n");
    for (const Excluded& row : kExcluded) {
      std::printf("  not reachable: %s%s %s: %s\n", name_of(row.family).c_str(), row.width == 1 ? " vector=1" : "",
                  kColumns[row.column], row.reason);
    }
  }

  /// Reachable cells that never ran.
  std::vector<std::string> missing(bool with_cpu) const {
    std::vector<std::string> found;
    for (int family = 0; family < kFamilies; ++family) {
      for (int width : {1, 2, 4, 8, 16}) {
        const bool cpu = is_cpu(static_cast<Family>(family)),
                   beyond = reduces_on_gpu(static_cast<Family>(family)) && width == kWidest;
        for (int k = 0; k < static_cast<int>(kColumns.size()) && !beyond && (!cpu || (with_cpu && width == 1)); ++k) {
          const auto row = rows_.find({family, width});
          if (why_excluded(family, width, k) == nullptr && (row == rows_.end() || row->second.counts[k] == 0)) {
            found.push_back(name_of(family) + " vector=" + std::to_string(width) + " " + kColumns[k]);
          }
        }
      }
    }
    return found;
  }

 private:
  static constexpr int kHomes = 9;  // the first column of homes and teams
  static bool reduces_on_gpu(Family family) {
    return family == Family::rows || family == Family::columns || family == Family::mixed;
  }
  static std::string name_of(int family) {
    return std::string(Params{.family = static_cast<Family>(family)}.family_name());
  }
  struct Row {
    int kernels = 0;
    std::array<int, kColumns.size()> counts{};
  };
  struct Excluded {
    int family;
    int width;  ///< 0: any
    int column;
    const char* reason;
  };
  static constexpr Excluded kExcluded[] = {
      {0, 1, 1, "stated for vectors; single elements need no divisor"},
      {0, 1, 2, "stated for vectors; single elements are aligned"},
      {0, 0, 7, "the second width of a tile"},
      {0, 0, 8, "a decision for CPUs"},
      {1, 0, 6, "a decision of the flat family; a tile's size and threads give its batch"},
      {1, 0, 8, "a decision for CPUs"},
      {2, 0, 1, "the host compiler vectorises lanes itself"},
      {2, 0, 2, "the host compiler's vector moves are unaligned"},
      {2, 0, 6, "a decision of the flat family"},
      {2, 0, 7, "the second width of a tile"},
      {3, 0, 1, "the host compiler vectorises lanes itself"},
      {3, 0, 2, "the host compiler's vector moves are unaligned"},
      {3, 0, 6, "a decision of the flat family"},
      {3, 0, 7, "the second width of a GPU's tile"},
      {3, 0, 8, "tiles are stored by columns, never past the cache"},
      {4, 1, 1, "stated for vectors; single elements need no divisor"},
      {4, 1, 2, "stated for vectors; single elements are aligned"},
      {4, 0, 5, "a row is read again in later passes"},
      {4, 0, 7, "the second width of a tile"},
      {4, 0, 8, "a decision for CPUs"},
      {5, 0, 1, "lanes of rows are folded as they lie"},
      {5, 0, 2, "lanes of rows are folded as they lie"},
      {5, 0, 5, "a row is read again in later passes"},
      {5, 0, 6, "a decision of GPUs"},
      {5, 0, 7, "the second width of a tile"},
      {5, 0, 8, "rows are stored in the cache that the next pass reads"},
      {6, 1, 1, "stated for vectors; single elements need no divisor"},
      {6, 1, 2, "stated for vectors; single elements are aligned"},
      {6, 0, 5, "a column is read again in later passes"},
      {6, 0, 7, "the second width of a tile"},
      {6, 0, 8, "a decision for CPUs"},
      {6, 0, 12, "threads that share a column are few here"},
      {7, 0, 1, "the host compiler vectorises lanes itself"},
      {7, 0, 2, "the host compiler's vector moves are unaligned"},
      {7, 0, 5, "a column is read again in later passes"},
      {7, 0, 6, "a decision of GPUs"},
      {7, 0, 7, "the second width of a tile"},
      {7, 0, 8, "columns are stored in the cache that the next pass reads"},
      {6, 0, 17, "strips of columns are walked once for each pass"},
      {8, 1, 1, "stated for vectors; single elements need no divisor"},
      {8, 1, 2, "stated for vectors; single elements are aligned"},
      {8, 0, 5, "a row is read again behind its statistics"},
      {8, 0, 7, "the second width of a tile"},
      {8, 0, 8, "a decision for CPUs"},
      {8, 0, 9, "registers hold rows between their passes"},
      {8, 0, 15, "columns of states are more than one block combines"},
      {8, 0, 16, "states are combined by a kernel of their own"},
      {8, 0, 17, "blocks stay anyway"},
      {9, 0, 1, "the host compiler vectorises lanes itself"},
      {9, 0, 2, "the host compiler's vector moves are unaligned"},
      {9, 0, 5, "a row is read again behind its statistics"},
      {9, 0, 7, "the second width of a tile"},
      {9, 0, 8, "rows are stored in the cache that the next pass reads"},
  };

  static const char* why_excluded(int family, int width, int column) {
    if (column >= kHomes && !reduces_on_gpu(static_cast<Family>(family))) {
      return "a decision about reductions on a GPU";
    }
    for (const Excluded& row : kExcluded) {
      if (row.family == family && (row.width == 0 || row.width == width) && row.column == column) {
        return row.reason;
      }
    }
    return nullptr;
  }

  std::map<std::pair<int, int>, Row> rows_;
};

/// A fusion under a family.
struct FamilyPlan {
  RandomPlan plan;
  Params params;
};

/// The runtime runs no kernel whose Params want a shorter row.
inline void check_fits(const Kernel& kernel, const std::map<std::string, int64_t>& sizes) {
  const auto value = [&](Index p) { return evaluate(p, [&](const Atom& atom) { return sizes.at(atom.name); }); };
  for (const Reference& reference : kernel.references) {
    for (const Fit& fit : reference.fits) {
      check(value(fit.extent) <= value(fit.bound), ErrorKind::schedule, "an axis does not fit its Params");
    }
  }
}

/// Emulated threads of blocks that wait for each other all exist at once.
inline void check_meets(const Program& program, const std::map<std::string, int64_t>& sizes) {
  constexpr int64_t kMostThreads = 65536;
  int64_t threads = program.cooperative ? program.block[0] * program.block[1] * program.block[2] : 0;
  for (const Index extent : program.grid) {
    threads *= evaluate(extent, [&](const Atom& atom) { return sizes.at(atom.name); });
  }
  check(threads <= kMostThreads, ErrorKind::schedule, threads, " threads are more than are emulated at once");
}

/// The programs of a kernel, in their order.
inline std::vector<Program> lower_family(const KernelCase& test, const Params& params, FactUse use, Dice& dice,
                                         bool& in_place) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const std::map<std::string, int64_t> sizes = test.sizes(*kernel);
  apply(*kernel, params);
  check_fits(*kernel, sizes);
  const Alignments aligned{std::vector<int64_t>(kernel->inputs.size(), 16),
                           std::vector<int64_t>(kernel->outputs.size(), 16)};
  const Facts facts = used_facts(derive_facts(*kernel, SizeValues(sizes.begin(), sizes.end()), aligned), use, dice);
  const bool cpu = is_cpu(params.family);
  const auto alias = phase_count(*kernel) == 1 ? random_alias(test, *kernel, dice) : decltype(LowerRequest::aliases)();
  in_place = !alias.empty();
  std::vector<Program> programs = lower_phases(
      {kernel, "k", cpu ? Target::cpu : Target::gpu, facts, params.blocks_per_sm, alias, {}, params.finish}, "k");
  for (const Program& program : programs) {
    check_meets(program, sizes);
  }
  return programs;
}

/// `refusals` counts the attempts that the rules refuse, by reason.
inline FamilyPlan draw_family_plan(uint64_t seed, std::map<std::string, int>& refusals, bool with_cpu) {
  Dice dice(seed * 7919 + 13);
  const FamilyTurn turn = family_turn(seed, with_cpu);
  const bool tiles = turn.family == Family::tile || turn.family == Family::cpu_tile;
  const bool rows = turn.family == Family::rows || turn.family == Family::cpu_rows;
  const bool reduces = rows || turn.family == Family::columns || turn.family == Family::cpu_columns;
  const bool mixed = turn.family == Family::mixed || turn.family == Family::cpu_mixed;
  const int common = turn.facts == FactUse::all ? 85 : 55;
  FamilyPlan made;
  for (int attempt = 0; attempt < 40; ++attempt) {
    made.params = draw_params(dice, turn);
    made.plan.test = mixed                                      ? mixed_case(dice)
                     : reduces && turn.sharing != Sharing::none ? shared_case(dice, rows ? 1 : 0)
                     : reduces                                  ? reduced_case(dice, rows ? 1 : 0)
                     : !dice.chance(common)                     ? RandomFusion(dice).test
                     : tiles                                    ? turned_case(dice)
                                                                : regular_case(dice);
    try {
      std::vector<Program> programs = lower_family(made.plan.test, made.params, turn.facts, dice, made.plan.in_place);
      if (is_large(programs[0], made.plan.test.sizes(*programs[0].kernel))) {
        continue;
      }
      made.plan.program = std::move(programs[0]);
      made.plan.later.assign(std::make_move_iterator(programs.begin() + 1), std::make_move_iterator(programs.end()));
      return made;
    } catch (const Error& error) {
      const std::string what = error.what();
      if (error.kind() != ErrorKind::schedule) {
        made.plan.problem = made.params.text() + ": " + what;
        return made;
      }
      ++refusals["family: " + what.substr(0, 40)];
    }
  }
  return made;
}

}  // namespace nvfuser
