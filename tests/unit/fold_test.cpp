// SPDX-License-Identifier: Apache-2.0
// Accumulators of rt/reduce.h alone: folds of any width and storage type give what elements one by one give, in their
// order; tuples survive being stored by their fields; special values.
#include <gtest/gtest.h>

#include <cmath>

#include "team_fixture.h"

namespace nvfuser {
namespace {

/// body() by one emulated thread, which must not fault.
template <class Body>
void run_thread(const Body& body) {
  const Outcome o = run_block(1, 0, 1, [&](int) { body(); }, false);
  EXPECT_EQ(o.faults, 0) << o.message;
}

float value_of(int k) { return std::sin(float(k) * 1.3f) * 2.0f; }

template <class Row, int K, class S>
typename Row::Tuple folded(int turns) {
  typename Row::Tuple t{};
  run_thread([&] {
    rt::Array<S, 2 * K> source;
    rt::Array<typename Row::Tuple, 3> acc;
    rt::begin<Row>(acc, 1);
    for (int turn = 0; turn < turns; ++turn) {
      for (int k = 0; k < K; ++k) {
        source.set(k, rt::to<S>(0.0f));
        source.set(K + k, rt::to<S>(value_of(turn * K + k)));
      }
      rt::fold<Row, K>(acc, 1, source, (long long)K);
    }
    t = acc[1];
  });
  return t;
}

template <int K, class S>
void expect_like_float64(int turns) {
  const int count = turns * K;
  std::vector<double> x(count);
  double sum = 0, most = -INFINITY, least = INFINITY, squares = 0, exps = 0;
  for (int k = 0; k < count; ++k) {
    x[k] = rt::to<double>(rt::to<S>(value_of(k)));
    sum += x[k];
    most = std::max(most, x[k]);
    least = std::min(least, x[k]);
  }
  for (const double v : x) {
    squares += (v - sum / count) * (v - sum / count);
    exps += std::exp(v - most);
  }
  const double near = 4e-7 * count;
  EXPECT_NEAR((folded<rt::Sum<float>, K, S>(turns).a), sum, near);
  EXPECT_EQ((folded<rt::Max<float>, K, S>(turns).a), float(most));
  EXPECT_EQ((folded<rt::Min<float>, K, S>(turns).a), float(least));
  const auto moments = folded<rt::Welford<float>, K, S>(turns);
  EXPECT_NEAR(moments.mean, sum / count, 4e-7);
  EXPECT_NEAR(moments.squares, squares, near);
  EXPECT_EQ(moments.count, float(count));
  const auto softmax = folded<rt::SoftmaxSums<float>, K, S>(turns);
  EXPECT_EQ(softmax.most, float(most));
  EXPECT_NEAR(softmax.sum, exps, near);
}

TEST(Fold, AnyWidthAndStorageIsLikeFloat64) {
  expect_like_float64<1, float>(40);
  expect_like_float64<2, float>(20);
  expect_like_float64<3, float>(20);
  expect_like_float64<8, float>(1);
  expect_like_float64<8, rt::bfloat16>(12);
  expect_like_float64<16, rt::float16>(12);
  expect_like_float64<7, rt::bfloat16>(9);
  expect_like_float64<16, rt::float8_e4m3fn>(12);
  expect_like_float64<16, rt::float8_e5m2>(12);
}

TEST(Fold, KeepsTheOrderOfElements) {
  run_thread([] {
    rt::Array<int, 16> source;
    rt::Array<Sequence<int>::Tuple, 1> acc;
    rt::begin<Sequence<int>>(acc, 0);
    for (int turn = 0; turn < 4; ++turn) {
      for (int k = 0; k < 16; ++k) {
        source.set(k, 16 * turn + k);
      }
      rt::fold<Sequence<int>, 8>(acc, 0, source, 0);
      rt::fold<Sequence<int>, 3>(acc, 0, source, 8);
      rt::fold<Sequence<int>, 5>(acc, 0, source, 11);
    }
    EXPECT_EQ((rt::result<Sequence<int>, 0>(acc, 0)), 64);
    // Anything else is seen.
    rt::accumulate<Sequence<int>>(acc, 0, 63);
    EXPECT_EQ((rt::result<Sequence<int>, 0>(acc, 0)), -1);
  });
}

TEST(Fold, IntegersAndTruth) {
  run_thread([] {
    rt::Array<rt::int32, 4> numbers;
    rt::Array<rt::boolean, 4> flags;
    for (int k = 0; k < 4; ++k) {
      numbers.set(k, 2000000000 + k);
      flags.set(k, k == 2);
    }
    rt::Array<rt::Sum<rt::int64>::Tuple, 1> sum;
    rt::Array<rt::Any<rt::boolean>::Tuple, 1> any;
    rt::Array<rt::All<rt::boolean>::Tuple, 1> all;
    rt::begin<rt::Sum<rt::int64>>(sum, 0);
    rt::begin<rt::Any<rt::boolean>>(any, 0);
    rt::begin<rt::All<rt::boolean>>(all, 0);
    rt::fold<rt::Sum<rt::int64>, 4>(sum, 0, numbers, 0);
    rt::fold<rt::Any<rt::boolean>, 4>(any, 0, flags, 0);
    rt::fold<rt::All<rt::boolean>, 4>(all, 0, flags, 0);
    EXPECT_EQ((rt::result<rt::Sum<rt::int64>, 0>(sum, 0)), 8000000006ll);
    EXPECT_TRUE((rt::result<rt::Any<rt::boolean>, 0>(any, 0)));
    EXPECT_FALSE((rt::result<rt::All<rt::boolean>, 0>(all, 0)));
  });
}

/// Vectors at every place over rows of every length: as the elements inside one by one.  What lies outside is NaN.
template <class Row, class S, int K, class... P>
void expect_folds_within(double near) {
  const auto value = [](int k) { return rt::to<S>(value_of(k)); };
  for (int columns = 1; columns < 3 * K; ++columns) {
    for (int start = 0; start < K; ++start) {
      run_thread([&] {
        rt::Array<S, K> source;
        rt::Array<typename Row::Tuple, 2> acc;
        rt::begin<Row>(acc, 0);
        rt::begin<Row>(acc, 1);
        for (int column = -start; column < columns; column += K) {
          for (int k = 0; k < K; ++k) {
            const bool inside = column + k >= 0 && column + k < columns;
            source.set(k, inside ? value(column + k) : rt::beyond_row<S>());
          }
          rt::fold_within<Row, K>(acc, 0, source, 0, column, columns);
        }
        for (int k = 0; k < columns; ++k) {
          rt::accumulate<Row>(acc, 1, rt::to<typename Row::Element>(value(k)));
        }
        const auto expect = [&](auto got, auto wanted) {
          EXPECT_NEAR(double(got), double(wanted), near * columns) << "start " << start << " of " << columns;
        };
        (expect(Row::finish(acc[0], P()), Row::finish(acc[1], P())), ...);
      });
    }
  }
}

TEST(Fold, LanesBeyondARowJoinNothing) {
  using rt::Part;
  expect_folds_within<rt::Sum<float>, float, 4, Part<0>>(2e-7);
  expect_folds_within<rt::Sum<float>, rt::bfloat16, 8, Part<0>>(4e-7);
  expect_folds_within<rt::Sum<rt::int64>, rt::int32, 4, Part<0>>(0);
  expect_folds_within<rt::Product<float>, float, 4, Part<0>>(1e-6);
  expect_folds_within<rt::Max<float>, rt::bfloat16, 8, Part<0>>(0);
  expect_folds_within<rt::Min<float>, rt::float8_e4m3fn, 8, Part<0>>(0);
  expect_folds_within<rt::Max<rt::int32>, rt::int32, 4, Part<0>>(0);
  expect_folds_within<rt::Any<float>, float, 4, Part<0>>(0);
  expect_folds_within<rt::All<rt::int32>, rt::int32, 4, Part<0>>(0);
  expect_folds_within<rt::Welford<float>, rt::float16, 8, Part<0>, Part<1>, Part<2>>(1e-6);
  expect_folds_within<rt::MomentSums<float>, rt::bfloat16, 8, Part<0>, Part<1>>(1e-5);
  expect_folds_within<rt::Welford<double>, float, 4, Part<0>, Part<1>, Part<2>>(1e-14);
  expect_folds_within<rt::SoftmaxSums<float>, rt::bfloat16, 8, Part<0>, Part<1>>(1e-6);
  expect_folds_within<rt::SoftmaxSums<float>, rt::float8_e4m3fn, 16, Part<0>, Part<1>>(1e-6);
}

/// Half of the elements in each of two accumulators; one goes through its fields into the other.
template <class Row, class... P>
void expect_states_merge() {
  run_thread([] {
    rt::Array<typename Row::Tuple, 2> acc;
    rt::Array<typename Row::Tuple, 1> whole;
    rt::begin<Row>(acc, 0);
    rt::begin<Row>(acc, 1);
    rt::begin<Row>(whole, 0);
    for (int k = 0; k < 12; ++k) {
      rt::accumulate<Row>(acc, k / 6, value_of(k));
      rt::accumulate<Row>(whole, 0, value_of(k));
    }
    if constexpr (rt::inner::kFields<typename Row::Tuple> == 3) {
      rt::merge<Row>(acc, 0, rt::state<Row, 0>(acc, 1), rt::state<Row, 1>(acc, 1), rt::state<Row, 2>(acc, 1));
      EXPECT_EQ((rt::state<Row, 2>(acc, 0)), (rt::state<Row, 2>(whole, 0)));
    } else if constexpr (rt::inner::kFields<typename Row::Tuple> == 2) {
      rt::merge<Row>(acc, 0, rt::state<Row, 0>(acc, 1), rt::state<Row, 1>(acc, 1));
    } else {
      rt::merge<Row>(acc, 0, rt::state<Row, 0>(acc, 1));
    }
    EXPECT_NEAR((rt::result<Row, 0>(acc, 0)), (rt::result<Row, 0>(whole, 0)), 1e-6);
    if constexpr (rt::inner::kFields<typename Row::Tuple> > 1) {
      EXPECT_NEAR((rt::result<Row, 1>(acc, 0)), (rt::result<Row, 1>(whole, 0)), 1e-5);
    }
  });
}

TEST(Fold, TuplesGoThroughTheirFields) {
  expect_states_merge<rt::Sum<float>>();
  expect_states_merge<rt::Max<float>>();
  expect_states_merge<rt::SoftmaxSums<float>>();
  expect_states_merge<rt::Welford<float>>();
  expect_states_merge<rt::MomentSums<float>>();
  static_assert(rt::inner::kFields<rt::Sum<rt::complex64>::Tuple> == 1);
  static_assert(rt::inner::kFields<rt::Welford<rt::complex128>::Tuple> == 3);
  static_assert(rt::inner::kFields<rt::ArgMax<double>::Tuple> == 2);
}

TEST(Fold, PlacesOfExtremes) {
  run_thread([] {
    using Row = rt::ArgMax<float>;
    rt::Array<Row::Tuple, 1> acc;
    rt::begin<Row>(acc, 0);
    for (int k = 0; k < 9; ++k) {
      rt::accumulate<Row>(acc, 0, float(k % 4), rt::int64(100 + k));
    }
    EXPECT_EQ((rt::result<Row, 0>(acc, 0)), 103);
    EXPECT_EQ((rt::state<Row, 0>(acc, 0)), 3.0f);
  });
}

TEST(Fold, SpecialValues) {
  struct Case {
    float x, most, sum;
  };
  const float inf = INFINITY;
  for (const Case& c : {Case{-inf, -inf, 0}, {inf, inf, NAN}, {NAN, NAN, NAN}, {1e-40f, 1e-40f, 4}}) {
    run_thread([&] {
      using Row = rt::SoftmaxSums<float>;
      rt::Array<float, 4> source;
      rt::Array<Row::Tuple, 1> acc;
      rt::begin<Row>(acc, 0);
      for (int k = 0; k < 4; ++k) {
        source.set(k, c.x);
      }
      rt::fold<Row, 4>(acc, 0, source, 0);
      const float most = rt::result<Row, 0>(acc, 0), sum = rt::result<Row, 1>(acc, 0);
      EXPECT_TRUE(most == c.most || (most != most && c.most != c.most)) << most;
      EXPECT_TRUE(sum == c.sum || (sum != sum && c.sum != c.sum)) << sum << " for " << c.x;
    });
  }
}

}  // namespace
}  // namespace nvfuser
