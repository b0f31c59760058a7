// SPDX-License-Identifier: Apache-2.0
// Invariants of the IR, checked where a pass hands a fusion on: a broken one is a bug of this library, never of a user.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

namespace {

const TensorView& tensor_of(const Val* val) { return static_cast<const TensorView&>(*val); }
size_t rank_of(const Val* val) { return static_cast<size_t>(tensor_of(val).rank()); }
bool is_int(const Val* val) { return val->is_scalar() && is_integral(val->dtype()); }

/// Operand `first` and all behind it are integer scalars, `count` of them.
void ensure_extents(const Expr& e, size_t first, size_t count) {
  ensure(e.inputs().size() == first + count, name_of(e.kind()), " takes ", first + count, " operands: ", e);
  ensure(std::all_of(e.inputs().begin() + static_cast<std::ptrdiff_t>(first), e.inputs().end(), is_int),
         "extents are integer scalars: ", e);
}

void ensure_unary_tensor(const Expr& e, DataType dtype) {
  ensure(!e.inputs().empty() && e.input(0)->is_tensor() && e.output(0)->is_tensor(), "a tensor is read: ", e);
  ensure(e.input(0)->dtype() == dtype, "the dtype is kept: ", e);
}

template <class T>
void ensure_attribute(const Expr& e, size_t k) {
  ensure(k < e.attributes().size() && std::holds_alternative<T>(e.attributes()[k]), "attribute ", k,
         " is missing: ", e);
}

/// Tensor operands have the rank of the result; scalars make a scalar.
void verify_pointwise(const Expr& e) {
  bool any_tensor = false;
  for (const Val* operand : e.inputs()) {
    any_tensor |= operand->is_tensor();
    ensure(operand->is_scalar() || (e.output(0)->is_tensor() && rank_of(operand) == rank_of(e.output(0))),
           "operands have the rank of the result: ", e);
  }
  ensure(any_tensor == e.output(0)->is_tensor(), "a tensor operand makes a tensor, scalars a scalar: ", e);
}

void verify_op(const Expr& e) {
  ensure_attribute<PointwiseOp>(e, 0);
  const PointwiseInfo& row = info(e.attribute<PointwiseOp>(0));
  ensure(static_cast<int>(e.inputs().size()) == row.arity, row.name, " takes ", row.arity, " operands: ", e);
  verify_pointwise(e);
  const DataType result = e.output(0)->dtype();
  if (row.rule == PromotionRule::predicate || row.rule == PromotionRule::logical) {
    ensure(is_boolean(result), row.name, " gives Bool: ", e);
  }
  ensure(row.rule != PromotionRule::select || is_boolean(e.input(0)->dtype()), row.name, " selects by a Bool: ", e);
}

void verify_cast(const Expr& e) {
  ensure_attribute<DataType>(e, 0);
  ensure(e.inputs().size() == 1 && e.attribute<DataType>(0) == e.output(0)->dtype(), "a cast gives its dtype: ", e);
  verify_pointwise(e);
}

void verify_set(const Expr& e) {
  ensure_attribute<int64_t>(e, 0);
  ensure(e.inputs().size() == 1, "set copies one value: ", e);
  ensure_unary_tensor(e, e.output(0)->dtype());
  verify_pointwise(e);
}

/// Flags stand over the longer side, which has as many false ones as the shorter has axes.
void verify_flags(const Expr& e, const Val* longer, const Val* shorter) {
  ensure_unary_tensor(e, e.output(0)->dtype());
  ensure_attribute<std::vector<bool>>(e, 0);
  const auto& flags = e.attribute<std::vector<bool>>(0);
  ensure(flags.size() == rank_of(longer) &&
             static_cast<size_t>(std::count(flags.begin(), flags.end(), false)) == rank_of(shorter),
         "one flag an axis: ", e);
  const auto axes = tensor_of(longer).domain()->no_reductions();
  for (size_t i = 0; i < flags.size(); ++i) {
    ensure(!flags[i] || axes[i]->is_broadcast(), "flagged axes are broadcast: ", e);
  }
}

void verify_broadcast(const Expr& e) { verify_flags(e, e.output(0), e.input(0)); }
void verify_squeeze(const Expr& e) { verify_flags(e, e.input(0), e.output(0)); }

void verify_expand(const Expr& e) {
  ensure_unary_tensor(e, e.output(0)->dtype());
  ensure_extents(e, 1, rank_of(e.output(0)));
  ensure(rank_of(e.input(0)) == rank_of(e.output(0)), "expand keeps the rank: ", e);
}

void verify_permute(const Expr& e) {
  ensure_unary_tensor(e, e.output(0)->dtype());
  ensure_attribute<std::vector<int64_t>>(e, 0);
  auto order = e.attribute<std::vector<int64_t>>(0);
  std::sort(order.begin(), order.end());
  ensure(order.size() == rank_of(e.input(0)) && order.size() == rank_of(e.output(0)), "one entry an axis: ", e);
  for (size_t i = 0; i < order.size(); ++i) {
    ensure(order[i] == static_cast<int64_t>(i), "the order is a permutation: ", e);
  }
}

void verify_reshape(const Expr& e) {
  ensure_unary_tensor(e, e.output(0)->dtype());
  ensure_extents(e, 1, rank_of(e.output(0)));
}

void verify_slice(const Expr& e) {
  ensure_unary_tensor(e, e.output(0)->dtype());
  ensure(rank_of(e.input(0)) == rank_of(e.output(0)), "slice keeps the rank: ", e);
  ensure_extents(e, 1, 2 * rank_of(e.input(0)));
}

void verify_pad(const Expr& e) {
  ensure_unary_tensor(e, e.output(0)->dtype());
  ensure(rank_of(e.input(0)) == rank_of(e.output(0)), "pad keeps the rank: ", e);
  ensure(e.inputs().size() >= 2 && e.input(1)->is_scalar(), "pad fills with a scalar: ", e);
  ensure_extents(e, 2, 2 * rank_of(e.input(0)));
}

void verify_cat(const Expr& e) {
  ensure_attribute<int64_t>(e, 0);
  const auto axis = e.attribute<int64_t>(0);
  ensure(!e.inputs().empty() && axis >= 0 && axis < static_cast<int64_t>(rank_of(e.output(0))),
         "cat joins an axis: ", e);
  for (const Val* operand : e.inputs()) {
    ensure(operand->is_tensor() && operand->dtype() == e.output(0)->dtype() && rank_of(operand) == rank_of(e.output(0)),
           "cat joins tensors of one dtype and rank: ", e);
  }
}

void verify_take_along_axis(const Expr& e) {
  ensure_attribute<int64_t>(e, 0);
  ensure_unary_tensor(e, e.output(0)->dtype());
  const auto axis = e.attribute<int64_t>(0);
  ensure(e.inputs().size() == 2 && e.input(1)->is_tensor() && is_integral(e.input(1)->dtype()),
         "elements are told by an integer tensor: ", e);
  ensure(rank_of(e.input(0)) == rank_of(e.output(0)) && rank_of(e.input(1)) == rank_of(e.output(0)),
         "operands have the rank of the result: ", e);
  ensure(axis >= 0 && axis < static_cast<int64_t>(rank_of(e.output(0))), "elements are taken along an axis: ", e);
}

void verify_full(const Expr& e) {
  ensure(!e.inputs().empty() && e.input(0)->is_scalar(), "full fills with a scalar: ", e);
  ensure_extents(e, 1, rank_of(e.output(0)));
}

void verify_iota(const Expr& e) {
  ensure(e.inputs().size() == 3 && e.input(0)->is_scalar() && e.input(1)->is_scalar() && is_int(e.input(2)),
         "iota takes start, step and length: ", e);
  ensure(rank_of(e.output(0)) == 1, "iota has one axis: ", e);
}

/// The parts share one domain, which iterates the operands' axes.
void verify_part(const Expr& e, int part) {
  const auto& reduced = e.attribute<std::vector<bool>>(1);
  const TensorView& result = tensor_of(e.output(part));
  const auto& root = result.domain()->root();
  ensure(result.domain() == tensor_of(e.output(0)).domain(), "the results of a reduction share their axes: ", e);
  ensure(root.size() == reduced.size() && result.logical() == root, "a result iterates the operand's axes: ", e);
  for (size_t k = 0; k < root.size(); ++k) {
    ensure(root[k]->is_reduction() == reduced[k], "reduced axes and only they are reductions: ", e);
  }
  ensure(result.dtype() == part_type(e.attribute<ReductionOp>(0), part, e.input(0)->dtype()),
         "results have the dtypes of their parts: ", e);
}

void verify_reduce(const Expr& e) {
  ensure_attribute<ReductionOp>(e, 0);
  ensure_attribute<std::vector<bool>>(e, 1);
  const ReductionInfo& row = info(e.attribute<ReductionOp>(0));
  ensure(static_cast<int>(e.inputs().size()) == row.operands, row.name, " takes ", row.operands, " operands: ", e);
  ensure(static_cast<int>(e.outputs().size()) == row.parts.count, row.name, " has ", row.parts.count, " results: ", e);
  for (const Val* operand : e.inputs()) {
    ensure(operand->is_tensor() && rank_of(operand) == e.attribute<std::vector<bool>>(1).size(),
           "operands are tensors with a flag for each axis: ", e);
  }
  ensure(row.operands == 1 || e.input(1)->dtype() == DataType::Int, "positions are Int: ", e);
  for (int part = 0; part < row.parts.count; ++part) {
    ensure(e.output(part)->is_tensor(), "a reduction makes tensors: ", e);
    verify_part(e, part);
  }
}

void ensure_axes(const Expr& e, size_t inputs, size_t outputs) {
  const auto is_axis = [](const Val* val) { return val->kind() == ValKind::iter_domain; };
  ensure(e.inputs().size() == inputs && e.outputs().size() == outputs &&
             std::all_of(e.inputs().begin(), e.inputs().end(), is_axis) &&
             std::all_of(e.outputs().begin(), e.outputs().end(), is_axis),
         name_of(e.kind()), " makes ", outputs, " axes of ", inputs, ": ", e);
}

void verify_split(const Expr& e) {
  ensure_axes(e, 1, 2);
  ensure_attribute<int64_t>(e, 0);
  ensure_attribute<int64_t>(e, 1);
  ensure(e.attribute<int64_t>(0) > 0, "a split has a positive factor: ", e);
  ensure(e.attribute<int64_t>(1) == 0 || e.attribute<int64_t>(1) == 1, "a factor is inner or outer: ", e);
}

void verify_merge(const Expr& e) { ensure_axes(e, 2, 1); }

/// In order of nodes.def.
constexpr std::array<void (*)(const Expr&), kNodeCount> kChecks = {
    verify_op,      verify_cast,    verify_set,    verify_broadcast, verify_expand, verify_squeeze,
    verify_permute, verify_reshape, verify_slice,  verify_pad,       verify_cat,    verify_take_along_axis,
    verify_full,    verify_iota,    verify_reduce, verify_split,     verify_merge};

void verify_tensor(const TensorView& tensor) {
  const TensorDomain& domain = *tensor.domain();
  const auto& logical = domain.logical();
  ensure(
      domain.allocation().size() == domain.contiguity().size() &&
          std::is_permutation(logical.begin(), logical.end(), domain.allocation().begin(), domain.allocation().end()),
      "memory order is a permutation of the logical axes: ", tensor);
  for (size_t k = 0; k < domain.allocation().size(); ++k) {
    ensure(domain.contiguity()[k].has_value() != domain.allocation()[k]->is_broadcast() ||
               domain.allocation()[k]->is_reduction(),
           "broadcast axes and only they have no contiguity: ", tensor);
  }
  for (const IterDomain* axis : domain.no_reductions()) {
    ensure(std::find(domain.root().begin(), domain.root().end(), axis) != domain.root().end(),
           "logical axes stand in the root: ", tensor);
  }
  const std::string fault = domain.loop_fault(domain.loop());
  ensure(fault.empty(), fault, ": ", tensor);
}

bool is_transform(const Expr& expr) { return expr.kind() == ExprKind::split || expr.kind() == ExprKind::merge; }

void verify_expr(const Expr& expr, std::unordered_set<const Val*>& defined) {
  for (const Val* input : expr.inputs()) {
    ensure(input->definition() == nullptr || defined.contains(input), "operands are defined first: ", expr);
    ensure(std::find(input->uses().begin(), input->uses().end(), &expr) != input->uses().end(),
           "operands know their uses: ", expr);
  }
  ensure(expr.outputs().size() == 1 || (expr.kind() == ExprKind::reduce && !expr.outputs().empty()),
         "only a reduction has several results: ", expr);
  for (const Val* output : expr.outputs()) {
    ensure(output->definition() == &expr, "results know their definition: ", expr);
    defined.insert(output);
  }
  kChecks[static_cast<int>(expr.kind())](expr);
}

}  // namespace

void verify(const Fusion& fusion) {
  for (const Val* val : fusion.vals()) {
    if (val->is_tensor()) {
      verify_tensor(static_cast<const TensorView&>(*val));
    }
  }
  std::unordered_set<const Val*> defined;
  for (const Expr* expr : fusion.exprs()) {
    verify_expr(*expr, defined);
  }
  for (const Statement* node : fusion.statements()) {
    const auto* expr = dynamic_cast<const Expr*>(node);
    if (expr != nullptr && is_transform(*expr)) {
      kChecks[static_cast<int>(expr->kind())](*expr);
    }
  }
  ensure(fusion.offset_advance() == nullptr || is_int(fusion.offset_advance()),
         "the random offset advances by an integer");
  ensure(fusion.aliases().size() == fusion.outputs().size(), "an alias entry stands for each output");
  for (size_t k = 0; k < fusion.outputs().size(); ++k) {
    const TensorView* output = fusion.outputs()[k];
    ensure(output->definition() != nullptr || output->is_fusion_input(), "outputs are computed: ", *output);
    ensure(fusion.alias(k) == nullptr || fusion.alias(k)->input->is_fusion_input(), "aliases are inputs: ", *output);
  }
}

}  // namespace nvfuser
