// SPDX-License-Identifier: Apache-2.0
// The graph: makes nodes, keeps them in order of creation, links definitions and uses, and walks what outputs need.
#include "nvfuser/ir/fusion.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace nvfuser {

/// Owns every node.  Each kind of node counts on its own; constants print as values and take no number, so that the
/// names of scalars (i0, d1, ...) do not depend on which constants an op needed.
struct Fusion::Impl {
  std::vector<std::unique_ptr<Statement>> nodes;
  std::unordered_map<int64_t, Val*> index_constants;
  Val *seed = nullptr, *offset = nullptr;
  uint32_t constants = 0, scalars = 0, axes = 0, domains = 0, tensors = 0, exprs = 0;

  template <class Node>
  Node* own(Node* node) {
    nodes.emplace_back(node);
    return node;
  }
};

Fusion::Fusion() : impl_(std::make_unique<Impl>()) {}
Fusion::~Fusion() = default;

std::shared_ptr<Fusion> Fusion::make() { return std::shared_ptr<Fusion>(new Fusion()); }

namespace {

/// Error unless every node belongs to `fusion`.
template <class Nodes>
void check_owner(const Fusion* fusion, const Nodes& nodes, const char* what) {
  for (const Statement* node : nodes) {
    check(node != nullptr, ErrorKind::definition, what, " is missing");
    check(node->fusion() == fusion, ErrorKind::definition, what, " ", *node, " belongs to another fusion",
          AtLine{*node});
  }
}

/// True when a value may stand for a dtype: kinds agree, an integer also for Index.
bool fits(const ScalarValue& value, DataType dtype) {
  switch (value.index()) {
    case 0:
      return is_boolean(dtype);
    case 1:
      return is_integral(dtype);
    case 2:
      return is_floating(dtype);
    default:
      return is_complex(dtype);
  }
}

}  // namespace

Val* Fusion::constant(ScalarValue value, DataType dtype) {
  check(fits(value, dtype), ErrorKind::dtype, "constant ", to_string(value), " cannot have dtype ", name_of(dtype));
  if (dtype == DataType::Index) {
    return index_constant(std::get<int64_t>(value));
  }
  Val* val = impl_->own(new Val(this, impl_->constants++, ValKind::scalar, dtype));
  val->constant_ = value;
  return val;
}

Val* Fusion::index_constant(int64_t value) {
  Val*& val = impl_->index_constants[value];
  if (val == nullptr) {
    val = impl_->own(new Val(this, impl_->constants++, ValKind::scalar, DataType::Index));
    val->constant_ = value;
  }
  return val;
}

Val* Fusion::symbolic(DataType dtype) {
  check(dtype != DataType::Null, ErrorKind::dtype, "a scalar needs a dtype; got Null");
  return impl_->own(new Val(this, impl_->scalars++, ValKind::scalar, dtype));
}

Val* Fusion::random_leaf(ScalarRole role) {
  ensure(role != ScalarRole::plain, "a random leaf is the seed or the offset");
  Val*& leaf = role == ScalarRole::seed ? impl_->seed : impl_->offset;
  if (leaf == nullptr) {
    leaf = symbolic(DataType::UInt64);
    leaf->role_ = role;
  }
  return leaf;
}

void Fusion::set_offset_advance(Val* advance) {
  check_owner(this, std::vector<const Statement*>{advance}, "advance of the random offset");
  check(advance->is_scalar() && is_integral(advance->dtype()), ErrorKind::dtype,
        "the random offset advances by an integer scalar; got ", *advance, " of dtype ", name_of(advance->dtype()));
  offset_advance_ = advance;
}

IterDomain* Fusion::axis(Val* extent, IterType type, Val* expanded) {
  check_owner(this, std::vector<const Statement*>{extent}, "extent");
  if (expanded != nullptr) {
    check_owner(this, std::vector<const Statement*>{expanded}, "expanded extent");
    check(type == IterType::broadcast, ErrorKind::shape, "only a broadcast axis can be expanded");
  }
  for (const Val* e : {extent, expanded ? expanded : extent}) {
    check(e->is_scalar() && is_integral(e->dtype()), ErrorKind::shape, "an extent must be an integer scalar; got ", *e,
          " of dtype ", name_of(e->dtype()));
    check(!e->is_constant() || e->constant_int() >= 0, ErrorKind::shape, "an extent cannot be negative; got ", *e);
  }
  auto* axis = impl_->own(new IterDomain(this, impl_->axes++, ValKind::iter_domain, DataType::Index));
  axis->extent_ = extent;
  axis->expanded_ = expanded;
  axis->type_ = type;
  return axis;
}

TensorDomain* Fusion::domain(std::vector<IterDomain*> logical) {
  std::vector<IterDomain*> root = logical;
  return domain(std::move(root), std::move(logical));
}

TensorDomain* Fusion::domain(std::vector<IterDomain*> root, std::vector<IterDomain*> logical) {
  check_owner(this, root, "axis");
  check_owner(this, logical, "axis");
  std::unordered_set<const IterDomain*> seen;
  for (const IterDomain* axis : logical) {
    check(seen.insert(axis).second, ErrorKind::shape, "axis ", *axis, " stands twice in a domain");
  }
  auto* domain = impl_->own(new TensorDomain(this, impl_->domains++, ValKind::tensor_domain, DataType::Null));
  for (const IterDomain* axis : logical) {
    const bool in_memory = !axis->is_broadcast() && !axis->is_reduction();
    domain->contiguity_.push_back(in_memory ? std::optional(true) : std::nullopt);
  }
  domain->root_ = std::move(root);
  domain->allocation_ = domain->loop_ = logical;
  domain->logical_ = std::move(logical);
  return domain;
}

TensorView* Fusion::tensor(TensorDomain* domain, DataType dtype, bool cpu_scalar) {
  check_owner(this, std::vector<const Statement*>{domain}, "domain");
  check(dtype != DataType::Null, ErrorKind::dtype, "a tensor needs a dtype; got Null");
  check(!cpu_scalar || domain->logical().empty(), ErrorKind::shape,
        "only a tensor without axes can live on the CPU; got ", domain->logical().size(), " axes");
  auto* tensor = impl_->own(new TensorView(this, impl_->tensors++, ValKind::tensor_view, dtype));
  tensor->domain_ = domain;
  tensor->cpu_scalar_ = cpu_scalar;
  return tensor;
}

Expr* Fusion::expr(ExprKind kind, std::vector<Val*> inputs, std::vector<Val*> outputs,
                   std::vector<Attribute> attributes) {
  check_owner(this, inputs, "operand");
  check_owner(this, outputs, "result");
  for (const Val* output : outputs) {
    check(output->definition_ == nullptr && !output->is_constant(), ErrorKind::definition, "result ", *output,
          " has a definition already");
    check(std::find(inputs.begin(), inputs.end(), output) == inputs.end(), ErrorKind::definition, "result ", *output,
          " is also an operand");
    check(output->uses_.empty(), ErrorKind::definition, "result ", *output, " is used before it is defined");
    check(std::find(inputs_.begin(), inputs_.end(), output) == inputs_.end(), ErrorKind::definition, "result ", *output,
          " is an input of the fusion");
  }
  auto* expr = impl_->own(new Expr(this, impl_->exprs++));
  expr->kind_ = kind;
  expr->attributes_ = std::move(attributes);
  for (Val* input : inputs) {
    if (std::find(input->uses_.begin(), input->uses_.end(), expr) == input->uses_.end()) {
      input->uses_.push_back(expr);
    }
  }
  for (Val* output : outputs) {
    output->definition_ = expr;
  }
  expr->inputs_ = std::move(inputs);
  expr->outputs_ = std::move(outputs);
  if (locator) {
    expr->location_ = locator();
  }
  if (kind != ExprKind::split && kind != ExprKind::merge) {
    exprs_.push_back(expr);
  }
  return expr;
}

std::vector<Val*> Fusion::vals() const {
  std::vector<Val*> result;
  for (const auto& node : impl_->nodes) {
    auto* val = dynamic_cast<Val*>(node.get());
    if (val != nullptr && (val->is_scalar() || val->is_tensor())) {
      result.push_back(val);
    }
  }
  return result;
}

std::vector<const Statement*> Fusion::statements() const {
  std::vector<const Statement*> result;
  for (const auto& node : impl_->nodes) {
    result.push_back(node.get());
  }
  return result;
}

std::vector<Expr*> Fusion::live_exprs() const {
  std::unordered_set<const Val*> seen;
  std::unordered_set<const Expr*> live;
  std::vector<const Val*> work(outputs_.begin(), outputs_.end());
  if (offset_advance_ != nullptr) {
    work.push_back(offset_advance_);
  }
  while (!work.empty()) {
    const Val* val = work.back();
    work.pop_back();
    if (!seen.insert(val).second) {
      continue;
    }
    if (val->is_tensor()) {
      for (const IterDomain* axis : static_cast<const TensorView*>(val)->logical()) {
        work.push_back(axis->extent());
        work.push_back(axis->visible_extent());
      }
    }
    if (const Expr* definition = val->definition()) {
      live.insert(definition);
      work.insert(work.end(), definition->inputs().begin(), definition->inputs().end());
    }
  }
  std::vector<Expr*> result;
  std::copy_if(exprs_.begin(), exprs_.end(), std::back_inserter(result),
               [&](const Expr* e) { return live.contains(e); });
  return result;
}

}  // namespace nvfuser
