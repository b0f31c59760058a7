// SPDX-License-Identifier: Apache-2.0
// Statements: the operation of a tensor at one point of its loops.
#include "nvfuser/lower/statements.h"

#include <algorithm>

#include "nvfuser/lower/index_values.h"
#include "nvfuser/lower/meetings.h"
#include "nvfuser/lower/predicates.h"
#include "nvfuser/lower/ring.h"
#include "nvfuser/lower/teams.h"

namespace nvfuser {

namespace {

std::vector<Test> live_conditions(Lowering& state, const Tensor& t, const std::vector<Test>& conditions) {
  std::vector<Test> found;
  for (const Test& test : conditions) {
    const Index bound = test.bound != nullptr ? state.algebra.tidy(test.bound) : nullptr;
    found.push_back({test.kind, state.algebra.tidy(index_at(state, t, test.index)), bound});
  }
  return tidy_tests(state.algebra, std::move(found));
}

Place operand_place(Lowering& state, const Operand& operand, const Tensor& accessor) {
  return operand.tensor == nullptr ? Place{} : Place{operand.tensor, offset_of(state, *operand.tensor, accessor)};
}

Assign assign(Lowering& state, const Tensor& t) {
  Assign made{&t, {}, {}, {}, nullptr};
  if (t.op == TensorOp::load) {
    const Tensor* buffer = state.kernel.buffer_of(&t);
    made.reads = {{buffer, address_of(state, *buffer->allocation, t)}};
  }
  for (const Operand& operand : t.operands) {
    made.reads.push_back(operand_place(state, operand, t));
  }
  for (const std::vector<Test>& conditions : t.conditions) {
    made.conditions.push_back(live_conditions(state, t, conditions));
  }
  if (t.op == TensorOp::iota) {
    made.index = state.algebra.tidy(index_at(state, t, t.position));
  }
  const Tensor* target = t.op == TensorOp::store && t.workspace != nullptr ? t.workspace : &t;
  made.to = {target, t.op == TensorOp::store ? address_of(state, *t.allocation, t) : offset_of(state, t, t)};
  return made;
}

Access access(const Tensor& owner, const Tensor& accessor, bool write) {
  Access made{&owner, {}, write};
  for (const Id* loop : accessor.loop) {
    if (loop != nullptr && is_thread(loop->parallel) &&
        std::find(owner.loop.begin(), owner.loop.end(), loop) != owner.loop.end()) {
      made.binding[thread_dimension(loop->parallel)] = loop;
    }
  }
  return made;
}

/// The element that joins an accumulator.
Accumulate accumulate(Lowering& state, const Tensor& t) {
  Accumulate made{&t, offset_of(state, t, t), {}};
  for (const Operand& operand : t.operands) {
    made.reads.push_back(operand_place(state, operand, t));
  }
  return made;
}

Finish finish(Lowering& state, const Tensor& t) {
  Finish made{&t, offset_of(state, t, t, Role::finish), {}};
  for (const Operation& other : state.operations) {
    if (other.role == Role::alloc && other.tensor->reduction == t.reduction) {
      made.parts.push_back(other.tensor);
    }
  }
  return made;
}

/// Is it reduced over the blocks of a cluster?
bool crosses_cluster(const Tensor& reduce) {
  const std::vector<const Id*> loops = reduced_loops(reduce);
  return std::any_of(loops.begin(), loops.end(), [](const Id* loop) { return loop->cluster; });
}

/// All but the main operation of a tensor; these run under no test, so that collectives are reached by all threads.
Action action_of(Lowering& state, const Operation& operation) {
  const Tensor& t = *operation.tensor;
  const Role role = operation.role;
  switch (role) {
    case Role::alloc:
      return Allocate{&t, state.counts.at(&t)};
    case Role::state:
      return Allocate{&t, state.counts.at(&t), true};
    case Role::begin:
      return Begin{&t, offset_of(state, t, t, Role::begin)};
    case Role::join:
      return Join{{&t}, {state.counts.at(&t)}, team_of(state, t), crosses_cluster(t)};
    case Role::finish:
      return finish(state, t);
    case Role::fill:
      return copy_row(state, operation);
    case Role::claim:
      return claim_row(state, t);
    case Role::post:
      return post_row(state, operation);
    case Role::meet:
      return meeting_of(state, operation);
    case Role::leave:
      return leave_of(state);
    case Role::main:
      break;
  }
  if (t.stages > 0) {
    return Wait{state.ring.turn};
  }
  return t.op == TensorOp::reduce ? Action(accumulate(state, t)) : Action(assign(state, t));
}

/// Waits bring what copies write; a copy writes as one thread does.
void add_ring_tests(Lowering& state, const Operation& operation, Item& item) {
  const Tensor& t = *operation.tensor;
  if (operation.role == Role::main) {
    item.tests = turn_tests(state, t);
    item.arrives.assign(state.ring.loads.begin(), state.ring.loads.end());
  } else {
    item.tests = first_thread_tests(state, operation);
    // All threads read the row's number before they read the row: so it is replaced where the row may be.
    item.accesses.push_back({&t, {}, true, true});
  }
}

void make_statement(Lowering& state, Item& item) {
  const Operation& operation = state.operations[item.operation];
  const Tensor& t = *operation.tensor;
  item.action = action_of(state, operation);
  if (t.stages > 0) {
    add_ring_tests(state, operation, item);
    return;
  }
  if (const auto* join = std::get_if<Join>(&item.action)) {
    item.barrier = state.program.teams[join->team].wide() || join->cluster;
  }
  item.barrier |= operation.role == Role::meet;
  if (operation.role != Role::main) {
    return;
  }
  item.tests = tests_of(state, t);
  for (const Operand& operand : t.operands) {
    if (operand.tensor != nullptr && operand.tensor->memory == MemoryType::shared) {
      item.accesses.push_back(access(*operand.tensor, t, false));
    }
  }
  if (t.memory == MemoryType::shared) {
    item.accesses.push_back(access(t, t, true));
  }
}

void walk(Lowering& state, std::vector<Item>& body) {
  for (Item& item : body) {
    if (item.kind == Item::Kind::loop) {
      walk(state, item.body);
    } else {
      make_statement(state, item);
    }
  }
}

}  // namespace

void make_statements(Lowering& state) { walk(state, state.body); }

}  // namespace nvfuser
