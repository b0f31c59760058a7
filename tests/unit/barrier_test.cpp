// SPDX-License-Identifier: Apache-2.0
// The barrier pass on small nests: where barriers go, and where none is needed.
#include <gtest/gtest.h>

#include "nvfuser/lower/barriers.h"

namespace nvfuser {
namespace {

struct Nest {
  Tensor a, b;
  Id x, y;

  Item step(const Tensor& t, bool write, const Id* tx) const {
    Item item;
    item.kind = Item::Kind::step;
    item.accesses.push_back({&t, {tx, nullptr, nullptr}, write});
    return item;
  }
  Item loop(std::vector<Item> body) const {
    Item item;
    item.kind = Item::Kind::loop;
    item.body = std::move(body);
    return item;
  }
  /// "w" write, "r" read of a; "W", "R" of b; "|" barrier; "(" ")" a loop.
  static std::string text(const std::vector<Item>& body, const Tensor& first) {
    std::string s;
    for (const Item& item : body) {
      if (item.kind == Item::Kind::sync) {
        s += "|";
      } else if (item.kind == Item::Kind::loop) {
        s += "(" + text(item.body, first) + ")";
      } else {
        const bool is_a = item.accesses[0].tensor == &first;
        s += item.accesses[0].write ? (is_a ? "w" : "W") : (is_a ? "r" : "R");
      }
    }
    return s;
  }
  std::string run(std::vector<Item> body, std::array<bool, 3> threads = {true, false, false}) const {
    insert_barriers(body, threads);
    return text(body, a);
  }
};

TEST(Barriers, WriteThenReadByOtherThreads) {
  Nest n;
  EXPECT_EQ(n.run({n.step(n.a, true, &n.x), n.step(n.a, false, &n.y)}), "w|r");
  EXPECT_EQ(n.run({n.step(n.a, true, &n.x), n.step(n.a, false, nullptr)}), "w|r");
}

TEST(Barriers, NoneWhereTheSameThreadReads) {
  Nest n;
  EXPECT_EQ(n.run({n.step(n.a, true, &n.x), n.step(n.a, false, &n.x)}), "wr");
}

TEST(Barriers, NoneWithoutThreads) {
  Nest n;
  EXPECT_EQ(n.run({n.step(n.a, true, nullptr), n.step(n.a, false, nullptr)}, {false, false, false}), "wr");
}

TEST(Barriers, UnboundDimensionInUseCrosses) {
  Nest n;
  EXPECT_EQ(n.run({n.step(n.a, true, &n.x), n.step(n.a, false, &n.x)}, {true, true, false}), "w|r");
}

TEST(Barriers, ReadsDoNotCross) {
  Nest n;
  EXPECT_EQ(n.run({n.step(n.a, false, &n.x), n.step(n.a, false, &n.y)}), "rr");
}

TEST(Barriers, LoopsCarryWriteAfterRead) {
  Nest n;
  EXPECT_EQ(n.run({n.loop({n.step(n.a, true, &n.x), n.step(n.a, false, &n.y)})}), "(|w|r)");
}

TEST(Barriers, OneBarrierServesTwoTensors) {
  Nest n;
  EXPECT_EQ(
      n.run({n.step(n.a, true, &n.x), n.step(n.b, true, &n.x), n.step(n.a, false, &n.y), n.step(n.b, false, &n.y)}),
      "wW|rR");
}

TEST(Barriers, GoesBeforeTheOutermostLoopOfTheReader) {
  Nest n;
  EXPECT_EQ(n.run({n.step(n.a, true, &n.x), n.loop({n.loop({n.step(n.a, false, &n.y)})})}), "w|((r))");
}

TEST(Barriers, ALoopMayRunZeroTimes) {
  Nest n;
  // The barrier inside the loop does not stand on the path around it.
  const std::string text = n.run(
      {n.step(n.a, true, &n.x), n.loop({n.step(n.b, true, &n.x), n.step(n.b, false, &n.y)}), n.step(n.a, false, &n.y)});
  EXPECT_EQ(text, "w(|W|R)|r");
}

}  // namespace
}  // namespace nvfuser
