// SPDX-License-Identifier: Apache-2.0
// The indexer.  Every index is the tensor's map with the values of reference axes put in; nothing is traced.
#include "nvfuser/lower/index_values.h"

#include <algorithm>

namespace nvfuser {

namespace {

Index loop_variable(Lowering& state, const Tensor& t, size_t k, Role role) {
  const Id* loop = loops_at(t, role)[k];
  if (loop == nullptr || loop->extent->is(1)) {
    return state.constant(0);
  }
  if (is_block(loop->parallel)) {
    return state.pool().var(kBlockNames[block_dimension(loop->parallel)], loop->extent);
  }
  if (is_thread(loop->parallel)) {
    return state.pool().var(kThreadNames[thread_dimension(loop->parallel)], loop->extent);
  }
  return state.pool().var(state.groups[state.groups_at(t, role)[k]].name, loop->extent);
}

/// What the operand of t that stands for the atom tells: its element at t's loops.
Index told_at(Lowering& state, const Tensor& t, const Atom& atom) {
  const std::vector<const Atom*> all = data_atoms(t.map);
  const auto k = std::find(all.begin(), all.end(), &atom) - all.begin();
  ensure(k < std::ssize(all), "an index of ", t.name, " that no operand tells");
  const Tensor* teller = t.operands.at(t.operands.size() - all.size() + k).tensor;
  const Index extent = state.request.facts.with_same(state.algebra, atom.extent);
  return state.pool().data(teller, offset_of(state, *teller, t), extent);
}

Index amount_of(Lowering& state, const Tensor& t, const Transform& shift, Role role) {
  return index_at(state, t, state.request.facts.with_same(state.algebra, shift.amount), role);
}

Index compute(Lowering& state, const Tensor& t, const Id* id, Role role) {
  IndexPool& pool = state.pool();
  const Algebra& algebra = state.algebra;
  const auto up = [&](const Id* i) { return value_of(state, t, i, role); };
  if (const auto use = t.uses.find(id); use != t.uses.end()) {
    const Transform& x = *use->second;
    if (x.kind == Transform::Kind::split) {
      return pool.add(pool.mul(up(x.outputs[0]), x.factor), up(x.outputs[1]));
    }
    if (x.kind == Transform::Kind::shift) {
      // Where all loops of the axis vanished its index is 0, not the place in front of the axis that loops begin at.
      const Index shifted = up(x.outputs[0]);
      return shifted->is(0) ? shifted : pool.sub(shifted, amount_of(state, t, x, role));
    }
    const Index out = up(x.outputs[0]), inner = x.inputs[1]->extent;
    return id == x.inputs[0] ? algebra.div(out, inner) : algebra.mod(out, inner);
  }
  if (id->definition != nullptr) {
    const Transform& x = *id->definition;
    if (x.kind == Transform::Kind::split) {
      return id == x.outputs[0] ? algebra.div(up(x.inputs[0]), x.factor) : algebra.mod(up(x.inputs[0]), x.factor);
    }
    if (x.kind == Transform::Kind::shift) {
      return pool.add(up(x.inputs[0]), amount_of(state, t, x, role));
    }
    return pool.add(pool.mul(up(x.inputs[0]), x.inputs[1]->extent), up(x.inputs[1]));
  }
  return state.constant(0);
}

}  // namespace

Index value_of(Lowering& state, const Tensor& t, const Id* id, Role role) {
  auto& values = is_result(role) ? state.result_values.at(role) : state.values;
  auto& known = values[&t];
  if (known.empty()) {
    for (size_t k = 0; k < t.loop_ids.size(); ++k) {
      known[t.loop_ids[k]] = loop_variable(state, t, k, role);
    }
  }
  if (const auto at = known.find(id); at != known.end()) {
    return at->second;
  }
  const Index value = compute(state, t, id, role);
  return values[&t][id] = value;
}

Index index_at(Lowering& state, const Tensor& t, Index p, Role role) {
  return state.algebra.substitute(p, [&](const Atom& atom) {
    return atom.kind == AtomKind::axis   ? value_of(state, t, id_of(atom), role)
           : atom.kind == AtomKind::data ? told_at(state, t, atom)
                                         : nullptr;
  });
}

Index offset_of(Lowering& state, const Tensor& owner, const Tensor& accessor, Role role) {
  const Allocation& layout = state.layouts.at(&owner);
  IndexPool& pool = state.pool();
  Index total = pool.constant(0);
  for (const Allocation::Dim& dim : layout.dims) {
    Index value = value_of(state, accessor, dim.id, role);
    if (dim.id == layout.swizzle_column) {
      const Index group = pool.constant(layout.swizzle_group);
      const Index groups = pool.constant(dim.extent->constant() / layout.swizzle_group);
      const Index row = state.algebra.mod(value_of(state, accessor, layout.swizzle_row, role), groups);
      const Index column = state.algebra.xor_(state.algebra.div(value, group), row);
      value = pool.add(pool.mul(column, group), state.algebra.mod(value, group));
    }
    total = pool.add(total, pool.mul(value, dim.stride));
  }
  if (owner.stages > 0) {
    total = pool.add(total, stage_offset(state, owner, state.ring.turn));
  }
  return state.algebra.tidy(total);
}

Index stage_offset(Lowering& state, const Tensor& load, Index turn) {
  const int64_t row = state.counts.at(&load) / load.stages;
  return state.pool().scale(state.algebra.mod(turn, state.constant(load.stages)), row);
}

Index address_of(Lowering& state, const Allocation& buffer, const Tensor& t) {
  IndexPool& pool = state.pool();
  Index total = pool.constant(0);
  for (size_t k = 0; k < t.map.size(); ++k) {
    const Index stride = state.request.facts.with_same(state.algebra, buffer.dims[k].stride);
    total = pool.add(total, pool.mul(index_at(state, t, t.map[k]), stride));
  }
  return state.algebra.tidy(total);
}

}  // namespace nvfuser
