// SPDX-License-Identifier: Apache-2.0
// Common subexpressions and copies that do nothing.
#include "nvfuser/fuse/rewrite_duplicates.h"

#include <algorithm>
#include <array>

namespace nvfuser {
namespace {

/// Kinds whose results depend on nothing but operands and attributes.  Every segment_set is a cut of its own.
constexpr std::array kRepeatable = {
    ExprKind::pointwise, ExprKind::cast,    ExprKind::set,     ExprKind::broadcast, ExprKind::expand,
    ExprKind::squeeze,   ExprKind::permute, ExprKind::reshape, ExprKind::slice,     ExprKind::pad,
    ExprKind::cat,       ExprKind::full,    ExprKind::iota,    ExprKind::reduce,    ExprKind::take_along_axis};

bool is_cut(const Draft& draft) { return draft.kind == ExprKind::set && std::get<int64_t>(draft.attributes[0]) == 1; }

bool is_repeatable(const Draft& draft) {
  return std::find(kRepeatable.begin(), kRepeatable.end(), draft.kind) != kRepeatable.end() && !is_cut(draft);
}

/// a op b is bit for bit b op a.  Not so a complex product, whose parts may be contracted differently, nor a maximum of
/// zeros of either sign.
bool commutes(const Draft& draft) {
  if (draft.kind != ExprKind::pointwise || is_complex(draft.result->dtype())) {
    return false;
  }
  const auto op = std::get<PointwiseOp>(draft.attributes[0]);
  return op == PointwiseOp::add || op == PointwiseOp::mul;
}

uint64_t word(const Val* val) { return reinterpret_cast<uintptr_t>(val); }

struct AttributeWriter {
  std::vector<uint64_t>& key;
  void operator()(int64_t v) const { key.push_back(static_cast<uint64_t>(v)); }
  void operator()(DataType v) const { key.push_back(static_cast<uint64_t>(v)); }
  void operator()(PointwiseOp v) const { key.push_back(static_cast<uint64_t>(v)); }
  void operator()(ReductionOp v) const { key.push_back(static_cast<uint64_t>(v)); }
  template <class T>
  void operator()(const std::vector<T>& v) const {
    key.push_back(v.size());
    key.insert(key.end(), v.begin(), v.end());
  }
};

/// Everything that makes two definitions one, written down.
std::vector<uint64_t> key_of(const Draft& draft) {
  std::vector<uint64_t> key{static_cast<uint64_t>(draft.kind), static_cast<uint64_t>(draft.result->dtype()),
                            draft.operands.size()};
  for (const Val* operand : draft.operands) {
    key.push_back(word(operand));
  }
  if (commutes(draft)) {
    std::sort(key.end() - 2, key.end());
  }
  for (const Attribute& attribute : draft.attributes) {
    key.push_back(attribute.index());
    std::visit(AttributeWriter{key}, attribute);
  }
  for (const IterDomain* axis : draft.result->logical()) {
    key.insert(key.end(),
               {static_cast<uint64_t>(axis->iter_type()), word(axis->extent()), word(axis->expanded_extent())});
  }
  return key;
}

}  // namespace

bool same_axes(const TensorView* a, const TensorView* b) {
  const auto &left = a->logical(), &right = b->logical();
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const IterDomain* x, const IterDomain* y) {
    return x->iter_type() == y->iter_type() && x->extent() == y->extent() &&
           x->expanded_extent() == y->expanded_extent();
  });
}

bool is_plain_copy(const Draft& draft) {
  return draft.kind == ExprKind::set && !is_cut(draft) && draft.operands[0]->dtype() == draft.result->dtype() &&
         same_axes(static_cast<const TensorView*>(draft.operands[0]), draft.result);
}

TensorView* DuplicateTable::find(const Draft& draft) const {
  if (!is_repeatable(draft)) {
    return nullptr;
  }
  const auto found = made_.find(key_of(draft));
  return found == made_.end() ? nullptr : found->second;
}

void DuplicateTable::add(const Draft& draft) {
  if (is_repeatable(draft)) {
    made_.emplace(key_of(draft), draft.result);
  }
}

}  // namespace nvfuser
