// SPDX-License-Identifier: Apache-2.0
// Which lanes of a vector lie in a row: lane k does where column + k is one of its columns, 0 and up.  One comparison
// each: below 0 is beyond all columns where there is no sign.
#pragma once

#if __has_include("flavor.h")
#include "flavor.h"
#else
#include "rt/flavor.h"
#endif

namespace rt::inner {

RT_FN unsigned without_sign(int x) { return static_cast<unsigned>(x); }
RT_FN unsigned long long without_sign(long long x) { return static_cast<unsigned long long>(x); }

/// A vector's first column, and the number of the row's columns.
template <class I>
struct Inside {
  I column, columns;
  RT_MEMBER bool holds(int lane) const { return without_sign(column + lane) < without_sign(columns); }
  /// Do the first N lanes all?
  template <int N>
  RT_MEMBER bool all() const {
    return without_sign(column) < without_sign(columns < N ? I(0) : columns - (N - 1));
  }
  /// How many of the first N?
  template <int N>
  RT_MEMBER int count() const {
    const I first = column < 0 ? I(0) : column, last = column + N < columns ? column + N : columns;
    return static_cast<int>(last - first);
  }
  /// Does one of N, from `first` on?
  template <int N>
  RT_MEMBER bool some(int first = 0) const {
    return without_sign(column + (first + N - 1)) < without_sign(columns + (N - 1));
  }
};

/// Columns may be a number in the text.
template <class I, class J>
RT_FN auto inside(I column, J columns) {
  using Index = decltype(column + columns);
  return Inside<Index>{static_cast<Index>(column), static_cast<Index>(columns)};
}

}  // namespace rt::inner
