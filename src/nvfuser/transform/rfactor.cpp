// SPDX-License-Identifier: Apache-2.0
// Reductions in two steps: a partial one leaves tuples, another combines them, in the same loops or, through global
// memory, in loops of its own.
#include <algorithm>

#include "nvfuser/transform/schedule.h"
#include "nvfuser/transform/tuple_shape.h"

namespace nvfuser {

namespace {

bool holds(const std::vector<Id*>& ids, const Id* id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

/// Is one of `kept` the id or made of it?
bool stands_above(const Reference& reference, const Id* id, const std::vector<Id*>& kept) {
  if (holds(kept, id)) {
    return true;
  }
  const auto use = reference.uses.find(id);
  return use != reference.uses.end() &&
         std::any_of(use->second->outputs.begin(), use->second->outputs.end(),
                     [&](const Id* output) { return stands_above(reference, output, kept); });
}

/// What is left of `id` without `kept`: the topmost ids below it that hold none of these.
void collect_rest(const Reference& reference, Id* id, const std::vector<Id*>& kept, std::vector<Id*>& rest) {
  if (holds(kept, id) || holds(rest, id)) {
    return;
  }
  if (!stands_above(reference, id, kept)) {
    rest.push_back(id);
    return;
  }
  for (Id* output : reference.uses.at(id)->outputs) {
    collect_rest(reference, output, kept, rest);
  }
}

std::vector<Tensor*> add_parts(Kernel& kernel, const Tensor& reduce, const std::shared_ptr<Reduction>& reduction,
                               const std::vector<Id*>& kept) {
  const TupleShape& shape = tuple_shape(reduction->row, reduction->type);
  for (int k = 0; k < shape.count; ++k) {
    Tensor* part = make_tensor(kernel, TensorOp::reduce, shape.fields[k], reduce.view);
    part->expr = reduce.expr;
    part->operands = reduce.operands;
    part->map = reduce.map;
    for (const Id* id : kept) {
      part->map.push_back(id->leaf);
    }
    part->tests = reduce.tests;
    part->reference = reduce.reference;
    part->phase = reduce.phase;
    part->part = k;
    part->reduction = reduction;
    reduction->parts.push_back(part);
  }
  return reduction->parts;
}

void insert_before(Kernel& kernel, const Tensor* t, const std::vector<Tensor*>& added) {
  kernel.tensors.insert(std::find(kernel.tensors.begin(), kernel.tensors.end(), t), added.begin(), added.end());
}

/// Turns the parts of a reduction to combining these states.
void merge_states(Tensor& reduce, const std::vector<Tensor*>& states, const std::vector<Id*>& axes) {
  auto merging = std::make_shared<Reduction>(*reduce.reduction);
  merging->axes = axes;
  merging->whole.clear();
  merging->merges = true;
  for (Tensor* part : merging->parts) {
    part->reduction = merging;
    part->operands.clear();
    for (Tensor* state : states) {
      part->operands.push_back({state, nullptr});
    }
  }
}

}  // namespace

std::vector<Tensor*> rfactor(Kernel& kernel, Tensor& reduce, const std::vector<Id*>& kept) {
  check(reduce.op == TensorOp::reduce && !is_later_part(reduce), ErrorKind::schedule,
        "only a reduction is split in two");
  const Reduction& whole = *reduce.reduction;
  check(!whole.partial, ErrorKind::schedule, "a reduction that is split already");
  auto partial = std::make_shared<Reduction>();
  partial->row = whole.row;
  partial->type = whole.type;
  partial->whole = whole.axes;
  partial->partial = true;
  partial->merges = whole.merges;
  for (Id* axis : whole.axes) {
    collect_rest(*reduce.reference, axis, kept, partial->axes);
  }
  for (const Id* id : kept) {
    const bool inside = std::any_of(whole.axes.begin(), whole.axes.end(), [&](const Id* axis) {
      return stands_above(*reduce.reference, axis, {const_cast<Id*>(id)});
    });
    check(inside, ErrorKind::schedule, "a reduction is split along ", id->name, ", which it does not reduce");
  }
  const std::vector<Tensor*> states = add_parts(kernel, reduce, partial, kept);
  insert_before(kernel, &reduce, states);
  merge_states(reduce, states, kept);
  return states;
}

namespace {

/// Roots that the tensor depends on, in the order of its reference.
std::vector<Id*> kept_roots(const Tensor& t) {
  const std::vector<Id*> mine = needs(t);
  std::vector<Id*> found;
  for (Id* root : t.reference->roots) {
    if (holds(mine, root)) {
      found.push_back(root);
    }
  }
  return found;
}

/// A buffer over ids, outermost first.  The innermost `row` of them lie dense, and begin at multiples of so many
/// elements wherever they end.
Tensor* make_workspace(Kernel& kernel, const Tensor& state, const std::vector<Id*>& ids, size_t row, int64_t multiple) {
  const Index whole = kernel.pool->constant(multiple);
  Tensor* buffer = make_tensor(kernel, TensorOp::load, state.dtype, state.view);
  buffer->name = "ws" + std::to_string(kernel.workspaces.size());
  buffer->memory = MemoryType::global;
  Allocation allocation;
  Index step = kernel.pool->constant(1);
  for (size_t k = ids.size(); k-- > 0;) {
    if (k + row + 1 == ids.size() && multiple > 1 && !step->is_constant()) {
      step = kernel.pool->mul(Algebra(*kernel.pool).ceil_div(step, whole), whole);
    }
    allocation.dims.insert(allocation.dims.begin(), {nullptr, ids[k]->extent, step});
    step = kernel.pool->mul(step, ids[k]->extent);
  }
  buffer->allocation = std::move(allocation);
  kernel.workspaces.push_back(buffer);
  return buffer;
}

/// A load or store of a workspace at these indices.
Tensor* access(Kernel& kernel, TensorOp op, Tensor& buffer, const std::vector<Id*>& ids) {
  Tensor* t = make_tensor(kernel, op, buffer.dtype, buffer.view);
  t->workspace = &buffer;
  for (const Id* id : ids) {
    t->map.push_back(id->leaf);
  }
  return t;
}

}  // namespace

void through_workspaces(Kernel& kernel, Tensor& reduce, const std::vector<Id*>& axes, bool shares_outside,
                        int64_t multiple) {
  check(reduce.op == TensorOp::reduce && reduce.reduction->merges && !is_later_part(reduce), ErrorKind::schedule,
        "only states go through workspaces");
  const std::vector<Id*> shares = reduce.reduction->axes;
  const std::vector<Id*> outer = kept_roots(reduce);
  std::vector<Tensor*> stores, loads;
  for (const Operand& operand : reduce.operands) {
    Tensor& state = *operand.tensor;
    const auto in_order = [&](const std::vector<Id*>& along) {
      std::vector<Id*> ids = shares_outside ? along : outer;
      const std::vector<Id*>& inner = shares_outside ? outer : along;
      ids.insert(ids.end(), inner.begin(), inner.end());
      return ids;
    };
    Tensor* buffer = make_workspace(kernel, state, in_order(shares), shares_outside ? outer.size() : 0, multiple);
    Tensor* store = access(kernel, TensorOp::store, *buffer, in_order(shares));
    store->name = buffer->name;
    store->memory = MemoryType::global;
    store->allocation = buffer->allocation;
    store->operands = {{&state, nullptr}};
    store->tests = state.tests;
    store->reference = state.reference;
    store->phase = state.phase;
    stores.push_back(store);
    Tensor* load = access(kernel, TensorOp::load, *buffer, in_order(axes));
    load->tests = reduce.tests;
    load->reference = reduce.reference;
    load->phase = reduce.phase;
    loads.push_back(load);
  }
  insert_before(kernel, &reduce, stores);
  insert_before(kernel, &reduce, loads);
  merge_states(reduce, loads, axes);
}

}  // namespace nvfuser
