// SPDX-License-Identifier: Apache-2.0
// Overlapped turns.  Both parts of a turn are blocks of their own, so each declares the local memory that it names.
#include "nvfuser/lower/overlapped_turns.h"

#include <algorithm>
#include <set>

namespace nvfuser {

namespace {

/// A buffer: a tensor's, or (true) the accumulators of a reduction.
using Named = std::set<std::pair<const Tensor*, bool>>;

/// What the nodes name, but for what they allocate.
class Names {
 public:
  explicit Names(const std::vector<Node>& nodes) { walk(nodes); }
  const Named& all() const { return named_; }

 private:
  void walk(const std::vector<Node>& nodes) {
    for (const Node& node : nodes) {
      std::visit([&](const auto& n) { visit(n); }, node);
    }
  }

  template <class Other>
  void visit(const Other&) {}  // shared memory and blocks
  void visit(const Assign& n) {
    add({n.to});
    add(n.reads);
  }
  void visit(const Move& n) { add({n.to, n.from}); }
  void visit(const Begin& n) { named_.insert({n.reduce, true}); }
  void visit(const Accumulate& n) {
    named_.insert({n.reduce, true});
    add(n.reads);
  }
  void visit(const Join& n) {
    for (const Tensor* reduce : n.reduces) {
      named_.insert({reduce, true});
    }
  }
  void visit(const Finish& n) {
    named_.insert({n.reduce, true});
    for (const Tensor* part : n.parts) {
      named_.insert({part, false});
    }
  }
  void visit(const Loop& n) { walk(n.body->nodes); }
  void visit(const Guard& n) {
    walk(n.body->nodes);
    if (n.otherwise != nullptr) {
      walk(n.otherwise->nodes);
    }
  }

  void add(const std::vector<Place>& places) {
    for (const Place& place : places) {
      if (place.tensor != nullptr) {
        named_.insert({place.tensor, false});
      }
    }
  }

  Named named_;
};

bool is_far_join(const Node& node) {
  const auto* join = std::get_if<Join>(&node);
  return join != nullptr && join->cluster;
}

/// Those allocations that the part needs, before it.
void allocate_for(std::vector<Node>& part, const std::vector<Allocate>& allocations, const Named& named) {
  std::vector<Node> needed;
  for (const Allocate& a : allocations) {
    if (named.contains({a.tensor, a.accumulators})) {
      needed.emplace_back(a);
    }
  }
  part.insert(part.begin(), std::make_move_iterator(needed.begin()), std::make_move_iterator(needed.end()));
}

void check_apart(const std::vector<Allocate>& allocations, const Named& first, const Named& second, const Join& join) {
  for (const Allocate& a : allocations) {
    const bool told =
        a.accumulators && std::find(join.reduces.begin(), join.reduces.end(), a.tensor) != join.reduces.end();
    check(told || !first.contains({a.tensor, a.accumulators}) || !second.contains({a.tensor, a.accumulators}),
          ErrorKind::schedule, a.tensor->name, " is needed before and after blocks have told each other of a row");
  }
}

void overlap(Loop& loop) {
  std::vector<Node>& nodes = loop.body->nodes;
  const auto at = std::find_if(nodes.begin(), nodes.end(), is_far_join);
  check(at != nodes.end() && std::count_if(nodes.begin(), nodes.end(), is_far_join) == 1, ErrorKind::schedule,
        "blocks tell each other of a ring's rows once in each turn");
  Join tell = std::get<Join>(*at), collect = tell;
  tell.part = Join::Part::tell;
  collect.part = Join::Part::collect;
  std::vector<Node> first, second;
  std::vector<Allocate> allocations;
  for (auto node = nodes.begin(); node != nodes.end(); ++node) {
    if (const auto* allocation = std::get_if<Allocate>(&*node)) {
      allocations.push_back(*allocation);
    } else if (node != at) {
      (node < at ? first : second).push_back(std::move(*node));
    }
  }
  first.emplace_back(tell);
  second.insert(second.begin(), collect);
  const Names before(first), after(second);
  check_apart(allocations, before.all(), after.all(), collect);
  allocate_for(first, allocations, before.all());
  allocate_for(second, allocations, after.all());
  loop.body->nodes = std::move(first);
  loop.later = std::make_unique<Block>();
  loop.later->nodes = std::move(second);
}

}  // namespace

void overlap_turns(Lowering& state) {
  Program& program = state.program;
  if (!program.apart) {
    return;
  }
  for (Node& node : program.body.nodes) {
    auto* loop = std::get_if<Loop>(&node);
    if (loop != nullptr && program.ring.stages > 0 && loop->variable == state.ring.turn) {
      overlap(*loop);
    }
  }
  program.body.nodes.emplace_back(LeaveFar{});
}

}  // namespace nvfuser
