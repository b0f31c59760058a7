// SPDX-License-Identifier: Apache-2.0
// Rules of arithmetic for Float and Double values that are stored as they are computed.  Each gives the same bits or
// the smaller error; a product with a power of two only moves the exponent, so it may move past other products where no
// intermediate result can leave the range that the original kept.
#include <cmath>
#include <optional>

#include "nvfuser/fuse/rewriter.h"
#include "nvfuser/ops/cast.h"

namespace nvfuser {
namespace {

/// A Float or Double tensor computed by that operation is about to be made.
bool makes(const Draft& draft, PointwiseOp op) {
  const DataType type = draft.result->dtype();
  return draft.kind == ExprKind::pointwise && std::get<PointwiseOp>(draft.attributes[0]) == op &&
         (type == DataType::Float || type == DataType::Double);
}

/// Such a tensor among values that exist: its definition when it is that operation, in `type`, and nothing else reads
/// it.
const Expr* only_use_of(const Rewriter& rewriter, const Val* val, PointwiseOp op, DataType type) {
  const Expr* const definition = val->is_tensor() ? val->definition() : nullptr;
  const bool matches = definition != nullptr && definition->kind() == ExprKind::pointwise &&
                       definition->attribute<PointwiseOp>(0) == op && val->dtype() == type && rewriter.used_once(val);
  return matches ? definition : nullptr;
}

/// A real constant as kernels see it in `type`.  Floats of eight bits have an encoding of their own.
std::optional<double> constant_in(const Val* val, DataType type) {
  if (!val->is_constant() || is_complex(val->dtype()) || (is_floating(val->dtype()) && info(val->dtype()).bits <= 8)) {
    return std::nullopt;
  }
  const ScalarValue own = convert_scalar(*val->constant(), val->dtype());
  return std::get<double>(convert_scalar(own, type));
}

/// Neither zero, denormal, infinite nor NaN in `type`.
bool is_normal(double value, DataType type) {
  return type == DataType::Float ? std::isnormal(static_cast<float>(value)) && value == static_cast<float>(value)
                                 : std::isnormal(value);
}

bool is_power_of_two(double value) {
  int exponent = 0;
  return std::abs(std::frexp(value, &exponent)) == 0.5;
}

/// The constant among two operands, and the other one.
struct Split {
  double constant;
  Val* rest;
  bool second;  ///< the constant stands second
};

std::optional<Split> split(const std::vector<Val*>& operands, DataType type) {
  for (int k = 1; k >= 0; --k) {
    if (const auto value = constant_in(operands[k], type); value && operands[1 - k]->is_tensor()) {
      return Split{*value, operands[1 - k], k == 1};
    }
  }
  return std::nullopt;
}

void become(Draft& draft, PointwiseOp op, std::vector<Val*> operands) {
  draft.kind = ExprKind::pointwise;
  draft.operands = std::move(operands);
  draft.attributes = {op};
}

/// The draft is a copy of a value of its own type; the pass drops such copies.
bool become_copy(Draft& draft, Val* of) {
  if (!of->is_tensor() || of->dtype() != draft.result->dtype()) {
    return false;
  }
  draft.kind = ExprKind::set;
  draft.operands = {of};
  draft.attributes = {int64_t{0}};
  return true;
}

/// 2 * sigmoid(factor * z), in place of 1 + tanh(factor / 2 * z).
void become_logistic(Rewriter& rewriter, Draft& draft, Val* z, double factor, const Val* like) {
  const DataType type = draft.result->dtype();
  Val* const scaled = rewriter.make(PointwiseOp::mul, {z, rewriter.constant(factor, type)}, like);
  Val* const logistic = rewriter.make(PointwiseOp::sigmoid, {scaled}, like);
  become(draft, PointwiseOp::mul, {logistic, rewriter.constant(2.0, type)});
}

/// tanh(z) + 1 = 2 sigmoid(2z), which does not cancel where tanh nears -1; doubling is exact.
bool one_plus_tanh(Rewriter& rewriter, Draft& draft) {
  const DataType type = draft.result->dtype();
  const auto sum = makes(draft, PointwiseOp::add) ? split(draft.operands, type) : std::nullopt;
  const Expr* const tanh =
      sum && sum->constant == 1.0 ? only_use_of(rewriter, sum->rest, PointwiseOp::tanh, type) : nullptr;
  if (tanh == nullptr) {
    return false;
  }
  become_logistic(rewriter, draft, tanh->input(0), 2.0, sum->rest);
  return true;
}

/// 1 - tanh(z) = 2 sigmoid(-2z), and 1 - sigmoid(z) = sigmoid(-z): neither cancels.
bool one_minus(Rewriter& rewriter, Draft& draft) {
  const DataType type = draft.result->dtype();
  const auto difference = makes(draft, PointwiseOp::sub) ? split(draft.operands, type) : std::nullopt;
  if (!difference || difference->second || difference->constant != 1.0) {
    return false;
  }
  if (const Expr* tanh = only_use_of(rewriter, difference->rest, PointwiseOp::tanh, type)) {
    become_logistic(rewriter, draft, tanh->input(0), -2.0, difference->rest);
    return true;
  }
  const Expr* const sigmoid = only_use_of(rewriter, difference->rest, PointwiseOp::sigmoid, type);
  if (sigmoid == nullptr) {
    return false;
  }
  become(draft, PointwiseOp::sigmoid, {rewriter.make(PointwiseOp::neg, {sigmoid->input(0)}, difference->rest)});
  return true;
}

/// (a c1) c2 = a (c1 c2) where one constant is a power of two and the product is a normal number: both round a c1 c2
/// once, the first also wherever a c1 over- or underflows.
bool product_of_constants(Rewriter& rewriter, Draft& draft) {
  const DataType type = draft.result->dtype();
  const auto outer = makes(draft, PointwiseOp::mul) ? split(draft.operands, type) : std::nullopt;
  const Expr* const product = outer ? only_use_of(rewriter, outer->rest, PointwiseOp::mul, type) : nullptr;
  const auto inner = product ? split(product->inputs(), type) : std::nullopt;
  if (!inner || !(is_power_of_two(inner->constant) || is_power_of_two(outer->constant))) {
    return false;
  }
  const double constant = inner->constant * outer->constant;
  if (!is_normal(inner->constant, type) || !is_normal(outer->constant, type) || !is_normal(constant, type)) {
    return false;
  }
  become(draft, PointwiseOp::mul, {inner->rest, rewriter.constant(constant, type)});
  return true;
}

/// The factors of a product, through products that nothing else reads; false where there are more than two beside the
/// constants, or a constant that is no power of two.
struct Factors {
  std::vector<Val*> values;
  double constant = 1.0;
  int constants = 0;

  bool gather(const Rewriter& rewriter, const std::vector<Val*>& operands, DataType type) {
    for (Val* operand : operands) {
      if (const auto value = constant_in(operand, type)) {
        constant *= *value;
        ++constants;
        if (!is_power_of_two(*value) || !is_normal(*value, type) || !is_normal(constant, type)) {
          return false;
        }
      } else if (const Expr* product = only_use_of(rewriter, operand, PointwiseOp::mul, type)) {
        if (!gather(rewriter, product->inputs(), type)) {
          return false;
        }
      } else if (values.push_back(operand); values.size() > 2) {
        return false;
      }
    }
    return true;
  }
};

/// (a c1) (b c2) = a b where c1 c2 = 1, wherever in the product the constants stand: a b is then rounded once.  With a
/// third factor, or with a constant left, a b might overflow where the original does not.
bool cancelling_constants(Rewriter& rewriter, Draft& draft) {
  Factors factors;
  const bool cancel = makes(draft, PointwiseOp::mul) &&
                      factors.gather(rewriter, draft.operands, draft.result->dtype()) && factors.constants > 1 &&
                      factors.constant == 1.0 && factors.values.size() == 2;
  if (!cancel) {
    return false;
  }
  become(draft, PointwiseOp::mul, factors.values);
  return true;
}

/// a / 2^k = a 2^-k, and 1 / a is a reciprocal: the same value, rounded once.
bool quotient(Rewriter& rewriter, Draft& draft) {
  const DataType type = draft.result->dtype();
  if (!makes(draft, PointwiseOp::truediv) && !makes(draft, PointwiseOp::div)) {
    return false;
  }
  const auto parts = split(draft.operands, type);
  if (!parts || !is_power_of_two(parts->constant)) {
    return false;
  }
  if (!parts->second) {
    if (parts->constant == 1.0) {
      become(draft, PointwiseOp::reciprocal, {parts->rest});
    }
    return parts->constant == 1.0;
  }
  if (!is_normal(parts->constant, type) || !is_normal(1.0 / parts->constant, type)) {
    return false;
  }
  become(draft, PointwiseOp::mul, {parts->rest, rewriter.constant(1.0 / parts->constant, type)});
  return true;
}

/// a * 1, a - 0 and a + -0 are a; a + 0 is not, where a is -0.
bool neutral_operand(Rewriter&, Draft& draft) {
  const bool product = makes(draft, PointwiseOp::mul), difference = makes(draft, PointwiseOp::sub);
  if (!product && !difference && !makes(draft, PointwiseOp::add)) {
    return false;
  }
  const auto parts = split(draft.operands, draft.result->dtype());
  if (!parts || (difference && !parts->second)) {
    return false;
  }
  const bool neutral =
      product ? parts->constant == 1.0 : parts->constant == 0.0 && std::signbit(parts->constant) != difference;
  return neutral && become_copy(draft, parts->rest);
}

bool negation_twice(Rewriter&, Draft& draft) {
  const Val* const operand = makes(draft, PointwiseOp::neg) ? draft.operands[0] : nullptr;
  const Expr* const inner = operand && operand->is_tensor() ? operand->definition() : nullptr;
  return inner != nullptr && inner->kind() == ExprKind::pointwise &&
         inner->attribute<PointwiseOp>(0) == PointwiseOp::neg && operand->dtype() == draft.result->dtype() &&
         become_copy(draft, inner->input(0));
}

/// Powers whose exponent is a small integer, as torch computes them: a^2 and 1 / a are rounded once, a^3 twice (within
/// one ulp), where pow is no closer on any machine but the host.
bool small_power(Rewriter& rewriter, Draft& draft) {
  const auto parts = makes(draft, PointwiseOp::pow) ? split(draft.operands, draft.result->dtype()) : std::nullopt;
  if (!parts || !parts->second) {
    return false;
  }
  Val* const base = parts->rest;
  if (parts->constant == 1.0) {
    return become_copy(draft, base);
  }
  if (parts->constant == -1.0) {
    become(draft, PointwiseOp::reciprocal, {base});
  } else if (parts->constant == 2.0) {
    become(draft, PointwiseOp::mul, {base, base});
  } else if (parts->constant == 3.0) {
    become(draft, PointwiseOp::mul, {rewriter.make(PointwiseOp::mul, {base, base}, draft.result), base});
  } else {
    return false;
  }
  return true;
}

constexpr RewriteRule kRules[] = {
    {"one plus tanh", one_plus_tanh},
    {"one minus a function", one_minus},
    {"product of constants", product_of_constants},
    {"cancelling constants", cancelling_constants},
    {"quotient", quotient},
    {"neutral operand", neutral_operand},
    {"negation twice", negation_twice},
    {"small power", small_power},
};

}  // namespace

std::span<const RewriteRule> algebra_rules() { return kRules; }

}  // namespace nvfuser
