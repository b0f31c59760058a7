// SPDX-License-Identifier: Apache-2.0
// Alias check.  A refusal is an error of kind schedule: the caller then writes to a temporary.
#include "nvfuser/lower/alias_check.h"

#include <algorithm>

#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

bool same_layout(const Lowering& state, const Tensor& a, const Tensor& b) {
  const auto stride = [&](const Allocation::Dim& dim) {
    return state.request.facts.with_same(state.algebra, dim.stride);
  };
  const auto& x = a.allocation->dims;
  const auto& y = b.allocation->dims;
  return a.dtype == b.dtype && std::equal(x.begin(), x.end(), y.begin(), y.end(), [&](const auto& p, const auto& q) {
           return stride(p) == stride(q) && p.extent == q.extent;
         });
}

std::vector<const Id*> bound_loops(const Tensor& t) {
  std::vector<const Id*> found;
  for (const Id* loop : t.loop) {
    if (loop != nullptr && is_bound(loop->parallel)) {
      found.push_back(loop);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Does the store stand in a loop of the kernel on which it does not depend?  Then it runs again after its first write.
bool is_repeated(const Lowering& state, const Tensor& store) {
  for (size_t k = 0; k < store.loop.size(); ++k) {
    const Id* loop = state.groups[state.group_of.at(&store)[k]].loop;
    if (loop != nullptr && store.loop[k] == nullptr && !is_bound(loop->parallel) && !loop->extent->is(1)) {
      return true;
    }
  }
  return false;
}

void check_alias(Lowering& state, const Tensor& buffer, const Tensor& store) {
  const auto refuse_unless = [&](bool ok, const char* why) {
    check(ok, ErrorKind::schedule, store.name, " cannot be written in place of ", buffer.name, ": ", why);
  };
  refuse_unless(same_layout(state, buffer, store), "another layout");
  const std::vector<Test> writers = single_writer_tests(state, store);
  const bool one_writer =
      std::all_of(writers.begin(), writers.end(), [&](const Test& t) { return holds(t, state.algebra); });
  refuse_unless(!is_repeated(state, store), "it would be written in a loop that reads it again");
  for (const Tensor* t : state.tensors) {
    if (t->op == TensorOp::load && state.kernel.buffer_of(t) == &buffer) {
      refuse_unless(t->map == store.map, "read and write have different maps");
      refuse_unless(bound_loops(*t) == bound_loops(store) && one_writer, "it is read and written by different threads");
    }
  }
}

/// A phase that comes after the store would read what it wrote.
void check_later_phases(const Lowering& state, const Tensor& buffer, const Tensor& store) {
  for (const Tensor* t : state.kernel.tensors) {
    check(t->op != TensorOp::load || t->phase <= store.phase || state.kernel.buffer_of(t) != &buffer,
          ErrorKind::schedule, store.name, " cannot be written in place of ", buffer.name, ": a later phase reads it");
  }
}

}  // namespace

void check_aliases(Lowering& state) {
  for (const auto& [input, output] : state.request.aliases) {
    const Tensor& buffer = *state.kernel.inputs.at(input);
    const Tensor& store = *state.kernel.outputs.at(output);
    if (std::find(state.tensors.begin(), state.tensors.end(), &store) != state.tensors.end()) {
      check_later_phases(state, buffer, store);
      check_alias(state, buffer, store);
    }
  }
  state.program.aliases = state.request.aliases;
}

}  // namespace nvfuser
