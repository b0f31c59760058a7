// SPDX-License-Identifier: Apache-2.0
// Elements of a local array as operands of a fold.  cuda/packed.h is its twin, which takes narrow floats two at a time.
#pragma once

namespace rt::inner {

/// The K elements from j on, as T.
template <class T, int K, class Source>
RT_FN Values<T, K> values_of(Source& source, int j) {
  Values<T, K> x;
  repeat<K>([&](int k) { x.v[k] = to<T>(source[j + k]); });
  return x;
}

/// `a` with the K elements from j on; of lanes, with those that are inside.
template <class Row, int K, class Source, class... Lanes>
RT_FN typename Row::Tuple folded(const typename Row::Tuple& a, Source& source, int j, const Lanes&... lanes) {
  return Folding<Row>::template join<K>(a, values_of<Element<Row>, K>(source, j), lanes...);
}

}  // namespace rt::inner
