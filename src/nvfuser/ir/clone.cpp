// SPDX-License-Identifier: Apache-2.0
// A copy of a fusion: every node again in order of creation, so numbers, and with them names, stay.
#include "nvfuser/ir/node_copier.h"

namespace nvfuser {

std::shared_ptr<Fusion> clone(const Fusion& fusion, std::vector<std::pair<const Val*, Val*>>* map) {
  std::shared_ptr<Fusion> copy = Fusion::make();
  NodeCopier copies(*copy);
  const std::vector<const Statement*> nodes = fusion.statements();
  for (const Statement* node : nodes) {
    const auto* val = dynamic_cast<const Val*>(node);
    if (val == nullptr) {
      copies.copy(static_cast<const Expr&>(*node));
    } else if (!val->is_scalar() || val->definition() == nullptr) {
      copies(val);
    } else {
      copies.replace(val, copy->symbolic(val->dtype()));  // its definition follows in its place
    }
  }
  copies.copy_boundary(fusion);
  for (const Statement* node : nodes) {
    const auto* domain = dynamic_cast<const TensorDomain*>(node);
    if (domain != nullptr && domain->loop() != domain->logical()) {
      static_cast<TensorDomain*>(copies(domain))->set_loop(copies.mapped<IterDomain>(domain->loop()));
    }
  }
  if (map != nullptr) {
    for (const Statement* node : nodes) {
      if (const auto* val = dynamic_cast<const Val*>(node)) {
        map->emplace_back(val, copies(val));
      }
    }
  }
  copy->locator = fusion.locator;
  return copy;
}

}  // namespace nvfuser
