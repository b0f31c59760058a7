// SPDX-License-Identifier: Apache-2.0
// Chains: max x, then the sum of exp(x - max x), also as 2^((x - max x) log2 e); sum x, then the sum of
// (x - sum x / n)^2.
#include "nvfuser/graph/statistics.h"

#include <algorithm>
#include <cmath>

#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"

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

/// Does the row reduce the values of x, in a wider float or not?
bool reduces_values(const Tensor* t, ReductionOp row, const Tensor* x) {
  return x != nullptr && is_row(t, row) && unwidened(t->operands[0].tensor) == unwidened(x);
}

/// max x, of a sum of exp(x - max x); null where there is none.
const Tensor* maximum_below(const Kernel&, const Tensor& sum) {
  const Tensor* distance = exponent(sum.operands[0].tensor);
  if (!computes(distance, PointwiseOp::sub)) {
    return nullptr;
  }
  const Tensor* most = unwidened(distance->operands[1].tensor);
  return reduces_values(most, ReductionOp::max, distance->operands[0].tensor) ? most : nullptr;
}

/// A product of a number and of what extents are made of.
struct Product {
  double number = 1;
  std::vector<const void*> factors;

  void multiply(Index extent) {
    if (extent->terms.size() > 1) {
      factors.push_back(extent);
    } else if (extent->is_constant()) {
      number *= static_cast<double>(extent->constant());
    } else {
      number *= static_cast<double>(extent->terms[0].coefficient);
      factors.insert(factors.end(), extent->terms[0].atoms.begin(), extent->terms[0].atoms.end());
    }
  }
  bool operator==(const Product& other) const {
    return number == other.number &&
           std::is_permutation(factors.begin(), factors.end(), other.factors.begin(), other.factors.end());
  }
};

const Expr* defined_by(const Val* scalar, PointwiseOp op) {
  const Expr* expr = scalar->definition();
  return expr != nullptr && expr->kind() == ExprKind::pointwise && expr->attribute<PointwiseOp>(0) == op ? expr
                                                                                                         : nullptr;
}

/// A scalar as a number; none where it is known at launch alone, or complex.
std::optional<double> number_of(const Val* scalar) {
  if (!scalar->is_constant()) {
    return std::nullopt;
  }
  const ScalarValue& value = *scalar->constant();
  const auto* real = std::get_if<double>(&value);
  const auto* whole = std::get_if<int64_t>(&value);
  return real != nullptr    ? std::optional(*real)
         : whole != nullptr ? std::optional(static_cast<double>(*whole))
                            : std::nullopt;
}

/// Multiplies `product` by the scalar; false where it is not made of numbers and extents.
bool multiply(const Kernel& kernel, const Val* scalar, Product& product) {
  if (const auto known = kernel.extents.find(scalar); known != kernel.extents.end()) {
    product.multiply(known->second);
    return true;
  }
  if (const auto number = number_of(scalar)) {
    product.number *= *number;
    return true;
  }
  const Expr* expr = scalar->definition();
  if (expr != nullptr && expr->kind() == ExprKind::cast) {
    return expr->input(0)->is_scalar() && multiply(kernel, expr->input(0), product);
  }
  expr = defined_by(scalar, PointwiseOp::mul);
  return expr != nullptr && multiply(kernel, expr->input(0), product) && multiply(kernel, expr->input(1), product);
}

/// Whether a scalar is the number of elements that `sum` adds up.
bool is_count(const Kernel& kernel, const Val* scalar, const Tensor& sum) {
  Product elements, given;
  for (const Id* axis : sum.reduction->axes) {
    elements.multiply(axis->extent);
  }
  return multiply(kernel, scalar, given) && given == elements;
}

/// Whether a scalar is one over that number.
bool is_share(const Kernel& kernel, const Val* scalar, const Tensor& sum) {
  if (const auto number = number_of(scalar)) {
    Product elements;
    for (const Id* axis : sum.reduction->axes) {
      elements.multiply(axis->extent);
    }
    const double share = 1 / elements.number;
    return elements.factors.empty() && (*number == share || static_cast<float>(*number) == static_cast<float>(share));
  }
  const Expr* expr = scalar->definition();
  if (expr != nullptr && expr->kind() == ExprKind::cast) {
    return expr->input(0)->is_scalar() && is_share(kernel, expr->input(0), sum);
  }
  if (const Expr* inverse = defined_by(scalar, PointwiseOp::reciprocal)) {
    return is_count(kernel, inverse->input(0), sum);
  }
  const Expr* quotient = defined_by(scalar, PointwiseOp::truediv);
  quotient = quotient != nullptr ? quotient : defined_by(scalar, PointwiseOp::div);
  return quotient != nullptr && is_floating(scalar->dtype()) && number_of(quotient->input(0)) == 1.0 &&
         is_count(kernel, quotient->input(1), sum);
}

/// The sum of which t is the average; null where it is none.
const Tensor* averaged(const Kernel& kernel, const Tensor* t) {
  for (const int k : {0, 1}) {
    const bool product = computes(t, PointwiseOp::mul);
    if (!product && !(k == 0 && (computes(t, PointwiseOp::truediv) || computes(t, PointwiseOp::div)))) {
      continue;
    }
    const Tensor* sum = t->operands[k].tensor;
    const Val* scalar = t->operands[1 - k].scalar;
    if (is_row(sum, ReductionOp::sum) && scalar != nullptr && sum->dtype == t->dtype &&
        (product ? is_share(kernel, scalar, *sum) : is_count(kernel, scalar, *sum))) {
      return sum;
    }
  }
  return nullptr;
}

/// sum x, of a sum of (x - sum x / n)^2, where all is computed in one type; null where there is none.
const Tensor* sum_below(const Kernel& kernel, const Tensor& squares) {
  const DataType type = squares.reduction->type;
  const Tensor* product = squares.operands[0].tensor;
  const Tensor* distance = computes(product, PointwiseOp::mul) ? product->operands[0].tensor : nullptr;
  if (!computes(distance, PointwiseOp::sub) || product->operands[1].tensor != distance || product->dtype != type ||
      distance->dtype != type || !is_supported(ReductionOp::moment_sums, type)) {
    return nullptr;
  }
  for (const int k : {0, 1}) {
    const Tensor *x = distance->operands[k].tensor, *mean = distance->operands[1 - k].tensor;
    const Tensor* sum = mean != nullptr && mean->dtype == type ? averaged(kernel, mean) : nullptr;
    if (sum != nullptr && reduces_values(sum, ReductionOp::sum, x)) {
      return sum;
    }
  }
  return nullptr;
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
  struct Form {
    ReductionOp joined;
    const Tensor* (*first_of)(const Kernel&, const Tensor& sum);
  };
  constexpr Form kForms[] = {{ReductionOp::softmax_sums, maximum_below}, {ReductionOp::moment_sums, sum_below}};
  std::vector<Chain> chains;
  const auto taken = [&](const Tensor* t) {
    return std::any_of(chains.begin(), chains.end(), [&](const Chain& c) { return c.first == t || c.second == t; });
  };
  for (Tensor* t : kernel.tensors) {
    for (const Form& form : kForms) {
      const Tensor* first = is_row(t, ReductionOp::sum) && !taken(t) ? form.first_of(kernel, *t) : nullptr;
      if (first != nullptr && !taken(first) && same_place(*first, *t)) {
        chains.push_back({const_cast<Tensor*>(first), t, form.joined});
      }
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
