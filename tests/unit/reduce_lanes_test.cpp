// SPDX-License-Identifier: Apache-2.0
// Reductions of host kernels: rows of any length, in chunks, through SIMD lanes, against float64; columns of tuples.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

// clang-format off: the flavor's memory comes first
#include "nvfuser/device/cpu/memory.h"
#include "nvfuser/device/cpu/reduce.h"
// clang-format on

namespace nvfuser {
namespace {

template <class S>
std::vector<S> values(int count) {
  std::vector<S> x(count);
  for (int k = 0; k < count; ++k) {
    x[k] = rt::to<S>(std::sin(double(k) * 1.1) * 4.0);
  }
  return x;
}

/// All of x in chunks of K, as a kernel has them.
template <class Row, int K, class S>
rt::Array<rt::Lanes<Row>, 1> folded(const std::vector<S>& x) {
  rt::Array<rt::Lanes<Row>, 1> acc;
  rt::begin<Row>(acc, 0);
  const long long count = x.size();
  for (long long at = 0; at < count; at += K) {
    rt::Array<S, K> chunk;
    for (int k = 0; k < K; ++k) {
      chunk[k] = at + k < count ? x[at + k] : rt::to<S>(1e9);  // what lies behind the end must not be read
    }
    rt::fold_up_to<Row, K>(acc, 0, chunk, 0, count - at);
  }
  return acc;
}

template <int K, class S, class T>
void expect_like_float64(int count) {
  const std::vector<S> x = values<S>(count);
  const double unit = sizeof(T) == 4 ? 1.2e-7 : 2.3e-16;
  long double sum = 0, size = 0, squares = 0, exps = 0;  // beyond float64, which is tested too
  double most = -INFINITY, least = INFINITY;
  for (const S v : x) {
    const double d = rt::to<double>(v);
    sum += d;
    size += d < 0 ? -d : d;
    most = std::max(most, d);
    least = std::min(least, d);
  }
  for (const S v : x) {
    const double d = rt::to<double>(v);
    squares += (d - sum / count) * (d - sum / count);
    exps += std::exp(static_cast<long double>(d - most));
  }
  auto sums = folded<rt::Sum<T>, K>(x);
  auto maxima = folded<rt::Max<T>, K>(x);
  auto minima = folded<rt::Min<T>, K>(x);
  auto moments = folded<rt::Welford<T>, K>(x);
  auto softmax = folded<rt::SoftmaxSums<T>, K>(x);
  // Far below n ulp: lanes and rounds add pair by pair.
  EXPECT_NEAR((rt::result<rt::Sum<T>, 0>(sums, 0)), double(sum), double(4 * unit * size)) << count;
  EXPECT_EQ((rt::result<rt::Max<T>, 0>(maxima, 0)), T(most)) << count;
  EXPECT_EQ((rt::result<rt::Min<T>, 0>(minima, 0)), T(least)) << count;
  EXPECT_EQ((rt::result<rt::Welford<T>, 2>(moments, 0)), count);
  EXPECT_EQ((rt::result<rt::SoftmaxSums<T>, 0>(softmax, 0)), T(most)) << count;
  EXPECT_NEAR((rt::result<rt::SoftmaxSums<T>, 1>(softmax, 0)), double(exps), double(8 * unit * exps)) << count;
  if (count) {
    EXPECT_NEAR((rt::result<rt::Welford<T>, 0>(moments, 0)), double(sum / count), double(8 * unit * size / count))
        << count;
    EXPECT_NEAR((rt::result<rt::Welford<T>, 1>(moments, 0)), double(squares), double(16 * unit * squares)) << count;
  }
}

TEST(ReduceLanes, RowsOfAnyLengthAreLikeFloat64) {
  for (const int count : {0, 1, 3, 31, 63, 64, 65, 255, 511, 512, 513, 1000, 1024, 4097, 70001}) {
    expect_like_float64<512, float, float>(count);
    expect_like_float64<512, double, double>(count);
    expect_like_float64<512, rt::bfloat16, float>(count);
    expect_like_float64<48, float, float>(count);
  }
}

TEST(ReduceLanes, FoldsOfAWholeChunkNeedNoLimit) {
  rt::Array<float, 128> chunk;
  for (int k = 0; k < 128; ++k) {
    chunk[k] = float(k);
  }
  using Row = rt::Sum<float>;
  rt::Array<rt::Lanes<Row>, 2> acc;
  rt::begin<Row>(acc, 1);
  rt::fold<Row, 64>(acc, 1, chunk, 64);
  rt::accumulate<Row>(acc, 1, 0.5f);
  rt::merge<Row>(acc, 1, 0.25f);
  EXPECT_EQ((rt::state<Row, 0>(acc, 1)), 64 * 95.5f + 0.75f);
}

TEST(ReduceLanes, SpecialValuesReachTheResult) {
  struct Case {
    float one, others, most, least, exps;
  };
  const float inf = INFINITY, nan = NAN;
  for (const Case& c :
       {Case{nan, 1, nan, nan, nan}, {inf, 1, inf, 1, nan}, {-inf, 1, 1, -inf, 699}, {-inf, -inf, -inf, -inf, 0}}) {
    for (const int at : {0, 77, 511, 600, 699}) {
      std::vector<float> x(700, c.others);
      x[at] = c.one;
      auto maxima = folded<rt::Max<float>, 512>(x);
      auto minima = folded<rt::Min<float>, 512>(x);
      auto softmax = folded<rt::SoftmaxSums<float>, 512>(x);
      const auto same = [](float a, float b) { return a == b || (a != a && b != b); };
      EXPECT_TRUE(same(rt::result<rt::Max<float>, 0>(maxima, 0), c.most));
      EXPECT_TRUE(same(rt::result<rt::Min<float>, 0>(minima, 0), c.least));
      const float exps = rt::result<rt::SoftmaxSums<float>, 1>(softmax, 0);
      EXPECT_TRUE(same(exps, c.exps)) << exps << " for " << c.exps;
    }
  }
}

TEST(ReduceLanes, PlacesOfExtremesAreTheFirst) {
  using Row = rt::ArgMax<float>;
  for (const int count : {1, 65, 700}) {
    rt::Array<rt::Lanes<Row>, 1> acc;
    rt::begin<Row>(acc, 0);
    for (int at = 0; at < count; at += 512) {
      rt::Array<float, 512> x;
      rt::Array<rt::int64, 512> places;
      for (int k = 0; k < 512; ++k) {
        x[k] = at + k < count ? float((at + k) % 40) : 1e9f;
        places[k] = at + k;
      }
      rt::fold_up_to<Row, 512>(acc, 0, x, 0, places, 0, count - at);
    }
    EXPECT_EQ((rt::result<Row, 0>(acc, 0)), count == 1 ? 0 : 39);
  }
}

TEST(ReduceLanes, ColumnsAreTuples) {
  using Row = rt::Welford<float>;
  rt::Array<Row::Tuple, 8> acc;
  for (int l = 0; l < 8; ++l) {
    rt::begin<Row>(acc, l);
  }
  for (int row = 0; row < 10; ++row) {
    for (int l = 0; l < 8; ++l) {
      rt::accumulate<Row>(acc, l, float(row * (l + 1)));
    }
  }
  for (int l = 0; l < 8; ++l) {
    EXPECT_NEAR((rt::result<Row, 0>(acc, l)), 4.5f * float(l + 1), 1e-5f);
    EXPECT_NEAR((rt::result<Row, 1>(acc, l)), 82.5f * float((l + 1) * (l + 1)), 1e-2f);
  }
}

}  // namespace
}  // namespace nvfuser
