// SPDX-License-Identifier: Apache-2.0
// Accumulators of a reduction, as kernel text writes them: arrays of a row's tuples.  `Row` is a combiner of combine.h
// with its type, such as rt::Sum<rt::float32>.  Part of reduce.h.
#pragma once

// clang-format off: each part uses those before it
#if __has_include("rt/fold.h")
#include "rt/fold.h"
#include "rt/packed.h"
#else
#include "fold.h"
#include "packed.h"
#endif
// clang-format on

namespace rt {

/// Accumulator i holds no element yet.
template <class Row, class Acc, class I>
RT_FN void begin(Acc& acc, I i) {
  acc.set(i, Row::neutral());
}

/// One element of every operand, each already of the row's type.
template <class Row, class Acc, class I, class... X>
RT_FN void accumulate(Acc& acc, I i, X... x) {
  if constexpr (sizeof...(X) == 1)
    acc.set(i, inner::Folding<Row>::template join<1>(acc[i], inner::Values<inner::Element<Row>, 1>{{x...}}));
  else
    acc.set(i, Row::combine(acc[i], Row::lift(x...)));
}

/// K consecutive elements of a local array of any storage type; j is a multiple of K.
template <class Row, int K, class Acc, class I, class Source, class J>
RT_FN void fold(Acc& acc, I i, Source& source, J j) {
  acc.set(i, inner::folded<Row, K>(acc[i], source, static_cast<int>(j)));
}

/// As fold, of a vector's lanes those that lie in a row of `columns`, lane 0 at `column`; one lies there at least.
template <class Row, int K, class Acc, class I, class Source, class J, class C, class D>
RT_FN void fold_within(Acc& acc, I i, Source& source, J j, C column, D columns) {
  acc.set(i, inner::folded<Row, K>(acc[i], source, static_cast<int>(j), inner::inside(column, columns)));
}

/// A tuple by its fields, of elements that come after those of accumulator i.
template <class Row, class Acc, class I, class... State>
RT_FN void merge(Acc& acc, I i, State... state) {
  acc.set(i, Row::combine(acc[i], typename Row::Tuple{state...}));
}

/// Result P of the row.
template <class Row, int P, class Acc, class I>
RT_FN auto result(Acc& acc, I i) {
  return Row::finish(acc[i], Part<P>{});
}

/// Field P of the tuple, as merge takes it.
template <class Row, int P, class Acc, class I>
RT_FN auto state(Acc& acc, I i) {
  const typename Row::Tuple t = acc[i];
  return inner::field<P>(t);
}

}  // namespace rt
