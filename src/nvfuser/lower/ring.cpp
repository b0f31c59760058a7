// SPDX-License-Identifier: Apache-2.0
// The ring.  A load's address at the first of its own loops is where a row begins; its extent is what was fitted into a
// stage.  Other turns are the same expressions with another number in place of the loop's variable.
#include "nvfuser/lower/ring.h"

#include <algorithm>
#include <functional>
#include <span>

#include "nvfuser/lower/index_values.h"
#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

constexpr int64_t kPiece = 16;       ///< bytes of which copies are multiples
constexpr int64_t kStageBytes = 16;  ///< of what counts a stage's bytes, and its row's number
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

/// The dimensions of a stage along which a turn's rows lie, and pieces of a row that are apart in memory.
std::span<const Allocation::Dim> row_dims(const Tensor& load) {
  return std::span(load.allocation->dims).first(load.allocation->dims.size() - 1);
}

/// p at the first point of the load's own loops, those over a turn's rows as `row` has them.
Index at_point(Lowering& state, const Tensor& load, Index p, const std::function<Index(const Allocation::Dim&)>& row) {
  std::unordered_map<const Atom*, Index> own;
  for (size_t k = *load.inline_at; k < load.loop_ids.size(); ++k) {
    const Index variable = value_of(state, load, load.loop_ids[k]);
    if (!is_block(load.reference->loops[k]->parallel) && !variable->is_constant()) {
      own[variable->as_atom()] = state.constant(0);
    }
  }
  for (const Allocation::Dim& dim : row_dims(load)) {
    if (const Index variable = value_of(state, load, dim.id); !variable->is_constant()) {
      own[variable->as_atom()] = row(dim);
    }
  }
  return state.algebra.substitute(p, [&](const Atom& atom) {
    const auto known = own.find(&atom);
    return known != own.end() ? known->second : nullptr;
  });
}

/// p where one of a turn's rows begins, or a piece of it.
Index at_row(Lowering& state, const Tensor& load, Index p, int piece = 0) {
  return at_point(state, load, p, [&](const Allocation::Dim& dim) {
    const int64_t inner = row_dims(load).back().stride->constant();
    return state.constant(piece * inner / dim.stride->constant() % dim.extent->constant());
  });
}

/// The turn and, where rows are claimed, the row of an operation.
struct Turn {
  Index number;
  Index row;  ///< null: the turn says which
};
Turn turn_of(const Lowering& state, const Operation& operation) {
  const Ring& ring = state.ring;
  IndexPool& pool = state.pool();
  const Index turn = state.constant(operation.turn);
  if (operation.ahead) {
    return {pool.add(ring.turn, turn), ring.claimed};
  }
  if (ring.row == nullptr) {
    return {turn, nullptr};
  }
  const Index block = state.program.grid_var[0] != nullptr ? state.program.grid_var[0] : state.constant(0);
  return {turn, pool.add(block, pool.scale(turn, ring.loop->takers))};
}

/// p with a turn in place of the one that the loop is at.
Index at_turn(const Lowering& state, Index p, const Turn& turn) {
  const Atom *number = state.ring.turn->as_atom(),
             *row = state.ring.row != nullptr ? state.ring.row->as_atom() : nullptr;
  return state.algebra.tidy(state.algebra.substitute(p, [&](const Atom& atom) {
    return &atom == number ? turn.number : &atom == row ? turn.row : nullptr;
  }));
}

/// The axis of which a stage holds rows: all of one that was fitted into it, or pieces of one that was fitted into the
/// stages of a cluster's blocks.
const Id& row_of(const Tensor& load) {
  const bool some = load.allocation && !load.allocation->dims.empty();
  const Transform* split = some ? load.allocation->dims.back().id->definition : nullptr;
  const auto is_inner = [](const Transform* t, const Id* id) {
    return t != nullptr && t->kind == Transform::Kind::split && t->outputs[1] == id;
  };
  const Id* piece = some ? load.allocation->dims.back().id : nullptr;
  while (is_inner(split, piece) && !split->outputs[0]->extent->is(1)) {
    piece = split->inputs[0];
    split = piece->definition;
  }
  check(is_inner(split, piece), ErrorKind::schedule, load.name,
        " is brought in rows, but its memory is not that of one row");
  return *split->inputs[0];
}

/// Has every block an equal part of a row, all of it?
bool parts_are_whole(const Lowering& state, const Tensor& load) {
  const Facts& facts = state.request.facts;
  const Transform* split = load.allocation->dims.back().id->definition;
  const Transform* fit = split->outputs[0]->cluster ? split->inputs[0]->definition : nullptr;
  return fit != nullptr && fit->kind == Transform::Kind::split && fit->inputs[0] == &row_of(load) &&
         facts.divides(*split) && facts.divides(*fit);
}

/// Does a row begin before its first element, where memory is aligned?
bool is_shifted(const Id& row) { return row.definition != nullptr && row.definition->kind == Transform::Kind::shift; }

/// Is a row one piece, which ends where it ends?
bool is_one_piece(const Tensor& load) {
  return !is_shifted(row_of(load)) && load.allocation->dims.back().id->definition->inputs[0] == &row_of(load);
}

/// Elements of a row from a piece's first one on, its last aligned ones as a whole.
Index elements_of(Lowering& state, const Tensor& load, int piece) {
  const Id& row = row_of(load);
  if (is_one_piece(load)) {
    return state.algebra.tidy(row.extent);
  }
  if (parts_are_whole(state, load)) {
    return load.allocation->dims.back().extent;
  }
  const Id& columns = is_shifted(row) ? *row.definition->inputs[0] : row;
  const Index aligned = state.constant(kPiece / bytes_of(load.dtype));
  const Index left = state.pool().sub(columns.extent, at_row(state, load, value_of(state, load, &columns), piece));
  return state.algebra.tidy(state.pool().mul(state.algebra.ceil_div(left, aligned), aligned));
}

/// Does the test tell of a place in the row, not of the row?
bool is_along(Lowering& state, const Tensor& load, const Test& test) {
  for (size_t k = *load.inline_at; k < load.loop_ids.size(); ++k) {
    const Id* loop = load.loop_ids[k];
    const bool of_rows = std::any_of(row_dims(load).begin(), row_dims(load).end(),
                                     [&](const Allocation::Dim& dim) { return dim.id == loop; });
    const Index variable = value_of(state, load, loop);
    if (!of_rows && !is_block(load.reference->loops[k]->parallel) && !variable->is_constant() &&
        depends_on(test, variable->as_atom())) {
      return true;
    }
  }
  return false;
}

/// Tests of which rows there are.
std::vector<Test> row_tests(Lowering& state, const Tensor& load) {
  std::vector<Test> tests = tests_of(state, load);
  std::erase_if(tests, [&](const Test& test) { return !is_one_piece(load) && is_along(state, load, test); });
  return tests;
}

/// Tests of a piece's row that do not come with its turn.
std::vector<Test> piece_tests(Lowering& state, const Tensor& load, int piece, const Turn& turn) {
  std::vector<Test> tests;
  for (Test test : row_tests(state, load)) {
    const Index first = at_row(state, load, test.index);
    test.index = at_row(state, load, test.index, piece);
    if (test.index != first) {
      test.index = at_turn(state, test.index, turn);
      tests.push_back(test);
    }
  }
  return tidy_tests(state.algebra, std::move(tests));
}

void check_pieces(Lowering& state, const Tensor& load) {
  const auto refuse_unless = [&](bool ok, const char* why) {
    check(ok, ErrorKind::schedule, "bulk copies cannot bring ", load.name, ": ", why);
  };
  const Tensor& buffer = *state.kernel.buffer_of(&load);
  row_of(load);
  const Index address = address_of(state, *buffer.allocation, load), first = at_row(state, load, address);
  const Index begin =
      at_point(state, load, address, [&](const Allocation::Dim& dim) { return value_of(state, load, dim.id); });
  const Index column = state.algebra.tidy(value_of(state, load, load.allocation->dims.back().id));
  const auto aligned = state.request.facts.alignment.find(buffer.name);
  const auto pieces = [&](Index p) { return state.algebra.known_divisor(p) * bytes_of(buffer.dtype) % kPiece == 0; };
  refuse_unless(bytes_of(buffer.dtype) > 0 && buffer.dtype == load.dtype, "elements are no whole bytes");
  refuse_unless(state.pool().sub(address, begin) == column, "a row is not one piece of memory");
  for (int piece = 1; piece < pieces_of(load); ++piece) {
    refuse_unless(pieces(at_row(state, load, address, piece)), "rows are not known to begin at multiples of 16 bytes");
  }
  refuse_unless(aligned != state.request.facts.alignment.end() && aligned->second % kPiece == 0 && pieces(first),
                "rows are not known to begin at multiples of 16 bytes");
  refuse_unless(is_shifted(row_of(load)) || pieces(row_of(load).extent),
                "the bytes of a row are not known to be a multiple of 16");
  refuse_unless(load.allocation->dims.back().extent->constant() * bytes_of(load.dtype) % kPiece == 0,
                "the bytes of a stage are no multiple of 16");
}

void set_turns(Lowering& state, const LoopGroup& group) {
  Ring& ring = state.ring;
  RingShape& shape = state.program.ring;
  IndexPool& pool = state.pool();
  const Index extent = group.loop->extent, variable = pool.var(group.name, extent);
  ring.loop = group.loop;
  ring.turn = variable;
  if (group.loop->takers == 0) {
    return;
  }
  check(state.program.semaphores == nullptr, ErrorKind::schedule, "blocks that meet claim rows");
  state.program.semaphores = state.constant(2);
  shape.claims = true;
  ring.row = variable;
  shape.turn = ring.turn = pool.var("turn", extent);
  ring.claimed = pool.var("ahead", pool.add(extent, state.constant(int64_t{group.loop->takers} * shape.stages)));
}

/// What is the same for all rows has no one block that stores it.
void check_stores(const Lowering& state) {
  for (const Tensor* t : state.tensors) {
    check(t->op != TensorOp::store || std::find(t->loop.begin(), t->loop.end(), state.ring.loop) != t->loop.end(),
          ErrorKind::schedule, t->name, " is the same for all rows, which blocks claim");
  }
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
    check(ring.loads.empty() || (ring.loop == loop->loop && shape.stages == t->stages), ErrorKind::schedule, t->name,
          " and ", ring.loads.empty() ? "" : ring.loads[0]->name, " take turns in different ways");
    if (ring.loads.empty()) {
      shape.stages = t->stages;
      set_turns(state, *loop);
    }
    ring.loads.push_back(t);
    check_pieces(state, *t);
  }
  if (shape.claims) {
    check_stores(state);
  }
  if (!ring.loads.empty()) {
    for (const Tensor* load : ring.loads) {
      shape.copies += pieces_of(*load);
    }
    shape.byte_offset = state.program.shared_bytes;
    state.program.shared_bytes += (shape.stages * kStageBytes + kAlignment - 1) / kAlignment * kAlignment;
  }
}

int pieces_of(const Tensor& load) {
  int64_t rows = 1;
  for (const Allocation::Dim& dim : row_dims(load)) {
    rows *= dim.extent->constant();
  }
  return static_cast<int>(rows);
}

BulkCopy copy_row(Lowering& state, const Operation& operation) {
  const Tensor& load = *operation.tensor;
  const Tensor* buffer = state.kernel.buffer_of(&load);
  const Turn turn = turn_of(state, operation);
  // Turns of which one is as many ahead of the other as there are stages have one stage.
  const Index stage = stage_offset(state, load, operation.ahead ? state.ring.turn : turn.number);
  const Index first = at_row(state, load, address_of(state, *buffer->allocation, load), operation.piece);
  const int64_t row = operation.piece > 0 ? operation.piece * row_dims(load).back().stride->constant() : 0;
  std::vector<Test> tests = piece_tests(state, load, operation.piece, turn);
  const bool whole = tests.empty() && (is_one_piece(load) || parts_are_whole(state, load));
  return {&load,
          turn.number,
          {&load, state.algebra.tidy(state.pool().add(stage, state.constant(row)))},
          {buffer, at_turn(state, first, turn)},
          elements_of(state, load, operation.piece),
          whole ? 0 : load.allocation->dims.back().extent->constant(),
          std::move(tests)};
}

Claim claim_row(Lowering& state, const Tensor& load) {
  const Id& rows = *state.ring.loop;
  return {state.ring.claimed, state.constant(int64_t{rows.takers} * load.stages), state.algebra.tidy(rows.extent)};
}

Post post_row(Lowering& state, const Operation& operation) {
  const Turn turn = turn_of(state, operation);
  return {turn.number, turn.row, state.algebra.tidy(state.ring.loop->extent)};
}

std::vector<Test> turn_tests(Lowering& state, const Tensor& load) {
  std::vector<Test> tests;
  for (Test test : row_tests(state, load)) {
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

std::vector<Test> first_thread_tests(Lowering& state, const Operation& operation) {
  const Tensor& load = *operation.tensor;
  std::vector<Test> tests;
  if (operation.role == Role::claim) {
    return tests;  // all threads know the variable
  }
  for (const Index thread : state.program.block_var) {
    if (thread != nullptr) {
      tests.push_back({Test::Kind::eq, thread});
    }
  }
  if (operation.role == Role::post) {
    return tests;
  }
  const Turn turn = turn_of(state, operation);
  for (Test test : turn_tests(state, load)) {
    test.index = at_turn(state, test.index, turn);
    tests.push_back(test);
  }
  const Index number = state.ring.row != nullptr ? turn.row : turn.number;
  tests.push_back(below_test(state.pool(), number, state.algebra.tidy(state.ring.loop->extent)));
  return tidy_tests(state.algebra, std::move(tests));
}

}  // namespace nvfuser
