// SPDX-License-Identifier: Apache-2.0
// What a schedule says of tensors: reference, inline position, caches, private copies, memory layout.
#include <algorithm>

#include "nvfuser/transform/schedule.h"

namespace nvfuser {

namespace {

void insert_after(Kernel& kernel, const Tensor* t, Tensor* added) {
  const auto at = std::find(kernel.tensors.begin(), kernel.tensors.end(), t);
  ensure(at != kernel.tensors.end(), "a tensor of another kernel");
  kernel.tensors.insert(at + 1, added);
}

void redirect(const std::vector<Tensor*>& consumers, const Tensor* from, Tensor* to) {
  for (Tensor* c : consumers) {
    bool found = false;
    for (Operand& operand : c->operands) {
      if (operand.tensor == from) {
        operand.tensor = to;
        found = true;
      }
    }
    check(found, ErrorKind::schedule, "a copy for a tensor that does not read the original");
  }
}

void copy_place(const Tensor& from, Tensor& to) {
  to.map = from.map;
  to.tests = from.tests;
  to.reference = from.reference;
  to.phase = from.phase;
  to.workspace = from.workspace;
}

}  // namespace

void place(const std::vector<Tensor*>& tensors, Reference& reference) {
  for (Tensor* t : tensors) {
    t->reference = &reference;
  }
}

void inline_at(Tensor& tensor, int position) {
  check(position >= 0 && position <= static_cast<int>(tensor.reference->loops.size()), ErrorKind::schedule,
        "inline position ", position, " of a tensor with ", tensor.reference->loops.size(), " loops");
  tensor.inline_at = position;
}

Tensor& cache(Kernel& kernel, Tensor& t, const std::vector<Tensor*>& consumers, MemoryType memory) {
  check(t.op != TensorOp::store, ErrorKind::schedule, "a cache behind an output; cache its operand instead");
  check(memory == MemoryType::local || memory == MemoryType::shared, ErrorKind::schedule, "a cache in ",
        name_of(memory), " memory; expected local or shared");
  const std::vector<Tensor*> readers = consumers.empty() ? kernel.consumers(&t) : consumers;
  Tensor* copy = make_tensor(kernel, TensorOp::copy, t.dtype, t.view);
  copy_place(t, *copy);
  copy->memory = memory;
  redirect(readers, &t, copy);
  copy->operands = {{&t, nullptr}};
  insert_after(kernel, &t, copy);
  return *copy;
}

namespace {

/// All parts of a reduction that combines states once more.
Tensor& privatise_merge(Kernel& kernel, const Tensor& leader, const std::vector<Tensor*>& consumers) {
  const std::vector<Tensor*> parts = leader.reduction->parts;
  auto reduction = std::make_shared<Reduction>(*leader.reduction);
  reduction->parts.clear();
  const Tensor* last = parts.back();
  for (Tensor* part : parts) {
    Tensor* twin = make_tensor(kernel, TensorOp::reduce, part->dtype, part->view);
    copy_place(*part, *twin);
    twin->expr = part->expr;
    twin->operands = part->operands;
    twin->part = part->part;
    twin->reduction = reduction;
    reduction->parts.push_back(twin);
    insert_after(kernel, last, twin);
    last = twin;
    const auto reads = [&](const Tensor* c) {
      return std::any_of(c->operands.begin(), c->operands.end(), [&](const Operand& o) { return o.tensor == part; });
    };
    std::vector<Tensor*> mine;
    std::copy_if(consumers.begin(), consumers.end(), std::back_inserter(mine), reads);
    redirect(mine, part, twin);
  }
  return *reduction->parts.front();
}

}  // namespace

Tensor& privatise(Kernel& kernel, Tensor& t, const std::vector<Tensor*>& consumers) {
  check(t.op != TensorOp::store, ErrorKind::schedule, "a second store of one output");
  check(t.op != TensorOp::reduce || t.reduction->merges, ErrorKind::schedule, "a second computation of a reduction");
  if (t.op == TensorOp::reduce) {
    return privatise_merge(kernel, t, consumers);
  }
  Tensor* twin = make_tensor(kernel, t.op, t.dtype, t.view);
  copy_place(t, *twin);
  twin->expr = t.expr;
  twin->operands = t.operands;
  twin->conditions = t.conditions;
  twin->position = t.position;
  twin->memory = t.memory;
  twin->streaming = t.streaming;
  redirect(consumers, &t, twin);
  insert_after(kernel, &t, twin);
  return *twin;
}

void set_allocation(Kernel& kernel, Tensor& t, const std::vector<Id*>& ids, int64_t pad, bool swizzle,
                    int64_t swizzle_group) {
  Allocation allocation;
  int64_t step = 1;
  for (size_t k = ids.size(); k-- > 0;) {
    const Index extent = ids[k]->extent;
    check(extent->is_constant(), ErrorKind::schedule, name_of(t.memory), " memory over ", ids[k]->name, " of extent ",
          to_string(extent), "; expected a constant");
    allocation.dims.insert(allocation.dims.begin(), {ids[k], extent, kernel.pool->constant(step)});
    step *= extent->constant() + (k + 1 == ids.size() ? pad : 0);
  }
  if (swizzle) {
    check(ids.size() >= 2, ErrorKind::schedule, "a swizzle needs two axes; the layout has ", ids.size());
    const int64_t columns = ids.back()->extent->constant();
    const int64_t groups = swizzle_group > 0 && columns % swizzle_group == 0 ? columns / swizzle_group : 0;
    check(groups > 0 && (groups & (groups - 1)) == 0, ErrorKind::schedule, "a swizzle of ", columns,
          " columns in groups of ", swizzle_group, "; expected a power of two of groups");
    allocation.swizzle_row = ids[ids.size() - 2];
    allocation.swizzle_column = ids.back();
    allocation.swizzle_group = swizzle_group;
  }
  t.allocation = std::move(allocation);
}

}  // namespace nvfuser
