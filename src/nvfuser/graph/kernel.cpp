// SPDX-License-Identifier: Apache-2.0
// Questions that every stage asks of an instantiated kernel: consumers, buffers, the axes of a tensor, tests.
#include "nvfuser/graph/kernel.h"

#include <algorithm>

namespace nvfuser {

namespace {

void add_axes(Index p, std::vector<Id*>& found) {
  for (const Atom* atom : atoms_of(p)) {
    if (atom->kind == AtomKind::axis) {
      found.push_back(id_of(*atom));
    }
  }
}

}  // namespace

Id* id_of(const Atom& axis) { return static_cast<Id*>(const_cast<void*>(axis.owner)); }

Id* make_id(Kernel& kernel, const std::string& name, Index extent) {
  Id& id = kernel.ids.emplace_back();
  id.serial = static_cast<uint32_t>(kernel.ids.size() - 1);
  id.name = name;
  id.extent = extent;
  id.mirror = &id;
  id.leaf = kernel.pool->axis(&id, name, extent);
  return &id;
}

Tensor* make_tensor(Kernel& kernel, TensorOp op, DataType dtype, const TensorView* view) {
  Tensor& t = kernel.storage.emplace_back();
  t.serial = static_cast<uint32_t>(kernel.storage.size() - 1);
  t.op = op;
  t.dtype = dtype;
  t.view = view;
  return &t;
}

std::vector<Tensor*> Kernel::consumers(const Tensor* t) const {
  std::vector<Tensor*> found;
  for (Tensor* c : tensors) {
    if (std::any_of(c->operands.begin(), c->operands.end(), [&](const Operand& o) { return o.tensor == t; })) {
      found.push_back(c);
    }
  }
  return found;
}

std::unordered_map<const Tensor*, std::vector<Tensor*>> consumer_table(const Kernel& kernel) {
  std::unordered_map<const Tensor*, std::vector<Tensor*>> table;
  for (Tensor* c : kernel.tensors) {
    for (const Operand& o : c->operands) {
      if (o.tensor != nullptr && (table[o.tensor].empty() || table[o.tensor].back() != c)) {
        table[o.tensor].push_back(c);
      }
    }
  }
  return table;
}

Tensor* Kernel::buffer_of(const Tensor* load) const {
  for (Tensor* t : inputs) {
    if (t->view == load->view) {
      return t;
    }
  }
  ensure(false, "a load of ", load->name, " without a buffer");
  return nullptr;
}

std::vector<Id*> needs(const Tensor& t) {
  std::vector<Id*> found;
  for (Index p : t.map) {
    add_axes(p, found);
  }
  for (const Test& test : t.tests) {
    add_axes(test.index, found);
  }
  std::sort(found.begin(), found.end(), [](const Id* a, const Id* b) { return a->serial < b->serial; });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

namespace {

/// Is index < bound provable, though the index may be negative?
bool surely_below(Index index, Index bound, const Algebra& algebra) {
  IndexPool& pool = algebra.pool();
  return algebra.nonnegative(pool.sub(pool.sub(bound, index), pool.constant(1)));
}

}  // namespace

bool holds(const Test& test, const Algebra& algebra) {
  switch (test.kind) {
    case Test::Kind::eq:
      return test.index->is(0);
    case Test::Kind::ge:
      return std::all_of(test.index->terms.begin(), test.index->terms.end(),
                         [](const Term& term) { return term.coefficient >= 0; });
    case Test::Kind::lt:
      return algebra.below(test.index, test.bound) || surely_below(test.index, test.bound, algebra);
  }
  return false;
}

std::string to_string(const Test& test) {
  switch (test.kind) {
    case Test::Kind::eq:
      return to_string(test.index) + " == 0";
    case Test::Kind::ge:
      return to_string(test.index) + " >= 0";
    case Test::Kind::lt:
      break;
  }
  return to_string(test.index) + " < " + to_string(test.bound);
}

}  // namespace nvfuser
