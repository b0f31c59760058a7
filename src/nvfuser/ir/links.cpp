// SPDX-License-Identifier: Apache-2.0
// The links of each kind of expression.  A row of the table below is all that anything downstream ever learns of how a
// view op moves data.
#include "nvfuser/ir/links.h"

#include <algorithm>
#include <array>

#include "nvfuser/ir/nodes.h"

namespace nvfuser {

namespace {

using Axes = std::vector<IterDomain*>;

Axes axes_of(const Val* tensor) { return static_cast<const TensorView*>(tensor)->domain()->no_reductions(); }

/// The axes that the expression iterates: the root of its result.
const Axes& result_axes(const Expr& expr) { return static_cast<const TensorView*>(expr.output(0))->domain()->root(); }

/// An axis is read at 0 where it holds one value: always when it is broadcast, expanded or not.
Index read(const IterDomain* axis, Index at, const LinkScope& scope) {
  return axis->is_broadcast() ? scope.pool.constant(0) : at;
}

bool resolves(const IterDomain* from, const IterDomain* to) {
  return from->is_broadcast() && (!to->is_broadcast() || from->visible_extent() != to->visible_extent());
}

/// Operand axis i is read at result axis i.
Link aligned(const Expr& expr, int operand, const LinkScope& scope) {
  const Axes from = axes_of(expr.input(operand)), &to = result_axes(expr);
  ensure(from.size() == to.size(), "operand ", operand, " has ", from.size(), " axes and its result ", to.size(), ": ",
         expr);
  Link link{operand, LinkKind::same, {}, {}};
  for (size_t i = 0; i < from.size(); ++i) {
    link.map.push_back(read(from[i], scope.axis(to[i]), scope));
    link.kind = resolves(from[i], to[i]) ? LinkKind::resolve : link.kind;
  }
  return link;
}

std::vector<Link> pointwise_links(const Expr& expr, const LinkScope& scope) {
  std::vector<Link> result;
  for (size_t k = 0; k < expr.inputs().size(); ++k) {
    if (expr.inputs()[k]->is_tensor()) {
      result.push_back(aligned(expr, static_cast<int>(k), scope));
    }
  }
  return result;
}

/// New axes have no operand axis.
std::vector<Link> broadcast_links(const Expr& expr, const LinkScope& scope) {
  const auto& fresh = expr.attribute<std::vector<bool>>(0);
  const Axes from = axes_of(expr.input(0)), &to = result_axes(expr);
  Link link{0, LinkKind::fresh, {}, {}};
  for (size_t i = 0; i < to.size(); ++i) {
    if (!fresh[i]) {
      link.map.push_back(read(from[link.map.size()], scope.axis(to[i]), scope));
    }
  }
  return {std::move(link)};
}

/// Removed axes are read at 0.
std::vector<Link> squeeze_links(const Expr& expr, const LinkScope& scope) {
  const auto& removed = expr.attribute<std::vector<bool>>(0);
  const Axes from = axes_of(expr.input(0)), &to = result_axes(expr);
  Link link{0, LinkKind::fresh, {}, {}};
  size_t next = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    link.map.push_back(removed[i] ? scope.pool.constant(0) : read(from[i], scope.axis(to[next++]), scope));
  }
  return {std::move(link)};
}

std::vector<Link> permute_links(const Expr& expr, const LinkScope& scope) {
  const auto& order = expr.attribute<std::vector<int64_t>>(0);
  const Axes from = axes_of(expr.input(0)), &to = result_axes(expr);
  Link link{0, LinkKind::same, std::vector<Index>(from.size()), {}};
  for (size_t i = 0; i < to.size(); ++i) {
    link.map[order[i]] = read(from[order[i]], scope.axis(to[i]), scope);
  }
  return {std::move(link)};
}

/// Operand indices are the digits of the result's linear index; the algebra finds splits and merges by itself.  Both
/// sides are cut where prefixes of extents agree, so axes that a reshape leaves alone stay as they are even where
/// sizes are unknown.
class Reshape {
 public:
  Reshape(const Axes& from, const Axes& to, const LinkScope& scope)
      : from_(from), to_(to), scope_(scope), map_(from.size()) {
    const size_t shorter = std::min(from.size(), to.size());
    size_t front = 0, back = 0;
    while (front < shorter && keeps(from[front], to[front])) {
      map_[front] = read(from[front], scope.axis(to[front]), scope);
      ++front;
    }
    while (back < shorter - front && keeps(from[from.size() - 1 - back], to[to.size() - 1 - back])) {
      const size_t at = from.size() - 1 - back;
      map_[at] = read(from[at], scope.axis(to[to.size() - 1 - back]), scope);
      ++back;
    }
    digits(front, from.size() - back, front, to.size() - back);
  }

  std::vector<Index> map() && { return std::move(map_); }

 private:
  Index extent(const IterDomain* axis) const { return scope_.extent(axis->visible_extent()); }
  bool keeps(const IterDomain* a, const IterDomain* b) const { return extent(a) == extent(b); }

  void digits(size_t from_begin, size_t from_end, size_t to_begin, size_t to_end) {
    IndexPool& pool = scope_.pool;
    Index linear = pool.constant(0), inner = pool.constant(1);
    for (size_t k = to_begin; k < to_end; ++k) {
      linear = pool.add(pool.mul(linear, extent(to_[k])), scope_.axis(to_[k]));
    }
    for (size_t k = from_end; k-- > from_begin;) {
      const Index quotient = scope_.algebra.div(linear, inner);
      const Index digit = k == from_begin ? quotient : scope_.algebra.mod(quotient, extent(from_[k]));
      map_[k] = read(from_[k], digit, scope_);
      inner = pool.mul(inner, extent(from_[k]));
    }
  }

  const Axes &from_, &to_;
  const LinkScope& scope_;
  std::vector<Index> map_;
};

std::vector<Link> reshape_links(const Expr& expr, const LinkScope& scope) {
  const Axes from = axes_of(expr.input(0));
  return {Link{0, LinkKind::split_merge, Reshape(from, result_axes(expr), scope).map(), {}}};
}

/// Operands: tensor, start of each axis, extent of each axis.
std::vector<Link> slice_links(const Expr& expr, const LinkScope& scope) {
  const Axes from = axes_of(expr.input(0)), &to = result_axes(expr);
  Link link{0, LinkKind::shift, {}, {}};
  for (size_t i = 0; i < from.size(); ++i) {
    const Index start = scope.extent(expr.inputs()[1 + i]);
    link.map.push_back(read(from[i], scope.pool.add(scope.axis(to[i]), start), scope));
  }
  return {std::move(link)};
}

/// 0 <= at < extent of the operand's axis.
void add_range(Link& link, const IterDomain* axis, Index at, const LinkScope& scope) {
  link.tests.push_back({Test::Kind::ge, at});
  link.tests.push_back({Test::Kind::lt, at, scope.extent(axis->visible_extent())});
}

/// Operands: tensor, value, (left, right) of each axis.  An axis of width 0 on both sides is read as it is.
std::vector<Link> pad_links(const Expr& expr, const LinkScope& scope) {
  const Axes from = axes_of(expr.input(0)), &to = result_axes(expr);
  Link link{0, LinkKind::shift, {}, {}};
  for (size_t i = 0; i < from.size(); ++i) {
    const Index left = scope.extent(expr.inputs()[2 + 2 * i]), right = scope.extent(expr.inputs()[3 + 2 * i]);
    const Index at = scope.pool.sub(scope.axis(to[i]), left);
    link.map.push_back(read(from[i], at, scope));
    if (!left->is(0) || !right->is(0)) {
      add_range(link, from[i], at, scope);
    }
  }
  return {std::move(link)};
}

/// A select by ranges of the concatenated axis.
std::vector<Link> cat_links(const Expr& expr, const LinkScope& scope) {
  const int64_t axis = expr.attribute<int64_t>(0);
  const Axes& to = result_axes(expr);
  Index start = scope.pool.constant(0);
  std::vector<Link> result;
  for (size_t k = 0; k < expr.inputs().size(); ++k) {
    const Axes from = axes_of(expr.inputs()[k]);
    Link link{static_cast<int>(k), LinkKind::shift, {}, {}};
    for (size_t i = 0; i < from.size(); ++i) {
      const bool shifted = static_cast<int64_t>(i) == axis;
      const Index at = shifted ? scope.pool.sub(scope.axis(to[i]), start) : scope.axis(to[i]);
      link.map.push_back(read(from[i], at, scope));
      if (shifted) {
        add_range(link, from[i], at, scope);
        start = scope.pool.add(start, scope.extent(from[i]->visible_extent()));
      }
    }
    result.push_back(std::move(link));
  }
  return result;
}

/// Along its axis the tensor is read where the index tensor tells.
std::vector<Link> take_along_axis_links(const Expr& expr, const LinkScope& scope) {
  const auto axis = static_cast<size_t>(expr.attribute<int64_t>(0));
  Link index = aligned(expr, 1, scope), link{0, LinkKind::data, {}, {}};
  const Axes from = axes_of(expr.input(0)), &to = result_axes(expr);
  for (size_t i = 0; i < from.size(); ++i) {
    const Index extent = scope.extent(from[i]->visible_extent());
    const Index at =
        i == axis ? scope.data(static_cast<const TensorView*>(expr.input(1)), index.map, extent) : scope.axis(to[i]);
    link.map.push_back(read(from[i], at, scope));
  }
  return {std::move(link), std::move(index)};
}

/// full and iota have no tensor operands; split and merge are no expressions over tensors.
std::vector<Link> no_links(const Expr&, const LinkScope&) { return {}; }

struct Row {
  ExprKind kind;
  std::vector<Link> (*links)(const Expr&, const LinkScope&);
};

constexpr std::array<Row, kNodeCount> kLinks = {{
    {ExprKind::pointwise, pointwise_links},
    {ExprKind::cast, pointwise_links},
    {ExprKind::set, pointwise_links},
    {ExprKind::broadcast, broadcast_links},
    {ExprKind::expand, pointwise_links},  // the extents behind the tensor are scalars
    {ExprKind::squeeze, squeeze_links},
    {ExprKind::permute, permute_links},
    {ExprKind::reshape, reshape_links},
    {ExprKind::slice, slice_links},
    {ExprKind::pad, pad_links},
    {ExprKind::cat, cat_links},
    {ExprKind::take_along_axis, take_along_axis_links},
    {ExprKind::full, no_links},
    {ExprKind::iota, no_links},
    {ExprKind::reduce, pointwise_links},
    {ExprKind::split, no_links},
    {ExprKind::merge, no_links},
}};

constexpr bool in_order() {
  for (int k = 0; k < kNodeCount; ++k) {
    if (static_cast<int>(kLinks[k].kind) != k) {
      return false;
    }
  }
  return true;
}
static_assert(in_order(), "one row for each row of nodes.def, in its order");

}  // namespace

std::vector<Link> links(const Expr& expr, const LinkScope& scope) {
  return kLinks[static_cast<int>(expr.kind())].links(expr, scope);
}

}  // namespace nvfuser
