// SPDX-License-Identifier: Apache-2.0
// Lanes that share the division of the first one: the rewritten index against plain evaluation, and as text.
#include <random>

#include "nvfuser/codegen/print.h"
#include "nvfuser/lower/lane_remainders.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

constexpr int64_t kLanes = 8;

/// Everything that a rewriting needs of a lowering: a pool and facts.
struct Bench {
  explicit Bench(int64_t least) : kernel(test.kernel()) {
    request.kernel = kernel;
    request.facts.least = {{"rows", least}, {"columns", 1}};
  }
  KernelCase test = [] {
    KernelCase made;
    made.output(unary(PointwiseOp::relu, made.input({4})));
    return made;
  }();
  std::shared_ptr<Kernel> kernel;
  LowerRequest request;
};

TEST(LaneRemainders, EqualPlainEvaluation) {
  std::mt19937 dice(20261121);
  const auto draw = [&](int64_t low, int64_t high) { return low + static_cast<int64_t>(dice() % (high - low + 1)); };
  int shared = 0;
  for (int round = 0; round < 400; ++round) {
    Bench bench(kLanes);
    Program program;
    Lowering state(bench.request, program);
    IndexPool& pool = state.pool();
    const Index lane = pool.var("lane", pool.constant(kLanes)), block = pool.var("block", pool.constant(9));
    const Index rows = pool.size("rows"), columns = pool.size("columns");
    const Index divisors[] = {rows, pool.mul(rows, columns), columns, pool.constant(7)};
    const auto linear = [&] {
      return pool.add(pool.add(pool.scale(block, draw(0, 20)), pool.scale(lane, draw(0, 2))),
                      pool.constant(draw(0, 9)));
    };
    Index p = pool.scale(linear(), draw(-1, 2));
    for (int64_t k = draw(1, 3); k > 0; --k) {
      const Index n = divisors[draw(0, 3)];
      const Index inner = draw(0, 3) == 0 ? pool.add(pool.opaque(AtomKind::mod, linear(), n), linear()) : linear();
      p = pool.add(p, pool.scale(pool.opaque(draw(0, 2) == 0 ? AtomKind::div : AtomKind::mod, inner, n), draw(1, 3)));
    }
    std::unordered_set<const Atom*> wraps;
    const Index q = with_shared_remainders(state, p, lane->as_atom(), kLanes, wraps);
    shared += !wraps.empty();
    for (int trial = 0; trial < 20; ++trial) {
      std::map<std::string, int64_t> at = {{"rows", draw(kLanes, 60)}, {"columns", draw(1, 5)}, {"block", draw(0, 8)}};
      for (at["lane"] = 0; at["lane"] < kLanes; ++at["lane"]) {
        const auto value = [&](const Atom& atom) { return at.at(atom.name); };
        ASSERT_EQ(evaluate(p, value), evaluate(q, value)) << to_string(p) << " as " << to_string(q);
        for (const Atom* atom : wraps) {
          ASSERT_LT(evaluate(atom->a, value), 2 * evaluate(atom->b, value)) << to_string(q);
          ASSERT_GE(evaluate(atom->a, value), 0) << to_string(q);
        }
      }
    }
  }
  EXPECT_GT(shared, 80);
}

TEST(LaneRemainders, RowsThatMayBeShorterThanTheLanesStay) {
  for (const auto& [least, shared] : {std::pair{kLanes - 2, false}, {kLanes - 1, true}}) {
    Bench bench(least);
    Program program;
    Lowering state(bench.request, program);
    IndexPool& pool = state.pool();
    const Index lane = pool.var("lane", pool.constant(kLanes)), start = pool.var("start", pool.constant(100));
    const Index p = state.algebra.mod(pool.add(start, lane), pool.size("rows"));
    std::unordered_set<const Atom*> wraps;
    EXPECT_EQ(with_shared_remainders(state, p, lane->as_atom(), kLanes, wraps) != p, shared);
    // What may be negative is not divided.
    const Index below = state.algebra.mod(pool.sub(pool.add(start, lane), pool.size("columns")), pool.size("rows"));
    EXPECT_EQ(with_shared_remainders(state, below, lane->as_atom(), kLanes, wraps), below);
  }
}

TEST(LaneRemainders, TextOfABias) {
  const BiasCase test(9, 7);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, {.threads = 32, .vector = 4});
  const std::map<std::string, int64_t> sizes = test.sizes(*kernel);
  const Facts facts = derive_facts(*kernel, {sizes.begin(), sizes.end()}, {{16, 16}, {16}});
  EXPECT_EQ(facts.text(), "i1>=4, in0@16, out0@16; narrow");
  const Program program = lower({kernel, "k", Target::gpu, facts, 0, {}});
  EXPECT_EQ(run_program(test, program), "");
  EXPECT_NE(print_kernel(program).find("rt::copy<1>(T1, jkii2, in1, rt::wrap(jkii2 + rt::mod(tx * 4 + bx * 128, "
                                       "i1_div), i1_div));"),
            std::string::npos)
      << print_kernel(program);
}

}  // namespace
}  // namespace nvfuser
