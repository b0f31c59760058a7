// SPDX-License-Identifier: Apache-2.0
// Equal fusions share an executor; the least recently used one goes first.
#include "nvfuser/runtime/fusion_cache.h"

#include <gtest/gtest.h>

#include "nvfuser/ops/define.h"
#include "nvfuser/ops/pointwise_builder.h"

namespace nvfuser {
namespace {

std::shared_ptr<Fusion> scaled(double factor) {
  std::shared_ptr<Fusion> fusion = Fusion::make();
  TensorView* x = define_tensor(*fusion, {-1}, true);
  fusion->add_input(x);
  fusion->add_output(pointwise(PointwiseOp::mul, {x, fusion->constant(factor, DataType::Double)}));
  return fusion;
}

TEST(FusionCache, EqualFusionsShareAnExecutor) {
  FusionCache cache(4);
  const auto first = cache.get(scaled(2));
  EXPECT_EQ(cache.get(scaled(2)), first);
  EXPECT_NE(cache.get(scaled(3)), first);
  EXPECT_EQ(cache.size(), 2U);
  const FusionCache::Statistics s = cache.statistics();
  EXPECT_EQ(s.lookups, 3);
  EXPECT_EQ(s.hits, 1);
  EXPECT_EQ(s.evictions, 0);
}

TEST(FusionCache, DropsTheLeastRecentlyUsed) {
  FusionCache cache(2);
  const auto one = cache.get(scaled(1));
  const auto two = cache.get(scaled(2));
  EXPECT_EQ(cache.get(scaled(1)), one);
  cache.get(scaled(3));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.get(scaled(1)), one);
  EXPECT_NE(cache.get(scaled(2)), two) << "it was dropped and made anew";
  EXPECT_EQ(cache.statistics().evictions, 2);
}

TEST(FusionCache, ReportsItsUse) {
  FusionCache cache(2);
  cache.get(scaled(1));
  cache.get(scaled(1));
  EXPECT_EQ(cache.stats(),
            "fusions: 1 of at most 2, 0 compiled, 0 evicted\nlookups: 2, hits: 1, hit rate: 50.0 %\n"
            "hits, most recently used first: 1\n");
}

TEST(FusionCache, RefusesNoRoom) { EXPECT_THROW(FusionCache(0), Error); }

}  // namespace
}  // namespace nvfuser
