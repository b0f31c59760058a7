// SPDX-License-Identifier: Apache-2.0
// What differs between the text of the two targets, as data.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

/// Texts with $names that the printer fills in.
struct Dialect {
  std::array<std::string_view, 3> grid_index;   ///< where block indices come from
  std::array<std::string_view, 3> block_index;  ///< where thread indices come from
  std::string_view loop_index;                  ///< type of loop variables
  std::string_view set;                         ///< $to[$i] gets $value
  std::string_view move_element;                ///< $to[$i] gets $from[$j]; no conversion
  std::string_view move_vector;                 ///< $width elements from there on
  std::string_view load_unaligned;              ///< a vector of an input from any element on
  std::string_view load_once;              ///< the same, of data that is not used again soon; "" where all are equal
  std::array<std::string_view, 4> within;  ///< of lanes inside a row, at $column of $columns: a load, a load of data
                                           ///< that is not used again soon, one from any element on, a store
  std::string_view move_streamed;          ///< no more than $count of $width, past the cache; "" where none are
  std::string_view fold;                   ///< $width elements join accumulator $at of $acc: $sources, $count
  std::string_view fold_within;            ///< the same of lanes inside a row, at $column of $columns
  std::string_view tuples;                 ///< type of $count accumulators of $combiner
  std::string_view folded;                 ///< the same where vectors are folded into them
  std::string_view unroll;                 ///< line before an unrolled loop, or ""
  std::string_view vectorize;              ///< line before a loop of lanes, or ""
  std::string_view kernel_head;            ///< up to the brace: $name, $parameters, $threads, $blocks
  std::string_view cluster_head;           ///< the same of a kernel of clusters: $cluster; "" where there are none
  bool tasks;                              ///< the body stands in a loop over grid points
};

const Dialect& dialect_of(Target target);

/// `text` with every $name replaced.
std::string fill(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& values);

}  // namespace nvfuser
