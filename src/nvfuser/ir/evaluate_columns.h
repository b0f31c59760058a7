// SPDX-License-Identifier: Apache-2.0
// Index columns of a block: an array of indices for each axis along which something is read.  Links speak of them as
// atoms: every column that is not an axis of the result gets an atom of its own, so no index is ever composed.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "nvfuser/integer/index.h"
#include "nvfuser/ir/evaluate_program.h"

namespace nvfuser {

/// Where a tensor is read: one entry per axis, each a constant or the atom of a column.
using ReadPoint = std::vector<Index>;

class Columns {
 public:
  Columns(BlockProgram& program, const std::vector<int64_t>& sizes);

  IndexPool& pool() { return pool_; }
  const Algebra& algebra() const { return algebra_; }
  /// Every axis at its own index.
  const ReadPoint& root() const { return root_; }
  /// The value (int64) of an index over atoms of columns.
  int value(Index index);
  /// An entry of a ReadPoint for an axis of that size.  `clamped`: indices outside are moved inside, as their values
  /// are not used; otherwise they are an error that `what` explains.
  Index read(Index index, int64_t size, bool clamped, const std::function<std::string()>& what);
  /// Distance from the first element of the elements read, when consecutive elements of the result read consecutive
  /// elements of memory.
  std::optional<int64_t> dense(const ReadPoint& at, const std::vector<int64_t>& strides) const;
  /// The value (int64) of the distance from the first element.
  int offsets(const ReadPoint& at, const std::vector<int64_t>& strides);

 private:
  struct Column {
    int64_t size;
    int value;  ///< -1: not made yet (axes of the result)
    int axis;   ///< axis of the result, or -1
  };

  Index atom(const Column& column);
  Column& column_of(const Atom& atom) const;
  int root_value(Column& column);
  int polynomial(Index index);
  int quotient(const Atom& atom);
  int constant(int64_t value);

  BlockProgram& program_;
  IndexPool pool_;
  Algebra algebra_;
  std::vector<int64_t> sizes_;
  ReadPoint root_;
  std::deque<Column> columns_;  // atoms are owned by their column
  std::unordered_map<Index, int> values_;
  std::map<std::pair<Index, int64_t>, Index> reads_;  // by size; negative: clamped
};

}  // namespace nvfuser
