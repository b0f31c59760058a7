// SPDX-License-Identifier: Apache-2.0
// Copies of values, expressions and the boundary, on demand.
#include "nvfuser/ir/node_copier.h"

#include <bit>

namespace nvfuser {

namespace {

/// Equal exactly for constants of one dtype and the same bits, so that -0.0 stays apart from 0.0.
std::vector<uint64_t> constant_key(const ScalarValue& value, DataType dtype) {
  std::vector<uint64_t> key{static_cast<uint64_t>(dtype)};
  struct Visitor {
    std::vector<uint64_t>& key;
    void operator()(bool v) const { key.push_back(v); }
    void operator()(int64_t v) const { key.push_back(static_cast<uint64_t>(v)); }
    void operator()(double v) const { key.push_back(std::bit_cast<uint64_t>(v)); }
    void operator()(const std::complex<double>& v) const {
      key.insert(key.end(), {std::bit_cast<uint64_t>(v.real()), std::bit_cast<uint64_t>(v.imag())});
    }
  };
  std::visit(Visitor{key}, value);
  return key;
}

}  // namespace

Val* NodeCopier::operator()(const Val* old) {
  if (old == nullptr) {
    return nullptr;
  }
  if (const auto found = copies_.find(old); found != copies_.end()) {
    return found->second;
  }
  Val* const fresh = copy_val(*old);
  copies_.emplace(old, fresh);
  if (old->definition() == nullptr && old->location() != nullptr) {
    to_.locate(fresh, old->location());
  }
  if (old->is_scalar() && old->definition() != nullptr) {
    copy(*old->definition());
  }
  return fresh;
}

void NodeCopier::copy(const Expr& expr) {
  std::vector<Val*> operands = mapped<Val>(expr.inputs()), results = mapped<Val>(expr.outputs());
  if (results.front()->definition() != nullptr) {
    return;  // a scalar's definition comes with it
  }
  to_.locator = [&expr] { return expr.location(); };
  to_.expr(expr.kind(), std::move(operands), std::move(results), expr.attributes());
  to_.locator = nullptr;
}

Val* NodeCopier::constant(const ScalarValue& value, DataType dtype) {
  if (!sharing_) {
    return to_.constant(value, dtype);
  }
  Val*& shared = constants_[constant_key(value, dtype)];
  return shared = shared == nullptr ? to_.constant(value, dtype) : shared;
}

Val* NodeCopier::copy_val(const Val& val) {
  switch (val.kind()) {
    case ValKind::scalar:
      return val.is_constant()                 ? constant(*val.constant(), val.dtype())
             : val.role() != ScalarRole::plain ? to_.random_leaf(val.role())
                                               : to_.symbolic(val.dtype());
    case ValKind::iter_domain: {
      const auto& axis = static_cast<const IterDomain&>(val);
      IterDomain* copy = to_.axis((*this)(axis.extent()), axis.iter_type(), (*this)(axis.expanded_extent()));
      copy->parallelize(axis.parallel_type());
      return copy;
    }
    case ValKind::tensor_domain: {
      const auto& domain = static_cast<const TensorDomain&>(val);
      std::vector<IterDomain*> root = mapped<IterDomain>(domain.root());
      return to_.domain(std::move(root), mapped<IterDomain>(domain.logical()));
    }
    default: {
      const auto& tensor = static_cast<const TensorView&>(val);
      TensorView* copy =
          to_.tensor(static_cast<TensorDomain*>((*this)(tensor.domain())), tensor.dtype(), tensor.is_cpu_scalar());
      tensors_.emplace_back(&tensor, copy);
      copy_memory(tensor, *copy);
      return copy;
    }
  }
}

void NodeCopier::copy_memory(const TensorView& from, TensorView& to) {
  to.domain()->set_allocation(mapped<IterDomain>(from.domain()->allocation()), from.domain()->contiguity());
  to.set_memory_type(from.memory_type());
}

void NodeCopier::copy_boundary(const Fusion& from) {
  for (const Val* input : from.inputs()) {
    to_.add_input((*this)(input));
  }
  for (size_t k = 0; k < from.outputs().size(); ++k) {
    TensorView* output = (*this)(from.outputs()[k]);
    const OutputAlias* alias = from.alias(k);
    if (alias == nullptr || !alias->hidden) {
      to_.add_output(output);
    }
    if (alias != nullptr && (alias->hidden || to_.alias(k) == nullptr)) {
      to_.add_output(output, (*this)(alias->input));
    }
  }
  if (from.offset_advance() != nullptr) {
    to_.set_offset_advance((*this)(from.offset_advance()));
  }
  for (const auto& [old, fresh] : tensors_) {
    copy_memory(*old, *fresh);
  }
}

}  // namespace nvfuser
