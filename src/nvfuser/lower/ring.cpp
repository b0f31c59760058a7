// SPDX-License-Identifier: Apache-2.0
// The ring.  A load's address at the first of its own loops is where a row begins; its extent is what was fitted into a
// stage.  Other turns are the same expressions with another number in place of the loop's variable.
#include "nvfuser/lower/ring.h"

#include <algorithm>

#include "nvfuser/lower/index_values.h"
#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

constexpr int64_t kPiece = 16;      ///< bytes of which copies are multiples
constexpr int64_t kStageBytes = 8;  ///< of what counts a stage's bytes
constexpr int64_t kAlignment = 16;

/// The innermost loop around a load that is one in the text.
const LoopGroup* turn_loop(const Lowering& state, const Tensor& load) {
  const LoopGroup* found = nullptr;
  for (int k = 0; k < *load.inline_at; ++k) {
    const LoopGroup& group = state.groups[state.group_of.at(&load)[k]];
    found = group.loop != nullptr && !is_bound(group.loop->parallel) ? &group : found;
  }
  return found;
}

/// p at the first point of the load's own loops.
Index at_row(Lowering& state, const Tensor& load, Index p) {
  std::vector<const Atom*> own;
  for (size_t k = *load.inline_at; k < load.loop_ids.size(); ++k) {
    const Index variable = value_of(state, load, load.loop_ids[k]);
    if (!variable->is_constant()) {
      own.push_back(variable->as_atom());
    }
  }
  return state.algebra.substitute(p, [&](const Atom& atom) {
    return std::find(own.begin(), own.end(), &atom) != own.end() ? state.constant(0) : nullptr;
  });
}

Index at_turn(const Lowering& state, Index p, Index turn) {
  const Atom* variable = state.ring.turn->as_atom();
  return state.algebra.tidy(
      state.algebra.substitute(p, [&](const Atom& atom) { return &atom == variable ? turn : nullptr; }));
}

Index turn_of(const Lowering& state, Role role, int turn) {
  const Index number = state.constant(turn);
  return role == Role::refill ? state.pool().add(state.ring.turn, number) : number;
}

/// The axis that a stage holds: all of one that was fitted into it.
const Id& row_of(const Tensor& load) {
  const std::vector<Allocation::Dim>& dims = load.allocation ? load.allocation->dims : std::vector<Allocation::Dim>{};
  const Transform* split = dims.size() == 1 ? dims[0].id->definition : nullptr;
  const bool fits = split != nullptr && split->kind == Transform::Kind::split && split->outputs[1] == dims[0].id &&
                    split->outputs[0]->extent->is(1);
  check(fits, ErrorKind::schedule, load.name, " is brought in rows, but its memory is not that of one row");
  return *split->inputs[0];
}

void check_pieces(Lowering& state, const Tensor& load) {
  const auto refuse_unless = [&](bool ok, const char* why) {
    check(ok, ErrorKind::schedule, "bulk copies cannot bring ", load.name, ": ", why);
  };
  const Tensor& buffer = *state.kernel.buffer_of(&load);
  const Index address = address_of(state, *buffer.allocation, load), first = at_row(state, load, address);
  const Index column = state.algebra.tidy(value_of(state, load, load.allocation->dims[0].id));
  const auto aligned = state.request.facts.alignment.find(buffer.name);
  const auto pieces = [&](Index p) { return state.algebra.known_divisor(p) * bytes_of(buffer.dtype) % kPiece == 0; };
  refuse_unless(bytes_of(buffer.dtype) > 0 && buffer.dtype == load.dtype, "elements are no whole bytes");
  refuse_unless(state.pool().sub(address, first) == column, "a row is not one piece of memory");
  refuse_unless(aligned != state.request.facts.alignment.end() && aligned->second % kPiece == 0 && pieces(first),
                "rows are not known to begin at multiples of 16 bytes");
  refuse_unless(pieces(row_of(load).extent), "the bytes of a row are not known to be a multiple of 16");
  refuse_unless(state.counts.at(&load) / load.stages * bytes_of(load.dtype) % kPiece == 0,
                "the bytes of a stage are no multiple of 16");
}

/// Does the test say that the index of what turns were split off is below its extent?  Then no turn is too large.
bool ends_turns(Lowering& state, const Tensor& load, const Test& test) {
  const Transform* split = state.ring.loop->definition;
  if (split == nullptr || split->kind != Transform::Kind::split || split->outputs[0] != state.ring.loop) {
    return false;
  }
  const Id* rows = split->inputs[0];
  const Index index = at_row(state, load, value_of(state, load, rows));
  return test == below_test(state.pool(), state.algebra.tidy(index), state.algebra.tidy(rows->extent));
}

}  // namespace

void find_ring(Lowering& state) {
  Ring& ring = state.ring;
  RingShape& shape = state.program.ring;
  for (Tensor* t : state.tensors) {
    if (t->stages == 0) {
      continue;
    }
    check(t->op == TensorOp::load && t->memory == MemoryType::shared, ErrorKind::schedule, t->name,
          " has stages, but is no load in shared memory");
    const LoopGroup* loop = turn_loop(state, *t);
    check(loop != nullptr, ErrorKind::schedule, t->name, " is brought ahead of turns, but stands in no loop");
    const Index turn = state.pool().var(loop->name, loop->loop->extent);
    check(ring.loads.empty() || (ring.turn == turn && shape.stages == t->stages), ErrorKind::schedule, t->name, " and ",
          ring.loads.empty() ? "" : ring.loads[0]->name, " take turns in different ways");
    ring.turn = turn;
    ring.loop = loop->loop;
    ring.loads.push_back(t);
    shape.stages = t->stages;
    check_pieces(state, *t);
  }
  if (!ring.loads.empty()) {
    shape.copies = static_cast<int>(ring.loads.size());
    shape.byte_offset = state.program.shared_bytes;
    state.program.shared_bytes += (shape.stages * kStageBytes + kAlignment - 1) / kAlignment * kAlignment;
  }
}

BulkCopy copy_row(Lowering& state, const Tensor& load, Role role, int turn) {
  const Tensor* buffer = state.kernel.buffer_of(&load);
  const Index number = turn_of(state, role, turn);
  const Index stage = role == Role::refill ? state.ring.turn : number;  // of a turn that is a multiple of stages ahead
  const Index first = at_row(state, load, address_of(state, *buffer->allocation, load));
  return {&load,
          number,
          {&load, state.algebra.tidy(stage_offset(state, load, stage))},
          {buffer, at_turn(state, first, number)},
          state.algebra.tidy(row_of(load).extent)};
}

std::vector<Test> turn_tests(Lowering& state, const Tensor& load) {
  std::vector<Test> tests;
  for (Test test : tests_of(state, load)) {
    test.index = state.algebra.tidy(at_row(state, load, test.index));
    const std::vector<const Atom*> atoms = atoms_of(test.index);
    const bool of_thread = std::any_of(atoms.begin(), atoms.end(), [&](const Atom* atom) {
      return std::any_of(state.program.block_var.begin(), state.program.block_var.end(),
                         [&](Index v) { return v != nullptr && v->as_atom() == atom; });
    });
    if (!of_thread) {
      tests.push_back(test);
    }
  }
  return tidy_tests(state.algebra, std::move(tests));
}

std::vector<Test> copy_tests(Lowering& state, const Tensor& load, Role role, int turn) {
  const Index number = turn_of(state, role, turn);
  std::vector<Test> tests;
  for (const Index thread : state.program.block_var) {
    if (thread != nullptr) {
      tests.push_back({Test::Kind::eq, thread});
    }
  }
  bool ends = false;
  for (Test test : turn_tests(state, load)) {
    ends = ends || ends_turns(state, load, test);
    test.index = at_turn(state, test.index, number);
    tests.push_back(test);
  }
  if (!ends) {
    tests.push_back(below_test(state.pool(), number, state.algebra.tidy(state.ring.loop->extent)));
  }
  return tidy_tests(state.algebra, std::move(tests));
}

}  // namespace nvfuser
