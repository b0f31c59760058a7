// SPDX-License-Identifier: Apache-2.0
// Axis links: maps, tests and kinds of each kind of expression, and of rope's three reads.
#include "nvfuser/ir/links.h"

#include <gtest/gtest.h>

#include <map>

#include "hand_built.h"

namespace nvfuser::testing {
namespace {

/// Axes of a result are a, b, c, ... in order; symbolic extents are sizes by their printed name.
class LinkText {
 public:
  std::vector<Link> of(const TensorView* tensor) {
    const auto& root = tensor->domain()->root();
    std::map<const IterDomain*, Index> axes;
    for (size_t k = 0; k < root.size(); ++k) {
      axes[root[k]] =
          pool_.axis(root[k], std::string(1, static_cast<char>('a' + k)), extent(root[k]->visible_extent()));
    }
    const LinkScope scope{pool_, algebra_, [=](const IterDomain* axis) { return axes.at(axis); },
                          [this](const Val* val) { return extent(val); }, nullptr};
    return links(*tensor->definition(), scope);
  }

  /// Such as `same (a, b)` or `shift (a - 1) if a - 1 >= 0, a - 1 < 4`, links separated by `; `.
  std::string text(const TensorView* tensor) {
    static constexpr std::string_view kKinds[] = {"same", "resolve", "fresh", "split_merge", "shift"};
    std::string result;
    for (const Link& link : of(tensor)) {
      result += (result.empty() ? "" : "; ") + std::string(kKinds[static_cast<int>(link.kind)]) + " (";
      for (size_t k = 0; k < link.map.size(); ++k) {
        result += (k ? ", " : "") + to_string(link.map[k]);
      }
      result += ")";
      for (size_t k = 0; k < link.tests.size(); ++k) {
        const Test& test = link.tests[k];
        result += (k ? ", " : " if ") + to_string(test.index);
        result += test.kind == Test::Kind::lt   ? " < " + to_string(test.bound)
                  : test.kind == Test::Kind::ge ? " >= 0"
                                                : " == 0";
      }
    }
    return result;
  }

 private:
  Index extent(const Val* val) {
    if (val->is_constant()) {
      return pool_.constant(val->constant_int());
    }
    const Expr* product = val->definition();  // products stand for themselves, as extents do in kernels
    return product ? pool_.mul(extent(product->input(0)), extent(product->input(1))) : pool_.size(to_string(*val));
  }

  IndexPool pool_;
  Algebra algebra_{pool_};
};

TEST(Links, Pointwise) {
  HandBuilt g;
  TensorView* x = g.input({-1, 4});
  TensorView* row = g.input({1, 4});
  TensorView* sum = g.pointwise(PointwiseOp::add, {x, row});
  EXPECT_EQ(LinkText().text(sum), "same (a, b); resolve (0, b)");
  EXPECT_EQ(LinkText().text(g.pointwise(PointwiseOp::mul, {g.real(2.0), row})), "same (0, b)");
  EXPECT_EQ(LinkText().of(g.pointwise(PointwiseOp::mul, {g.real(2.0), row}))[0].operand, 1);
  EXPECT_EQ(LinkText().text(g.cast(x, DataType::Half)), "same (a, b)");
}

TEST(Links, BroadcastSqueezeExpandPermute) {
  HandBuilt g;
  TensorView* x = g.input({-1, 4});
  TensorView* wide = g.broadcast(x, {true, false, true, false});
  EXPECT_EQ(LinkText().text(wide), "fresh (b, d)");
  EXPECT_EQ(LinkText().text(g.squeeze(wide, {true, false, false, false})), "fresh (0, a, 0, c)");
  TensorView* expanded = g.expand(wide, {g.index(7), x->logical()[0]->extent(), g.index(1), g.index(4)});
  EXPECT_EQ(LinkText().text(expanded), "resolve (0, b, 0, d)");
  EXPECT_EQ(LinkText().text(g.permute(g.input({2, 3, 4}), {2, 0, 1})), "same (b, c, a)");
  // an expanded axis holds one value, so it is read at 0 for ever
  EXPECT_EQ(LinkText().text(g.pointwise(PointwiseOp::neg, {expanded})), "same (0, b, 0, d)");
}

TEST(Links, Reshape) {
  HandBuilt g;
  TensorView* x = g.input({-1, 6, 4});
  Val* n = x->logical()[0]->extent();
  EXPECT_EQ(LinkText().text(g.reshape(x, {n, g.index(2), g.index(3), g.index(4)})), "split_merge (a, b*3 + c, d)");
  EXPECT_EQ(LinkText().text(g.reshape(x, {n, g.index(24)})), "split_merge (a, b / 4, b % 4)");
  EXPECT_EQ(LinkText().text(g.reshape(x, {n, g.index(1), g.index(6), g.index(4)})), "split_merge (a, c, d)");
  Val* merged = g.scalar(PointwiseOp::mul, {n, g.index(6)}, DataType::Index);
  EXPECT_EQ(LinkText().text(g.reshape(x, {merged, g.index(4)})), "split_merge (a / 6, a % 6, b)");
  EXPECT_EQ(LinkText().text(g.reshape(g.input({2, 1, 3}), {g.index(6)})), "split_merge (a / 3, 0, a % 3)");
}

TEST(Links, SlicePadCat) {
  HandBuilt g;
  TensorView* x = g.input({8, 4});
  EXPECT_EQ(LinkText().text(g.slice(x, {g.index(2), g.index(0)}, {g.index(3), g.index(4)})), "shift (a + 2, b)");
  EXPECT_EQ(LinkText().text(g.pad(x, {{1, 2}, {0, 0}}, g.real(0.0))), "shift (a - 1, b) if a - 1 >= 0, a - 1 < 8");
  EXPECT_EQ(LinkText().text(g.pad(x, {{-1, 0}, {0, 0}}, g.real(0.0))), "shift (a + 1, b) if a + 1 >= 0, a + 1 < 8");
  TensorView* y = g.input({8, 1});
  EXPECT_EQ(LinkText().text(g.pad(y, {{0, 0}, {1, 0}}, g.real(0.0))), "shift (a, 0) if b - 1 >= 0, b - 1 < 1");
  EXPECT_EQ(LinkText().text(g.cat({x, y, x}, 1, g.index(9))),
            "shift (a, b) if b >= 0, b < 4; shift (a, 0) if b - 4 >= 0, b - 4 < 1; shift (a, b - 5) if b - 5 >= 0, b - "
            "5 < 4");
}

TEST(Links, SymbolicSliceAndFactories) {
  HandBuilt g;
  TensorView* x = g.input({-1});
  Val* start = g.scalar_input(DataType::Int);
  EXPECT_EQ(LinkText().text(g.slice(x, {start}, {g.index(2)})), "shift (a + i1)");
  EXPECT_EQ(LinkText().text(g.full({g.index(3)}, g.real(1.0), DataType::Float)), "");
  EXPECT_EQ(LinkText().text(g.iota(g.index(0), g.index(1), g.index(3), DataType::Int)), "");
}

/// x[b, s, h*d] -> [b, s, h, d] -> [b, h, s, d], rotated by halves: one argument is read as it is and at d/2 to either
/// side.
TEST(Links, RopeReads) {
  HandBuilt g;
  TensorView* x = g.input({2, -1, 64});
  Val* s = x->logical()[1]->extent();
  TensorView* heads = g.reshape(x, {g.index(2), s, g.index(4), g.index(16)});
  TensorView* t = g.permute(heads, {0, 2, 1, 3});
  const std::vector<Val*> zero(4, g.index(0)), half{g.index(2), g.index(4), s, g.index(8)};
  TensorView* low = g.slice(t, zero, half);
  TensorView* high = g.slice(t, {g.index(0), g.index(0), g.index(0), g.index(8)}, half);
  TensorView* rotated = g.cat({g.pointwise(PointwiseOp::neg, {high}), low}, 3, g.index(16));
  EXPECT_EQ(LinkText().text(heads), "split_merge (a, b, c*16 + d)");
  EXPECT_EQ(LinkText().text(t), "same (a, c, b, d)");
  EXPECT_EQ(LinkText().text(low), "shift (a, b, c, d)");
  EXPECT_EQ(LinkText().text(high), "shift (a, b, c, d + 8)");
  EXPECT_EQ(LinkText().text(rotated),
            "shift (a, b, c, d) if d >= 0, d < 8; shift (a, b, c, d - 8) if d - 8 >= 0, d - 8 < 8");
  verify(*g);
}

}  // namespace
}  // namespace nvfuser::testing
