// SPDX-License-Identifier: Apache-2.0
// Summary: what choose reads of a kernel, for any sizes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/facts_check.h"
#include "nvfuser/schedule/schedule.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

/// Instructions and special-function operations an element of one pointwise operation.
struct OpCost {
  double issue = 0, special = 0;
};

/// Reads a kernel's symbols once and counts for one set of sizes after another.  What depends on divisibility and
/// alignment alone is remembered, so numbers are all that most new sizes cost.  The kernel must outlive it,
/// unscheduled.
class Summary {
 public:
  explicit Summary(const Kernel& kernel);
  Problem at(const SizeValues& sizes, const Alignments& alignments);

 private:
  struct Access {
    const Tensor* tensor;
    size_t buffer;  ///< position among buffers_
    Id* dense;      ///< see dense_axis
    bool transposed;
    Index start;  ///< see row_start
    bool along;   ///< differs between neighbours of a row
  };
  /// Neighbours that a buffer moves at once: of the flat order, of the tile axis that it follows.
  struct Widths {
    int flat = 0, tile = 0;
  };

  void read_reductions();
  void count_points(Problem& problem, const SizeOf& value) const;
  void add_access(const Tensor& access, const TileAxes& axes);
  void count_buffers(Problem& problem, const SizeOf& value) const;
  const std::vector<Widths>& widths_for(const SizeValues& sizes, const Alignments& alignments);
  std::vector<Widths> find_widths(const SizeValues& sizes, const Alignments& alignments) const;
  int common_peel(const Problem& problem, const SizeOf& value, const Alignments& alignments) const;
  static void count_traffic(Problem& problem);
  RowForm row_form(const std::vector<Chain>& joined) const;

  const Kernel& kernel_;
  std::vector<std::string> names_;
  std::vector<const Tensor*> buffers_;
  std::vector<Access> accesses_;
  std::vector<Id*> run_;
  std::vector<Id*> row_;   ///< what is reduced; empty where nothing is
  std::vector<Id*> kept_;  ///< what is not, where something is
  bool reduces_;
  std::optional<MixedRoots> mixed_;
  std::unordered_set<const Tensor*> behind_;  ///< mixed: see behind_columns
  double held_ = 0;                           ///< see Problem, here and below
  int across_ = 0;
  bool outer_ = false;
  int sums_ = 0, passes_ = 0;
  bool whole_rows_ = false;
  Id *inner_ = nullptr, *other_ = nullptr;  ///< of tiles; null: nothing is transposed
  int widest_move_ = 1;                     ///< elements: 16 bytes of the narrowest type
  OpCost cost_;
  std::array<RowForm, 2> forms_;  ///< costs for one element
  bool streams_ = false;
  std::map<std::vector<int64_t>, std::vector<Widths>> widths_;  ///< by divisors of sizes and alignments
};

}  // namespace nvfuser
