// SPDX-License-Identifier: Apache-2.0
// Small queries of values and expressions.
#include <algorithm>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

int64_t Val::constant_int() const {
  check(constant_.has_value(), ErrorKind::definition, *this, " is not a constant; an integer constant was expected");
  const int64_t* value = std::get_if<int64_t>(&*constant_);
  check(value != nullptr, ErrorKind::dtype, *this, " is a constant of dtype ", name_of(dtype_),
        "; an integer constant was expected");
  return *value;
}

const std::shared_ptr<const Location>& Val::location() const {
  return definition_ != nullptr ? definition_->location() : location_;
}

void TensorView::set_cpu_scalar(bool by_value) {
  check(!by_value || (rank() == 0 && definition() == nullptr), ErrorKind::shape,
        "only an input without axes can be passed by value; got ", *this);
  cpu_scalar_ = by_value;
}

int TensorView::rank() const {
  const auto& axes = domain_->logical();
  return static_cast<int>(
      std::count_if(axes.begin(), axes.end(), [](const IterDomain* a) { return !a->is_reduction(); }));
}

bool TensorView::is_fusion_input() const {
  const auto& inputs = fusion()->inputs();
  return definition() == nullptr && std::find(inputs.begin(), inputs.end(), this) != inputs.end();
}

Val* Expr::input(int k) const {
  check(k >= 0 && k < static_cast<int>(inputs_.size()), ErrorKind::definition, "operand ", k,
        " of an expression that has ", inputs_.size(), " operands: ", *this);
  return inputs_[k];
}

Val* Expr::output(int k) const {
  check(k >= 0 && k < static_cast<int>(outputs_.size()), ErrorKind::definition, "result ", k,
        " of an expression that has ", outputs_.size(), " results: ", *this);
  return outputs_[k];
}

}  // namespace nvfuser
