// SPDX-License-Identifier: Apache-2.0
// Addresses as expressions over reference axes, and what follows from their shape.
#include "nvfuser/schedule/addresses.h"

#include <algorithm>
#include <unordered_set>

#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

void collect_names(Index p, std::unordered_set<std::string>& seen, std::vector<std::string>& names) {
  for (const Atom* atom : atoms_of(p)) {
    if (atom->kind == AtomKind::size && seen.insert(atom->name).second) {
      names.push_back(atom->name);
    }
  }
}

}  // namespace

bool contains(Index p, const Atom* atom) {
  const std::vector<const Atom*> atoms = atoms_of(p);
  return std::find(atoms.begin(), atoms.end(), atom) != atoms.end();
}

std::vector<Tensor*> accesses_of(const Kernel& kernel) {
  std::vector<Tensor*> found;
  std::copy_if(kernel.tensors.begin(), kernel.tensors.end(), std::back_inserter(found),
               [](const Tensor* t) { return t->op == TensorOp::load || t->op == TensorOp::store; });
  return found;
}

const Tensor& buffer_of_access(const Kernel& kernel, const Tensor& access) {
  return access.op == TensorOp::load ? *kernel.buffer_of(&access) : access;
}

Id* dense_axis(const Kernel& kernel, const Tensor& access) {
  const std::vector<Allocation::Dim>& dims = buffer_of_access(kernel, access).allocation->dims;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (!dims[axis].stride->is(1)) {
      continue;
    }
    for (const Term& term : access.map[axis]->terms) {
      if (term.coefficient == 1 && term.atoms.size() == 1 && term.atoms[0]->kind == AtomKind::axis) {
        return id_of(*term.atoms[0]);
      }
    }
  }
  return nullptr;
}

Index row_start(const Kernel& kernel, const Tensor& access) {
  IndexPool& pool = *kernel.pool;
  const std::vector<Allocation::Dim>& dims = buffer_of_access(kernel, access).allocation->dims;
  Index total = pool.constant(0);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    total = pool.add(total, pool.mul(access.map[axis], dims[axis].stride));
  }
  const Id* row = kernel.references.front().roots.back();
  const Index start = pool.sub(total, row->leaf);
  return contains(start, row->leaf->as_atom()) ? nullptr : start;
}

bool is_transposed(const Kernel& kernel, const Tensor& access, const TileAxes& axes) {
  const std::vector<Id*> needed = needs(access);
  return axes.other != axes.inner && dense_axis(kernel, access) == axes.other &&
         std::find(needed.begin(), needed.end(), axes.inner) != needed.end();
}

TileAxes tile_axes(const Kernel& kernel) {
  TileAxes axes;
  const std::vector<Id*>& roots = kernel.references.front().roots;
  std::unordered_map<Id*, int> votes;
  for (const Tensor* access : accesses_of(kernel)) {
    Id* axis = dense_axis(kernel, *access);
    if (axis != nullptr && is_transposed(kernel, *access, {roots.back(), axis})) {
      ++votes[axis];
    }
  }
  for (Id* root : roots) {
    if (votes[root] > 0 && (axes.other == nullptr || votes[root] > votes[axes.other])) {
      axes = {roots.back(), root};
    }
  }
  return axes;
}

std::vector<std::string> size_names(const Kernel& kernel) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> names;
  for (const Reference& reference : kernel.references) {
    for (const Id* root : reference.roots) {
      collect_names(root->extent, seen, names);
    }
  }
  for (const Tensor* t : kernel.tensors) {
    for (Index p : t->map) {
      collect_names(p, seen, names);
    }
    for (const Test& test : t->tests) {
      collect_names(test.index, seen, names);
    }
    if (t->op == TensorOp::load || t->op == TensorOp::store) {
      for (const Allocation::Dim& dim : buffer_of_access(kernel, *t).allocation->dims) {
        collect_names(dim.stride, seen, names);
      }
    }
  }
  return names;
}

Workbench::Workbench(const Kernel& kernel, std::unordered_map<std::string, int64_t> divisors)
    : kernel_(kernel), algebra_(pool_, std::move(divisors)) {}

Index Workbench::import(Index p) {
  Index total = pool_.constant(0);
  for (const Term& term : p->terms) {
    Index product = pool_.constant(term.coefficient);
    for (const Atom* atom : term.atoms) {
      Index value = nullptr;
      switch (atom->kind) {
        case AtomKind::size:
          value = pool_.size(same_.contains(atom->name) ? same_.at(atom->name) : atom->name);
          break;
        case AtomKind::var:
          value = pool_.var(atom->name, import(atom->extent));
          break;
        case AtomKind::axis:
          value = values_.at(id_of(*atom));
          break;
        case AtomKind::div:
          value = algebra_.div(import(atom->a), import(atom->b));
          break;
        case AtomKind::mod:
          value = algebra_.mod(import(atom->a), import(atom->b));
          break;
        case AtomKind::xor_:
          value = algebra_.xor_(import(atom->a), import(atom->b));
          break;
        case AtomKind::data:
          value = pool_.data(atom->owner, import(atom->a), import(atom->extent));
          break;
      }
      product = pool_.mul(product, value);
    }
    total = pool_.add(total, product);
  }
  return total;
}

Index Workbench::space(const std::vector<Id*>& ids) {
  Index product = pool_.constant(1);
  for (const Id* id : ids) {
    product = pool_.mul(product, import(id->extent));
  }
  return product;
}

void Workbench::put_run(const std::vector<Id*>& run, Index flat) {
  values_.clear();
  for (const Id* root : kernel_.references.front().roots) {
    if (std::find(run.begin(), run.end(), root) == run.end()) {
      values_[root] = pool_.var("axis" + std::to_string(root->serial), import(root->extent));
    }
  }
  for (size_t k = run.size(); k-- > 0;) {
    Index extent = import(run[k]->extent);
    values_[run[k]] = k == 0 ? flat : algebra_.mod(flat, extent);
    flat = algebra_.div(flat, extent);
  }
}

Index Workbench::address(const Tensor& access) {
  const std::vector<Allocation::Dim>& dims = buffer_of_access(kernel_, access).allocation->dims;
  Index total = pool_.constant(0);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    total = pool_.add(total, pool_.mul(import(access.map[axis]), import(dims[axis].stride)));
  }
  return algebra_.tidy(total);
}

bool Workbench::is_affine(const Tensor& access, Index variable) {
  const Atom* atom = variable->as_atom();
  for (const Term& term : address(access)->terms) {
    int factors = 0;
    for (const Atom* factor : term.atoms) {
      factors += factor == atom;
      if (factor->a != nullptr && (contains(factor->a, atom) || contains(factor->b, atom))) {
        return false;
      }
    }
    if (factors > 1) {
      return false;
    }
  }
  return true;
}

bool Workbench::is_straight(const Tensor& access, Index lane, int64_t width) {
  const Atom* atom = lane->as_atom();
  Index whole = address(access);
  Index first = algebra_.substitute(whole, [&](const Atom& a) { return &a == atom ? pool_.constant(0) : nullptr; });
  return pool_.sub(whole, first) == lane && algebra_.known_divisor(first) % width == 0;
}

bool is_piece(const Kernel& kernel, const Tensor& access, const std::vector<Id*>& run) {
  Workbench bench(kernel, {});
  const Index flat = bench.pool().var("flat", bench.space(run));
  bench.put_run(run, flat);
  const Index whole = bench.address(access);
  const Index first = bench.algebra().substitute(
      whole, [&](const Atom& atom) { return &atom == flat->as_atom() ? bench.pool().constant(0) : nullptr; });
  return bench.pool().sub(whole, first) == flat;
}

std::vector<Id*> kept_run(const Kernel& kernel) { return kept_run(kernel, reduced_roots(kernel)); }

std::vector<Id*> kept_run(const Kernel& kernel, const std::vector<Id*>& reduced) {
  std::vector<Id*> run = kernel.references.front().roots;
  for (const Id* root : reduced) {
    const auto at = std::find(run.begin(), run.end(), root);
    run.erase(run.begin(), at == run.end() ? run.begin() : at + 1);
  }
  return run;
}

std::vector<Id*> affine_run(const Kernel& kernel) { return affine_run(kernel, kept_run(kernel)); }

std::vector<Id*> affine_run(const Kernel& kernel, std::vector<Id*> run) {
  const std::vector<Tensor*> accesses = accesses_of(kernel);
  for (; run.size() > 1; run.erase(run.begin())) {
    Workbench bench(kernel, {});
    Index flat = bench.pool().var("flat", bench.space(run));
    bench.put_run(run, flat);
    if (std::all_of(accesses.begin(), accesses.end(), [&](const Tensor* t) { return bench.is_affine(*t, flat); })) {
      break;
    }
  }
  return run;
}

}  // namespace nvfuser
