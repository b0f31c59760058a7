// SPDX-License-Identifier: Apache-2.0
// Random fusions under the families of schedule/, with Params that choose might not hand out and Facts of which some
// are withheld: a kernel serves every call whose facts include its own, so any of them may be missing.
#pragma once

#include <array>
#include <cstdio>
#include <iterator>
#include <string>

#include "nvfuser/schedule/schedule.h"
#include "random_schedule.h"

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

/// What is done with the facts that hold.
enum class FactUse : uint8_t { all, none, wide, some };

/// Seeds go through families, vector widths and uses of facts in turn, so a few hundred of them leave nothing out.
struct FamilyTurn {
  Family family;
  int vector;
  FactUse facts;
};

inline FamilyTurn family_turn(uint64_t seed, bool with_cpu) {
  constexpr Family kGpu[] = {Family::flat, Family::tile},
                   kAll[] = {Family::flat, Family::tile, Family::flat,     Family::tile,
                             Family::flat, Family::tile, Family::cpu_flat, Family::cpu_tile};
  constexpr FactUse kUses[] = {FactUse::all, FactUse::none, FactUse::wide, FactUse::all, FactUse::some};
  const uint64_t families = with_cpu ? std::size(kAll) : std::size(kGpu), rest = seed / families;
  return {with_cpu ? kAll[seed % families] : kGpu[seed % families], 1 << rest % 5, kUses[rest / 5 % std::size(kUses)]};
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

/// Which families, widths and facts ran, and which of them have to.
class FamilyCoverage {
 public:
  static constexpr std::array<const char*, 9> kColumns = {"exact",    "divisor", "aligned", "none",  "wide",
                                                          "in place", "batch",   "other",   "stream"};
  static constexpr std::array<const char*, 4> kFamilies = {"flat", "tile", "cpu_flat", "cpu_tile"};

  void add(const Params& params, const Facts& facts, bool in_place) {
    const bool none = facts.exact.empty() && facts.divisors.empty() && facts.alignment.empty() && !facts.wide;
    const std::array<bool, 9> holds = {!facts.exact.empty(),
                                       !facts.divisors.empty(),
                                       !facts.alignment.empty(),
                                       none,
                                       facts.wide,
                                       in_place,
                                       params.batch > 1,
                                       params.vector_other > 1,
                                       params.stream};
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
      std::printf("\n%-9s%7d%9d", kFamilies[key.first], key.second, row.kernels);
      for (size_t k = 0; k < kColumns.size(); ++k) {
        const bool excluded = why_excluded(key.first, key.second, static_cast<int>(k)) != nullptr;
        std::printf("%9s", excluded && row.counts[k] == 0 ? "-" : std::to_string(row.counts[k]).c_str());
      }
    }
    std::printf("\n");
    for (const Excluded& row : kExcluded) {
      std::printf("  not reachable: %s%s %s: %s\n", kFamilies[row.family], row.width == 1 ? " vector=1" : "",
                  kColumns[row.column], row.reason);
    }
  }

  /// Reachable cells that never ran.
  std::vector<std::string> missing(bool with_cpu) const {
    std::vector<std::string> found;
    for (int family = 0; family < 4; ++family) {
      for (int width : {1, 2, 4, 8, 16}) {
        const bool cpu = family >= static_cast<int>(Family::cpu_flat);
        for (int k = 0; k < 9 && (!cpu || (with_cpu && width == 1)); ++k) {
          const auto row = rows_.find({family, width});
          if (why_excluded(family, width, k) == nullptr && (row == rows_.end() || row->second.counts[k] == 0)) {
            found.push_back(std::string(kFamilies[family]) + " vector=" + std::to_string(width) + " " + kColumns[k]);
          }
        }
      }
    }
    return found;
  }

 private:
  struct Row {
    int kernels = 0;
    std::array<int, 9> counts{};
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
  };

  static const char* why_excluded(int family, int width, int column) {
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

inline Program lower_family(const KernelCase& test, const Params& params, FactUse use, Dice& dice, bool& in_place) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const std::map<std::string, int64_t> sizes = test.sizes(*kernel);
  apply(*kernel, params);
  const Alignments aligned{std::vector<int64_t>(kernel->inputs.size(), 16),
                           std::vector<int64_t>(kernel->outputs.size(), 16)};
  const Facts facts = used_facts(derive_facts(*kernel, SizeValues(sizes.begin(), sizes.end()), aligned), use, dice);
  const bool cpu = params.family == Family::cpu_flat || params.family == Family::cpu_tile;
  const auto alias = random_alias(test, *kernel, dice);
  in_place = !alias.empty();
  return lower({kernel, "k", cpu ? Target::cpu : Target::gpu, facts, params.blocks_per_sm, alias});
}

/// `refusals` counts the attempts that the rules refuse, by reason.
inline FamilyPlan draw_family_plan(uint64_t seed, std::map<std::string, int>& refusals, bool with_cpu) {
  Dice dice(seed * 7919 + 13);
  const FamilyTurn turn = family_turn(seed, with_cpu);
  const bool tiles = turn.family == Family::tile || turn.family == Family::cpu_tile;
  const int common = turn.facts == FactUse::all ? 85 : 55;
  FamilyPlan made;
  for (int attempt = 0; attempt < 40; ++attempt) {
    made.params = draw_params(dice, turn);
    made.plan.test = !dice.chance(common) ? RandomFusion(dice).test : tiles ? turned_case(dice) : regular_case(dice);
    try {
      Program program = lower_family(made.plan.test, made.params, turn.facts, dice, made.plan.in_place);
      if (is_large(program, made.plan.test.sizes(*program.kernel))) {
        continue;
      }
      made.plan.program = std::move(program);
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
