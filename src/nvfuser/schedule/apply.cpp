// SPDX-License-Identifier: Apache-2.0
// apply: the table of families, and the steps that they share.
#include <algorithm>
#include <array>
#include <tuple>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

std::vector<Id*> BlockLoops::list() const {
  std::vector<Id*> found = {thread};
  for (Id* id : {whole, batch, lane}) {
    if (id != nullptr) {
      found.push_back(id);
    }
  }
  return found;
}

BlockLoops split_block(const Loops& loops, Id* loop, int64_t threads, int64_t vector, int cluster) {
  BlockLoops block;
  const int64_t wave = threads * vector * cluster;
  ensure(loop->extent->is_constant() && loop->extent->constant() % wave == 0, "a block of ", to_string(loop->extent),
         " elements for ", wave, " at a time");
  if (loop->extent->constant() > wave) {
    std::tie(block.batch, loop) = loops.split(loop, wave);
    loops.parallelize(block.batch, ParallelType::unroll);
  }
  if (cluster > 1) {
    std::tie(block.member, loop) = loops.split(loop, threads * vector);
    loops.parallelize(block.member, ParallelType::grid_y);
    block.member->cluster = true;
  }
  block.thread = block.piece = loop;
  if (vector > 1) {
    std::tie(block.thread, block.lane) = loops.split(loop, vector);
    loops.parallelize(block.lane, ParallelType::vectorize);
  }
  loops.parallelize(block.thread, ParallelType::block_x);
  return block;
}

void unswitch(const Loops& loops, BlockLoops& block) {
  if (block.batch == nullptr && block.lane == nullptr) {
    return;
  }
  std::tie(block.thread, block.whole) = loops.split(block.thread, 1);
  loops.parallelize(block.thread, ParallelType::block_x);
  loops.parallelize(block.whole, ParallelType::unswitch);
}

namespace {

/// Where full-size accesses start their rows; they agree.
Index common_start(const Kernel& kernel) {
  const size_t rank = kernel.references.front().roots.size();
  for (const Tensor* access : accesses_of(kernel)) {
    if (const Index start = rank > 0 && needs(*access).size() == rank ? row_start(kernel, *access) : nullptr) {
      return start;
    }
  }
  check(false, ErrorKind::schedule, "no rows to peel");
  return nullptr;
}

}  // namespace

Id* shift_to_vectors(Kernel& kernel, const Loops& loops, Id* row, int64_t vector, const Id* dealt) {
  const Index width = kernel.pool->constant(vector);
  Index start = common_start(kernel);
  if (dealt != nullptr) {
    check(loops.reference().roots.size() == 2, ErrorKind::schedule, "rows of several axes have no one place to peel");
    check(dealt->extent->is_constant() && dealt->extent->constant() % vector == 0, ErrorKind::schedule,
          "rows dealt to ", to_string(dealt->extent), ", which vectors of ", vector, " do not divide");
    start = Algebra(*kernel.pool).substitute(start, [&](const Atom& atom) {
      return atom.kind == AtomKind::axis ? dealt->leaf : nullptr;
    });
  }
  const Index aligned = kernel.pool->mul(Algebra(*kernel.pool).div(start, width), width);
  return loops.shift(row, kernel.pool->sub(start, aligned), vector - 1);
}

Id* merge_main(Kernel& kernel) {
  const Loops loops(kernel, kernel.main());
  const std::vector<Id*> all = loops.reference().loops;
  return all.empty() ? nullptr : all.size() == 1 ? all[0] : loops.merge_all(all);
}

Id* merge_roots(const Loops& loops, const std::vector<Id*>& roots) {
  return roots.empty() ? nullptr : loops.merge_all(roots);
}

std::vector<Tensor*> stored_values(Kernel& kernel) {
  std::vector<Tensor*> found;
  for (Tensor* store : std::vector<Tensor*>(kernel.outputs)) {
    Tensor* value = store->operands[0].tensor;
    const bool in_order = value->reference == store->reference;
    if (std::find(found.begin(), found.end(), value) != found.end() || (value->op == TensorOp::load && in_order) ||
        (value->memory == MemoryType::shared && store->reference != &kernel.main())) {
      continue;
    }
    const std::vector<Tensor*> consumers = kernel.consumers(value);
    const bool only_stored =
        std::all_of(consumers.begin(), consumers.end(), [](const Tensor* c) { return c->op == TensorOp::store; });
    if (only_stored && in_order && value->memory == MemoryType::local) {
      found.push_back(value);
    } else {
      found.push_back(&cache(kernel, *value, {store}));
      place({found.back()}, *store->reference);
    }
  }
  return found;
}

void inline_tensors(Kernel& kernel, const Reference& reference, const std::vector<Tensor*>& stored, int loads,
                    int at_stored) {
  for (Tensor* t : kernel.tensors) {
    if (t->reference != &reference) {
      continue;
    }
    const bool is_stored = std::find(stored.begin(), stored.end(), t) != stored.end();
    inline_at(*t, t->op == TensorOp::load ? loads : is_stored ? at_stored : static_cast<int>(reference.loops.size()));
  }
}

void apply(Kernel& kernel, const Params& params) {
  using Step = void (*)(Kernel&, const Params&);
  constexpr std::array<Step, 10> kFamilies = {apply_flat,  apply_tile,     apply_cpu_flat, apply_cpu_tile,
                                              apply_rows,  apply_cpu_rows, apply_columns,  apply_cpu_columns,
                                              apply_mixed, apply_cpu_mixed};
  kFamilies[static_cast<size_t>(params.family)](kernel, params);
  assign_loops(kernel);
}

}  // namespace nvfuser
