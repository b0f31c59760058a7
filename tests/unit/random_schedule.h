// SPDX-License-Identifier: Apache-2.0
// Random fusions under random schedules.  A schedule that the rules refuse is drawn again; one that they accept must
// give the evaluator's bits without a fault in the interpreter.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "nvfuser/ops/factory.h"
#include "schedule_cases.h"

namespace nvfuser {

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(0, 99) < percent; }
  template <class T>
  T pick(const std::vector<T>& from) {
    return from[between(0, static_cast<int64_t>(from.size()) - 1)];
  }
  template <class T>
  void shuffle(T first, T last) {
    for (auto n = last - first; n > 1; --n) {
      std::swap(first[n - 1], first[between(0, n - 1)]);
    }
  }

 private:
  std::mt19937_64 engine_;
};

/// A fusion drawn step by step; axes of equal letters have equal sizes.
class RandomFusion {
 public:
  explicit RandomFusion(Dice& dice) : dice_(dice) {
    for (int k = 0; k < 3; ++k) {
      letters_.push_back(dice.pick<int64_t>({1, 2, 3, 4, 5, 7, 8, 8, 12, 16, 16, 17, 24}));
    }
    for (int64_t k = dice.between(1, 3); k > 0; --k) {
      add_input();
    }
    for (int64_t k = dice.between(2, 6); k > 0; --k) {
      step();
    }
    test.output(pool_.back());
    if (dice.chance(30)) {
      test.output(dice.pick(pool_));
    }
  }

  KernelCase test;

 private:
  Val* at(int64_t n) { return test.fusion->index_constant(n); }
  static size_t rank(const TensorView* t) { return t->logical().size(); }
  static bool broadcasts(const TensorView* t) {
    return std::any_of(t->logical().begin(), t->logical().end(), [](const IterDomain* a) { return a->is_broadcast(); });
  }
  Sizes sizes(const TensorView* t) const { return test.binding().sizes(t); }

  TensorView* add_input(Sizes wanted = {}) {
    if (wanted.empty()) {
      for (int64_t k = dice_.between(1, 3); k > 0; --k) {
        wanted.push_back(dice_.chance(90) ? dice_.pick(letters_) : -1);
      }
    }
    TensorView* t = test.input(wanted);
    if (dice_.chance(15)) {
      spread(wanted);
    }
    pool_.push_back(t);
    return t;
  }

  /// Strides given at launch, with gaps, and with 0 for the innermost now and then.
  void spread(const Sizes& wanted) {
    const size_t n = test.layouts.size() - 1;
    int64_t step = dice_.between(0, 2);
    for (size_t k = wanted.size(); k-- > 0;) {
      if (wanted[k] < 0) {
        continue;
      }
      test.layouts[n].strides[k] = Layout::Stride::free;
      test.strides["in" + std::to_string(n) + "_s" + std::to_string(k)] = step;
      step = std::max<int64_t>(step, 1) * wanted[k] + dice_.between(0, 1);
    }
  }

  void step() {
    TensorView* t =
        pool_[dice_.between(std::max<int64_t>(0, static_cast<int64_t>(pool_.size()) - 3), pool_.size() - 1)];
    TensorView* made = t;
    switch (dice_.between(0, 9)) {
      case 0:
        made = unary(dice_.pick<PointwiseOp>({PointwiseOp::relu, PointwiseOp::neg, PointwiseOp::tanh}), t);
        break;
      case 1:
      case 2:
        made = mate(t);
        break;
      case 3:
        made = permuted(t);
        break;
      case 4:
        made = outer(t);
        break;
      case 5:
        made = shifted(t);
        break;
      case 6:
        made = reshaped(t);
        break;
      case 7:
        made = joined(t);
        break;
      case 8:
        made = biased(t);
        break;
      default:
        made = counted(t);
        break;
    }
    if (rank(made) <= 4 && product(sizes(made)) <= 6000) {
      pool_.push_back(made);
    }
  }

  PointwiseOp any_binary() {
    return dice_.pick<PointwiseOp>({PointwiseOp::add, PointwiseOp::sub, PointwiseOp::mul, PointwiseOp::maximum});
  }

  TensorView* mate(TensorView* t) {
    std::vector<TensorView*> mates;
    for (TensorView* u : pool_) {
      if (sizes(u) == sizes(t)) {
        mates.push_back(u);
      }
    }
    TensorView* u = dice_.pick(mates);
    const Sizes n = sizes(u);
    for (size_t k = 0; k + 1 < n.size(); ++k) {
      if (n[k] == n[k + 1] && dice_.chance(50)) {
        std::vector<int64_t> order(n.size());
        for (size_t i = 0; i < order.size(); ++i) {
          order[i] = static_cast<int64_t>(i);
        }
        std::swap(order[k], order[k + 1]);
        u = permute(u, order);
        break;
      }
    }
    return binary(any_binary(), t, u);
  }

  TensorView* permuted(TensorView* t) {
    std::vector<int64_t> order(rank(t));
    for (size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<int64_t>(i);
    }
    dice_.shuffle(order.begin(), order.end());
    return permute(t, order);
  }

  TensorView* outer(TensorView* t) {
    std::vector<TensorView*> flat;
    for (TensorView* u : pool_) {
      if (rank(u) == 1) {
        flat.push_back(u);
      }
    }
    return rank(t) != 1 ? t
                        : binary(any_binary(), broadcast(t, {false, true}), broadcast(dice_.pick(flat), {true, false}));
  }

  TensorView* shifted(TensorView* t) {
    if (broadcasts(t) || rank(t) == 0) {
      return t;
    }
    const size_t axis = dice_.between(0, rank(t) - 1);
    const int64_t left = dice_.between(0, 3), right = dice_.between(0, 3);
    std::vector<Val*> widths(2 * rank(t), at(0));
    // Widths are given from the last axis on.
    widths[2 * (rank(t) - 1 - axis)] = at(left);
    widths[2 * (rank(t) - 1 - axis) + 1] = at(right);
    TensorView* padded = pad(t, widths, test.fusion->constant(0.5, DataType::Float));
    if (dice_.chance(50)) {
      return padded;
    }
    const int64_t start = dice_.between(0, left + right);
    std::vector<Val*> starts(rank(t), at(0)), ends;
    const Sizes n = sizes(padded);
    for (size_t k = 0; k < n.size(); ++k) {
      ends.push_back(at(k == axis ? std::min(n[k], start + sizes(t)[k]) : n[k]));
    }
    starts[axis] = at(start);
    return slice(padded, starts, ends);
  }

  TensorView* reshaped(TensorView* t) {
    if (rank(t) < 2 || broadcasts(t)) {
      return t;
    }
    const auto extents = shape(t);
    Sizes n = sizes(t);
    std::vector<Val*> merged = {at(n[0] * n[1])}, turned = {extents[1], extents[0]};
    merged.insert(merged.end(), extents.begin() + 2, extents.end());
    turned.insert(turned.end(), extents.begin() + 2, extents.end());
    TensorView* flat = reshape(t, merged);
    return dice_.chance(50) ? flat : reshape(dice_.chance(50) ? unary(PointwiseOp::neg, flat) : flat, turned);
  }

  TensorView* joined(TensorView* t) {
    return rank(t) == 0 || broadcasts(t) ? t : cat({t, unary(PointwiseOp::neg, t)}, dice_.between(0, rank(t) - 1));
  }

  TensorView* biased(TensorView* t) {
    if (rank(t) == 0 || t->logical().back()->is_broadcast()) {
      return t;
    }
    TensorView* b = add_input({sizes(t).back()});
    pool_.pop_back();
    std::vector<bool> fresh(rank(t), true);
    fresh.back() = false;
    return binary(PointwiseOp::add, t, broadcast(b, fresh));
  }

  TensorView* counted(TensorView* t) {
    if (rank(t) == 0 || t->logical().back()->is_broadcast()) {
      return t;
    }
    TensorView* numbers = static_cast<TensorView*>(cast(iota(t->logical().back()->extent()), DataType::Float));
    std::vector<bool> fresh(rank(t), true);
    fresh.back() = false;
    return binary(any_binary(), t, rank(t) > 1 ? broadcast(numbers, fresh) : numbers);
  }

  Dice& dice_;
  std::vector<int64_t> letters_;
  std::vector<TensorView*> pool_;
};

/// Splits, merges, order and parallel types of the reference; copies, forks and inline positions of tensors.
class RandomSchedule {
 public:
  RandomSchedule(Kernel& kernel, Dice& dice, const std::map<std::string, int64_t>& sizes, Target target)
      : kernel_(kernel), dice_(dice), sizes_(sizes), target_(target) {
    Reference& main = kernel.main();
    const Loops loops(kernel, main);
    if (dice.chance(50)) {
      for (Id* loop : std::vector<Id*>(main.loops)) {
        loops.fit(loop, std::max<int64_t>(1, value(loop->extent)) + dice.pick<int64_t>({0, 0, 1, 3}));
      }
    }
    change_loops(main, dice.between(0, 5), 0);
    if (dice.chance(80)) {
      dice.shuffle(main.loops.begin(), main.loops.end());
    }
    if (!main.loops.empty() && dice.chance(40)) {
      vector_lanes_ = loops.split(main.loops.back(), dice.pick<int64_t>({2, 4, 8})).second;
      if (dice.chance(40)) {
        // Around the lanes, or around more: full points run without tests.
        Id* loop = main.loops[dice.between(0, static_cast<int64_t>(main.loops.size()) - 2)];
        unswitched_ = loops.split(loop, 1).second;
      }
    }
    Reference* turned = nullptr;
    const auto fixed = static_cast<size_t>(dice.between(0, static_cast<int64_t>(main.loops.size())));
    if (target == Target::gpu && dice.chance(35)) {
      turned = &fork(kernel, main);
      for (Reference* r : {&main, turned}) {
        change_loops(*r, dice.between(0, 2), fixed);
        dice.shuffle(r->loops.begin() + fixed, r->loops.end());
      }
      bind(main, {ParallelType::grid_x, ParallelType::grid_y, ParallelType::block_x}, 0, fixed, 50);
      for (Reference* r : {&main, turned}) {
        bind(*r, {ParallelType::block_x, ParallelType::block_y}, fixed, r->loops.size(), 70);
      }
    } else {
      bind(main, {ParallelType::grid_x, ParallelType::grid_y}, 0, main.loops.size(), 50);
      if (target == Target::gpu) {
        bind(main, {ParallelType::block_x, ParallelType::block_y}, 0, main.loops.size(), 60);
      }
    }
    mark(main);
    recompute();
    if (target == Target::gpu && (turned != nullptr || dice.chance(50))) {
      stage(turned, fixed);
    }
    for (Tensor* t : std::vector<Tensor*>(kernel.tensors)) {
      inline_at(*t, position(*t));
      t->streaming = dice.chance(20);
    }
  }

 private:
  int64_t value(Index p) const {
    return evaluate(p, [&](const Atom& a) { return sizes_.at(a.name); });
  }

  void change_loops(Reference& r, int64_t count, size_t fixed) {
    const Loops loops(kernel_, r);
    for (; count > 0; --count) {
      const size_t free = r.loops.size() - fixed;
      if (free > 0 && dice_.chance(12)) {
        shift(loops, r.loops[dice_.between(fixed, r.loops.size() - 1)]);
      } else if (free > 0 && dice_.chance(65)) {
        Id* loop = r.loops[dice_.between(fixed, r.loops.size() - 1)];
        dice_.chance(85) ? loops.split(loop, dice_.pick<int64_t>({2, 3, 4, 4, 5, 8}))
                         : loops.split_outer(loop, dice_.between(1, 4));
      } else if (free > 1) {
        const int64_t a = dice_.between(fixed, r.loops.size() - 1), b = dice_.between(fixed, r.loops.size() - 1);
        if (a != b) {
          loops.merge(r.loops[a], r.loops[b]);
        }
      }
    }
  }

  /// By something of 0 .. 7 that depends on another axis.
  void shift(const Loops& loops, Id* loop) {
    IndexPool& pool = *kernel_.pool;
    const int64_t width = dice_.pick<int64_t>({2, 4, 8});
    const Index start = pool.scale(dice_.pick(loops.reference().roots)->leaf, dice_.between(0, 5));
    const Index aligned = pool.scale(Algebra(pool).div(start, pool.constant(width)), width);
    const bool turns = dice_.chance(70);
    loops.shift(loop, turns ? pool.sub(start, aligned) : pool.constant(dice_.between(0, width - 1)), width - 1);
  }

  void bind(Reference& r, const std::vector<ParallelType>& types, size_t first, size_t last, int percent) {
    for (ParallelType type : types) {
      const bool taken = std::any_of(r.loops.begin(), r.loops.end(), [&](Id* l) { return l->parallel == type; });
      if (taken || first >= last || !dice_.chance(percent)) {
        continue;
      }
      Id* loop = r.loops[dice_.between(first, last - 1)];
      if (loop == vector_lanes_ || loop == unswitched_) {
        continue;
      }
      const bool small = loop->extent->is_constant() && loop->extent->constant() <= 8;
      if (loop->parallel == ParallelType::serial && (!is_thread(type) || small)) {
        Loops(kernel_, r).parallelize(loop, type);
      }
    }
  }

  void mark(Reference& r) {
    for (Id* loop : r.loops) {
      if (loop->parallel != ParallelType::serial) {
        continue;
      }
      if (loop == vector_lanes_) {
        loop->parallel = ParallelType::vectorize;
        continue;
      }
      if (loop == unswitched_) {
        loop->parallel = ParallelType::unswitch;
        continue;
      }
      if (loop->extent->is_constant() && dice_.chance(50)) {
        loop->parallel = dice_.pick<ParallelType>({ParallelType::vectorize, ParallelType::unroll});
      } else if (dice_.chance(10)) {
        loop->parallel = ParallelType::unswitch;
      }
    }
  }

  void recompute() {
    for (Tensor* t : std::vector<Tensor*>(kernel_.tensors)) {
      const std::vector<Tensor*> consumers = kernel_.consumers(t);
      for (size_t k = 1; k < consumers.size() && t->op != TensorOp::store; ++k) {
        if (dice_.chance(30)) {
          privatise(kernel_, *t, {consumers[k]});
        }
      }
    }
  }

  /// A copy of some value through shared memory; with a fork, what feeds the copy follows the other order.
  void stage(Reference* turned, size_t fixed) {
    std::vector<Tensor*> candidates;
    for (Tensor* t : kernel_.tensors) {
      if (t->op == TensorOp::load || (turned == nullptr && t->op != TensorOp::store)) {
        candidates.push_back(t);
      }
    }
    if (candidates.empty()) {
      return;
    }
    Tensor* t = dice_.pick(candidates);
    Tensor& copy = cache(kernel_, *t, {}, MemoryType::shared);
    if (turned != nullptr) {
      place({t, &copy}, *turned);
      fork_at_[t] = fork_at_[&copy] = fixed;
    }
  }

  int position(const Tensor& t) {
    const std::vector<Id*>& loops = t.reference->loops;
    const auto depth = static_cast<int64_t>(loops.size());
    if (t.op == TensorOp::store) {
      return static_cast<int>(depth);
    }
    if (const auto at = fork_at_.find(&t); at != fork_at_.end()) {
      const auto fixed = static_cast<int64_t>(at->second);
      return static_cast<int>(dice_.between(std::max<int64_t>(0, fixed - 1), fixed));
    }
    std::set<Id*> used;
    for (const Id* leaf : needs(t)) {
      for (Id* loop : loops_below(*t.reference, leaf)) {
        used.insert(loop);
      }
    }
    int64_t lowest = 0;
    for (int64_t k = 0; k < depth; ++k) {
      const Id* l = loops[k];
      if (used.count(loops[k]) != 0 && !l->extent->is_constant() && !is_block(l->parallel) && !is_thread(l->parallel)) {
        lowest = k + 1;
      }
    }
    return static_cast<int>(dice_.chance(50) ? dice_.between(lowest, depth) : depth);
  }

  Kernel& kernel_;
  Dice& dice_;
  const std::map<std::string, int64_t>& sizes_;
  Target target_;
  std::map<const Tensor*, size_t> fork_at_;
  Id* vector_lanes_ = nullptr;
  Id* unswitched_ = nullptr;
};

struct RandomResult {
  bool accepted = false;
  std::string problem;  ///< empty, or what went wrong
  std::string text;     ///< the program
  bool has_barrier = false, has_move = false, in_place = false;
};

inline bool holds_move(const Block& block) {
  return std::any_of(block.nodes.begin(), block.nodes.end(), [](const Node& node) {
    if (const auto* loop = std::get_if<Loop>(&node)) {
      return holds_move(*loop->body);
    }
    if (const auto* guard = std::get_if<Guard>(&node)) {
      return holds_move(*guard->body);
    }
    return std::holds_alternative<Move>(node);
  });
}

/// Sometimes asks for an output in place of an input of its shape; lowering refuses what is not legal.
inline std::vector<std::pair<int, int>> random_alias(const KernelCase& test, const Kernel& kernel, Dice& dice) {
  ScalarBinding bound = test.binding();
  for (size_t o = 0; o < kernel.outputs.size(); ++o) {
    for (size_t i = 0; i < kernel.inputs.size(); ++i) {
      if (bound.sizes(kernel.outputs[o]->view) == test.input_sizes[i] && dice.chance(30)) {
        return {{static_cast<int>(i), static_cast<int>(o)}};
      }
    }
  }
  return {};
}

/// Too much for a quick test?  Points of the largest reference, masked ones included.
inline bool is_large(const Program& program, const std::map<std::string, int64_t>& sizes) {
  int64_t most = program.block[0] * program.block[1] * program.block[2];
  for (const Reference& r : program.kernel->references) {
    int64_t points = 1;
    for (const Id* loop : r.loops) {
      points *= std::max<int64_t>(1, evaluate(loop->extent, [&](const Atom& a) { return sizes.at(a.name); }));
    }
    most = std::max(most, points);
  }
  return most > 20000 || program.shared_bytes > 40000;
}

/// A fusion and a schedule of it that the rules accept.
struct RandomPlan {
  KernelCase test;
  std::optional<Program> program;  ///< none: no attempt was accepted, or `problem` says what broke
  std::string problem;
  bool in_place = false;
  std::vector<Program> later = {};  ///< of the same kernel, behind `program`
};

/// `refusals` counts the attempts that the rules refuse, by reason.
inline RandomPlan draw_plan(uint64_t seed, std::map<std::string, int>& refusals, int cpu_percent = 25) {
  Dice dice(seed);
  RandomPlan plan{RandomFusion(dice).test, {}, "", false};
  const KernelCase& test = plan.test;
  for (int attempt = 0; attempt < 25; ++attempt) {
    try {
      const bool wild = dice.chance(30);
      const auto choose = [&](const std::vector<Id*>& free) {
        return free.empty() || dice.chance(20) ? nullptr : dice.pick(free);
      };
      const auto kernel =
          test.kernel(static_cast<int>(dice.between(0, static_cast<int64_t>(test.fusion->outputs().size()) - 1)),
                      wild ? std::function<Id*(const std::vector<Id*>&)>(choose) : nullptr);
      const std::map<std::string, int64_t> sizes = test.sizes(*kernel);
      const Target target = dice.chance(cpu_percent) ? Target::cpu : Target::gpu;
      RandomSchedule(*kernel, dice, sizes, target);
      const auto alias = random_alias(test, *kernel, dice);
      Program program = lowered(test, kernel, dice.chance(66), target, alias);
      if (is_large(program, sizes)) {
        continue;
      }
      plan.program = std::move(program);
      plan.in_place = !alias.empty();
      return plan;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::schedule) {
        plan.problem = error.what();
        return plan;
      }
      const std::string what = error.what();
      ++refusals[what.substr(what.find(' ') == std::string::npos ? 0 : what.find(' ') + 1).substr(0, 40)];
    }
  }
  return plan;
}

inline RandomResult run_random(uint64_t seed, std::map<std::string, int>& refusals) {
  const RandomPlan plan = draw_plan(seed, refusals);
  if (!plan.program) {
    return {!plan.problem.empty(), plan.problem, "", false, false, false};
  }
  const Program& program = *plan.program;
  return {
      true,         run_program(plan.test, program), to_string(program), program.has_barrier, holds_move(program.body),
      plan.in_place};
}

}  // namespace nvfuser
