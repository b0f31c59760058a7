// SPDX-License-Identifier: Apache-2.0
// Rules for conversions: those that do nothing go, and of two the first goes where it keeps every value.
#include <algorithm>

#include "nvfuser/fuse/rewriter.h"
#include "nvfuser/ops/cast.h"

namespace nvfuser {
namespace {

/// Which numbers a type holds: multiples of 2^least with `bits` digits, below 2^most.  Types that wrap or that have no
/// zero, sign or infinity like the others are left out.
struct NumberSet {
  DataType type;
  int bits, least, most;
};
constexpr NumberSet kNumberSets[] = {
    {DataType::Bool, 1, 0, 1},           {DataType::Int32, 32, 0, 32},        {DataType::Int, 64, 0, 64},
    {DataType::Index, 64, 0, 64},        {DataType::Float8_e4m3fn, 4, -9, 9}, {DataType::Float8_e5m2, 3, -16, 16},
    {DataType::Half, 11, -24, 16},       {DataType::BFloat16, 8, -133, 128},  {DataType::Float, 24, -149, 128},
    {DataType::Double, 53, -1074, 1024},
};

const NumberSet* numbers_of(DataType type) {
  const auto* found =
      std::find_if(std::begin(kNumberSets), std::end(kNumberSets), [&](const NumberSet& s) { return s.type == type; });
  return found == std::end(kNumberSets) ? nullptr : found;
}

/// Every value of one type is a value of the other.
bool keeps_values(DataType from, DataType to) {
  const NumberSet *inner = numbers_of(from), *outer = numbers_of(to);
  return inner != nullptr && outer != nullptr && kind_of(from) <= kind_of(to) && inner->bits <= outer->bits &&
         inner->least >= outer->least && inner->most <= outer->most;
}

bool cast_to_same_type(Rewriter&, Draft& draft) {
  if (draft.kind != ExprKind::cast || draft.operands[0]->dtype() != draft.result->dtype()) {
    return false;
  }
  draft.kind = ExprKind::set;
  draft.attributes = {int64_t{0}};
  return true;
}

/// cast(cast(x)) is a cast of x where the inner one keeps every value: widening and back, or widening twice.
bool cast_of_widening(Rewriter&, Draft& draft) {
  if (draft.kind != ExprKind::cast || !draft.operands[0]->is_tensor()) {
    return false;
  }
  const Expr* const inner = draft.operands[0]->definition();
  if (inner == nullptr || inner->kind() != ExprKind::cast || !inner->input(0)->is_tensor()) {
    return false;
  }
  const DataType from = inner->input(0)->dtype();
  if (!keeps_values(from, draft.operands[0]->dtype()) || !can_cast(from, draft.result->dtype())) {
    return false;
  }
  draft.operands = {inner->input(0)};
  return true;
}

constexpr RewriteRule kRules[] = {
    {"cast to the same type", cast_to_same_type},
    {"cast of a widening", cast_of_widening},
};

}  // namespace

std::span<const RewriteRule> cast_rules() { return kRules; }

}  // namespace nvfuser
