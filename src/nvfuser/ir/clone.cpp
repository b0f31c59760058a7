// SPDX-License-Identifier: Apache-2.0
// A copy of a fusion: every node again in order of creation, so numbers, and with them names, stay.
#include <unordered_map>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

namespace {

class Copier {
 public:
  explicit Copier(Fusion& to) : to_(to) {}

  Val* operator()(const Val* old) const { return old == nullptr ? nullptr : copies_.at(old); }

  void copy(const Statement& node) {
    if (const auto* val = dynamic_cast<const Val*>(&node)) {
      copies_[val] = copy_val(*val);
    } else {
      const auto& expr = static_cast<const Expr&>(node);
      to_.locator = [&expr] { return expr.location(); };
      to_.expr(expr.kind(), mapped<Val>(expr.inputs()), mapped<Val>(expr.outputs()), expr.attributes());
      to_.locator = nullptr;
    }
  }

  template <class T, class Old>
  std::vector<T*> mapped(const std::vector<Old*>& old) const {
    std::vector<T*> result;
    for (const Old* v : old) {
      result.push_back(static_cast<T*>((*this)(v)));
    }
    return result;
  }

 private:
  Val* copy_val(const Val& val) {
    switch (val.kind()) {
      case ValKind::scalar:
        return val.is_constant() ? to_.constant(*val.constant(), val.dtype()) : to_.symbolic(val.dtype());
      case ValKind::iter_domain: {
        const auto& axis = static_cast<const IterDomain&>(val);
        IterDomain* copy = to_.axis((*this)(axis.extent()), axis.iter_type(), (*this)(axis.expanded_extent()));
        copy->parallelize(axis.parallel_type());
        return copy;
      }
      case ValKind::tensor_domain: {
        const auto& domain = static_cast<const TensorDomain&>(val);
        return to_.domain(mapped<IterDomain>(domain.root()), mapped<IterDomain>(domain.logical()));
      }
      default: {
        const auto& tensor = static_cast<const TensorView&>(val);
        return to_.tensor(static_cast<TensorDomain*>((*this)(tensor.domain())), tensor.dtype(), tensor.is_cpu_scalar());
      }
    }
  }

  Fusion& to_;
  std::unordered_map<const Val*, Val*> copies_;
};

void copy_boundary(const Fusion& from, Fusion& to, const Copier& copies) {
  for (const Val* input : from.inputs()) {
    to.add_input(copies(input));
  }
  for (size_t k = 0; k < from.outputs().size(); ++k) {
    auto* output = static_cast<TensorView*>(copies(from.outputs()[k]));
    const OutputAlias* alias = from.alias(k);
    if (alias == nullptr || !alias->hidden) {
      to.add_output(output);
    }
    if (alias != nullptr && (alias->hidden || to.alias(k) == nullptr)) {
      to.add_output(output, static_cast<TensorView*>(copies(alias->input)));
    }
  }
}

}  // namespace

std::shared_ptr<Fusion> clone(const Fusion& fusion, std::vector<std::pair<const Val*, Val*>>* map) {
  std::shared_ptr<Fusion> copy = Fusion::make();
  Copier copies(*copy);
  const std::vector<const Statement*> nodes = fusion.statements();
  for (const Statement* node : nodes) {
    copies.copy(*node);
  }
  copy_boundary(fusion, *copy, copies);
  for (const Statement* node : nodes) {  // what the boundary and later calls have set on nodes
    const auto* val = dynamic_cast<const Val*>(node);
    if (val != nullptr && val->kind() == ValKind::tensor_domain) {
      const auto& domain = static_cast<const TensorDomain&>(*val);
      static_cast<TensorDomain*>(copies(val))
          ->set_allocation(copies.mapped<IterDomain>(domain.allocation()), domain.contiguity());
    } else if (val != nullptr && val->is_tensor()) {
      static_cast<TensorView*>(copies(val))->set_memory_type(static_cast<const TensorView*>(val)->memory_type());
    }
    if (val != nullptr && map != nullptr) {
      map->emplace_back(val, copies(val));
    }
  }
  copy->locator = fusion.locator;
  return copy;
}

}  // namespace nvfuser
