// SPDX-License-Identifier: Apache-2.0
// The axis lists of a tensor: root, logical, allocation and loop, and the rules between them.
#include <algorithm>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

std::vector<IterDomain*> TensorDomain::no_reductions() const {
  std::vector<IterDomain*> axes;
  std::copy_if(logical_.begin(), logical_.end(), std::back_inserter(axes),
               [](const IterDomain* a) { return !a->is_reduction(); });
  return axes;
}

void TensorDomain::set_allocation(std::vector<IterDomain*> allocation, std::vector<std::optional<bool>> contiguity) {
  check(std::is_permutation(allocation.begin(), allocation.end(), logical_.begin(), logical_.end()), ErrorKind::shape,
        "an allocation domain must be a permutation of the ", logical_.size(), " logical axes ", *this, "; got ",
        allocation.size(), " axes that are not one");
  check(contiguity.size() == allocation.size(), ErrorKind::shape, "contiguity needs one flag for each of the ",
        allocation.size(), " allocation axes; got ", contiguity.size());
  for (size_t k = 0; k < allocation.size(); ++k) {
    check(!(allocation[k]->is_broadcast() && contiguity[k].has_value()), ErrorKind::shape, "broadcast axis ",
          *allocation[k], " at allocation position ", k, " takes no contiguity flag (None was expected)");
    check(allocation[k]->is_broadcast() || allocation[k]->is_reduction() || contiguity[k].has_value(), ErrorKind::shape,
          "axis ", *allocation[k], " at allocation position ", k, " needs a contiguity flag; got None");
  }
  allocation_ = std::move(allocation);
  contiguity_ = std::move(contiguity);
}

}  // namespace nvfuser
