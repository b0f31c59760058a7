// SPDX-License-Identifier: Apache-2.0
// Chains: max x, then the sum of exp(x - max x), also as 2^((x - max x) log2
// e).
#include "nvfuser/graph/statistics.h"

#include <algorithm>
#include <cmath>

#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

namespace {

constexpr double kLog2E = 1.4426950408889634, kNear = 1e-6;

bool computes(const Tensor* t, PointwiseOp op) {
  return t != nullptr && t->op == TensorOp::compute && t->expr != nullptr && t->expr->kind() == ExprKind::pointwise &&
         t->expr->attribute<PointwiseOp>(0) == op;
}

/// The tensor whose values these are, in a wider float or not.
const Tensor* unwidened(const Tensor* t) {
  while (t != nullptr && t->op == TensorOp::compute && t->expr != nullptr && t->expr->kind() == ExprKind::cast &&
         t->operands[0].tensor != nullptr &&
         (is_narrow_float(t->operands[0].tensor->dtype) || t->operands[0].tensor->dtype == DataType::Float) &&
         (t->dtype == DataType::Float || t->dtype == DataType::Double)) {
    t = t->operands[0].tensor;
  }
  return t;
}

bool is_log2e(const Operand& operand) {
  if (operand.scalar == nullptr || !operand.scalar->is_constant()) {
    return false;
  }
  const auto* value = std::get_if<double>(&*operand.scalar->constant());
  return value != nullptr && std::abs(*value - kLog2E) < kNear;
}

/// The d of exp(d) or 2^(d log2 e); null for anything else.
const Tensor* exponent(const Tensor* t) {
  if (computes(t, PointwiseOp::exp)) {
    return t->operands[0].tensor;
  }
  const Tensor* product = computes(t, PointwiseOp::exp2) ? t->operands[0].tensor : nullptr;
  if (!computes(product, PointwiseOp::mul)) {
    return nullptr;
  }
  return is_log2e(product->operands[1])   ? product->operands[0].tensor
         : is_log2e(product->operands[0]) ? product->operands[1].tensor
                                          : nullptr;
}

bool is_row(const Tensor* t, ReductionOp row) {
  return t != nullptr && t->op == TensorOp::reduce && t->reduction->row == row;
}

/// The maximum that is taken from x in exp(x - max x); null where there is
/// none.
const Tensor* maximum_below(const Tensor* terms) {
  const Tensor* distance = exponent(terms);
  if (!computes(distance, PointwiseOp::sub)) {
    return nullptr;
  }
  const Tensor* most = unwidened(distance->operands[1].tensor);
  const bool same =
      is_row(most, ReductionOp::max) && unwidened(most->operands[0].tensor) == unwidened(distance->operands[0].tensor);
  return same ? most : nullptr;
}

bool same_place(const Tensor& a, const Tensor& b) {
  std::vector<Id*> axes = a.reduction->axes, others = b.reduction->axes;
  std::sort(axes.begin(), axes.end());
  std::sort(others.begin(), others.end());
  return axes == others && a.map == b.map && a.tests == b.tests && a.reduction->type == b.reduction->type &&
         a.reference == b.reference;
}

/// Tensors that nothing reads and that store nothing.
void drop_unread(Kernel& kernel) {
  const auto unread = [&](const Tensor* t) { return t->op != TensorOp::store && kernel.consumers(t).empty(); };
  for (size_t k = kernel.tensors.size(); k-- > 0;) {
    if (kernel.tensors[k]->op != TensorOp::reduce && unread(kernel.tensors[k])) {
      kernel.tensors.erase(kernel.tensors.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }
}

}  // namespace

std::vector<Chain> find_chains(const Kernel& kernel) {
  std::vector<Chain> chains;
  for (Tensor* t : kernel.tensors) {
    const Tensor* most = is_row(t, ReductionOp::sum) ? maximum_below(t->operands[0].tensor) : nullptr;
    const bool taken = std::any_of(chains.begin(), chains.end(), [&](const Chain& c) { return c.first == most; });
    if (most != nullptr && !taken && same_place(*most, *t)) {
      chains.push_back({const_cast<Tensor*>(most), t, ReductionOp::softmax_sums});
    }
  }
  return chains;
}

void make_streaming(Kernel& kernel, const Chain& chain) {
  auto tuple = std::make_shared<Reduction>(*chain.first->reduction);
  tuple->row = chain.joined;
  tuple->parts = {chain.first, chain.second};
  chain.second->operands = chain.first->operands;
  for (size_t part = 0; part < tuple->parts.size(); ++part) {
    tuple->parts[part]->reduction = tuple;
    tuple->parts[part]->part = static_cast<int>(part);
  }
  std::erase(kernel.tensors, chain.second);
  const auto first = std::find(kernel.tensors.begin(), kernel.tensors.end(), chain.first);
  kernel.tensors.insert(first + 1, chain.second);
  drop_unread(kernel);
}

}  // namespace nvfuser
