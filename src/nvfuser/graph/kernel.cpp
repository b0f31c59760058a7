// SPDX-License-Identifier: Apache-2.0
// Questions that every stage asks of an instantiated kernel: consumers, buffers, the axes of a tensor, tests.
#include "nvfuser/graph/kernel.h"

#include <algorithm>

namespace nvfuser {

namespace {

void add_axes(Index p, std::vector<Id*>& found) {
  for (const Atom* atom : atoms_of(p)) {
    if (atom->kind == AtomKind::axis && std::find(found.begin(), found.end(), id_of(*atom)) == found.end()) {
      found.push_back(id_of(*atom));
    }
  }
}

}  // namespace

std::vector<const Atom*> data_atoms(const std::vector<Index>& map) {
  std::vector<const Atom*> found;
  for (Index p : map) {
    for (const Atom* atom : atoms_of(p)) {
      if (atom->kind == AtomKind::data && std::find(found.begin(), found.end(), atom) == found.end()) {
        found.push_back(atom);
      }
    }
  }
  return found;
}

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

namespace {

/// Readers of any part are readers of all.
void share_consumers(const Tensor& leader, std::unordered_map<const Tensor*, std::vector<Tensor*>>& table) {
  std::vector<Tensor*> all;
  for (const Tensor* part : leader.reduction->parts) {
    for (Tensor* c : table[part]) {
      if (std::find(all.begin(), all.end(), c) == all.end()) {
        all.push_back(c);
      }
    }
  }
  for (const Tensor* part : leader.reduction->parts) {
    table[part] = all;
  }
}

}  // namespace

std::unordered_map<const Tensor*, std::vector<Tensor*>> consumer_table(const Kernel& kernel) {
  std::unordered_map<const Tensor*, std::vector<Tensor*>> table;
  for (Tensor* c : kernel.tensors) {
    for (const Operand& o : c->operands) {
      if (o.tensor != nullptr && (table[o.tensor].empty() || table[o.tensor].back() != c)) {
        table[o.tensor].push_back(c);
      }
    }
  }
  for (const Tensor* t : kernel.tensors) {
    if (t->op == TensorOp::reduce && !is_later_part(*t)) {
      share_consumers(*t, table);
    }
  }
  return table;
}

bool reduces(const Kernel& kernel) {
  return std::any_of(kernel.tensors.begin(), kernel.tensors.end(),
                     [](const Tensor* t) { return t->op == TensorOp::reduce; });
}

int phase_count(const Kernel& kernel) {
  int last = 0;
  for (const Tensor* t : kernel.tensors) {
    last = std::max(last, t->phase);
  }
  return last + 1;
}

Tensor* Kernel::buffer_of(const Tensor* load) const {
  if (load->workspace != nullptr) {
    return load->workspace;
  }
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
  const std::vector<Id*> own = found;
  for (const Id* id : t.reference != nullptr ? own : std::vector<Id*>{}) {
    add_shift_axes(*t.reference, id, found);
  }
  std::sort(found.begin(), found.end(), [](const Id* a, const Id* b) { return a->serial < b->serial; });
  return found;
}

std::vector<Id*> leaves(const Tensor& t) {
  std::vector<Id*> found = needs(t);
  if (t.op == TensorOp::reduce) {
    found.insert(found.end(), t.reduction->axes.begin(), t.reduction->axes.end());
  }
  return found;
}

void add_shift_axes(const Reference& reference, const Id* id, std::vector<Id*>& found) {
  const auto use = reference.uses.find(id);
  if (use == reference.uses.end()) {
    return;
  }
  for (const Id* out : use->second->outputs) {
    add_shift_axes(reference, out, found);
  }
  if (use->second->kind == Transform::Kind::shift) {
    const size_t known = found.size();
    add_axes(use->second->amount, found);
    const std::vector<Id*> fresh(found.begin() + static_cast<std::ptrdiff_t>(known), found.end());
    for (const Id* axis : fresh) {
      add_shift_axes(reference, axis, found);
    }
  }
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
