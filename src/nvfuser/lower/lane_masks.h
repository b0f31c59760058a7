// SPDX-License-Identifier: Apache-2.0
// Vectors at both ends of a row: lanes beyond it are masked in one text, in place of a copy with a test for each.
#pragma once

#include <optional>
#include <unordered_set>

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Over the nest in its order: what one loop leaves undefined in some lanes, later ones may not use.
class LaneMasks {
 public:
  explicit LaneMasks(Lowering& state) : state_(state) {}

  /// Where every test of the lanes inside says that they lie in a row, from its first column to its last: loads, stores
  /// and folds take the lanes inside, values are computed in all lanes, and one test says that some lane is inside.
  /// What can do none of that keeps a test for each lane.  False where nothing is of this form.
  bool mask(Item& loop);
  /// Remembers what is not defined in all lanes after loops that run as they stand.
  void note(const std::vector<Item>& body);

 private:
  void mask_lanes(Item& lanes);
  std::optional<Within> row_of(const Item& lanes) const;
  std::optional<Within> row_of(const Item& step, const Atom* lane) const;
  void weaken(Item& step, const Item& lanes) const;
  bool is_defined(const Place& place) const;
  bool runs_anywhere(const Item& step, const Item& lanes) const;

  Lowering& state_;
  std::unordered_set<const Tensor*> partial_;
};

}  // namespace nvfuser
