// SPDX-License-Identifier: Apache-2.0
// Inputs, outputs and aliases of a fusion.
#include <algorithm>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

void Fusion::add_input(Val* input) {
  check(input != nullptr, ErrorKind::definition, "an input is missing");
  check(input->fusion() == this, ErrorKind::definition, "input ", *input, " belongs to another fusion", AtLine{*input});
  check(input->is_tensor() || input->is_scalar(), ErrorKind::definition, "an input must be a tensor or a scalar; got ",
        *input);
  check(!input->is_constant(), ErrorKind::definition, "a constant cannot be an input; got ", *input);
  check(input->definition() == nullptr, ErrorKind::definition, "an input cannot be the result of an expression; got ",
        *input);
  check(std::find(inputs_.begin(), inputs_.end(), input) == inputs_.end(), ErrorKind::definition, *input,
        " is an input already", AtLine{*input});
  inputs_.push_back(input);
  if (input->is_tensor()) {
    static_cast<TensorView*>(input)->set_memory_type(MemoryType::global);
  }
}

void Fusion::add_output(Val* output) {
  check(output != nullptr, ErrorKind::definition, "an output is missing");
  check(output->is_tensor(), ErrorKind::definition, "Non-TensorView outputs are not supported; got ", *output,
        ", a scalar of dtype ", name_of(output->dtype()));
  check(output->fusion() == this, ErrorKind::definition, "output ", *output, " belongs to another fusion",
        AtLine{*output});
  auto* tensor = static_cast<TensorView*>(output);
  check(tensor->definition() != nullptr || tensor->is_fusion_input(), ErrorKind::definition, "output ", *output,
        " is neither an input nor the result of an expression", AtLine{*output});
  std::unique_ptr<OutputAlias> entry;
  for (size_t k = 0; k < outputs_.size(); ++k) {
    if (outputs_[k] != tensor || aliases_[k] == nullptr) {
      continue;
    }
    entry = std::make_unique<OutputAlias>(OutputAlias{tensor, aliases_[k]->input, false});
    if (aliases_[k]->hidden) {  // it becomes visible, and its place is the new one
      outputs_.erase(outputs_.begin() + static_cast<std::ptrdiff_t>(k));
      aliases_.erase(aliases_.begin() + static_cast<std::ptrdiff_t>(k));
    }
    break;
  }
  outputs_.push_back(tensor);
  aliases_.push_back(std::move(entry));
  if (tensor->memory_type() != MemoryType::symmetric) {
    tensor->set_memory_type(MemoryType::global);
  }
}

namespace {

/// The output is written into the input's buffer, so its memory order is the input's.
void take_allocation(TensorView* output, const TensorView* input) {
  const std::vector<IterDomain*> from = input->domain()->no_reductions(), to = output->domain()->no_reductions();
  check(from.size() == to.size(), ErrorKind::shape, "an output of rank ", to.size(),
        " cannot be written into an input of rank ", from.size(), ": ", *output, " into ", *input);
  if (to.size() != output->logical().size()) {
    return;  // a reduction keeps its order: reduced axes have no place in memory
  }
  std::vector<IterDomain*> allocation;
  std::vector<std::optional<bool>> contiguity;
  const auto& order = input->domain()->allocation();
  for (size_t k = 0; k < order.size(); ++k) {
    IterDomain* axis = to[std::find(from.begin(), from.end(), order[k]) - from.begin()];
    allocation.push_back(axis);
    contiguity.push_back(axis->is_broadcast() ? std::nullopt
                                              : std::optional(input->domain()->contiguity()[k].value_or(true)));
  }
  output->domain()->set_allocation(std::move(allocation), std::move(contiguity));
}

}  // namespace

void Fusion::add_output(TensorView* output, TensorView* alias_input) {
  check(output != nullptr && alias_input != nullptr, ErrorKind::definition,
        "an aliased output needs an output and an input");
  check(alias_input->fusion() == this && alias_input->is_fusion_input(), ErrorKind::definition,
        "an output can only be written into an input tensor of its fusion; got ", *alias_input, AtLine{*alias_input});
  check(output->fusion() == this, ErrorKind::definition, "output ", *output, " belongs to another fusion",
        AtLine{*output});
  check(output->definition() != nullptr, ErrorKind::definition,
        "an aliased output must be the result of an expression; ", *output, " has none");
  for (const auto& other : aliases_) {
    if (other != nullptr) {
      check(other->output == output || other->input != alias_input, ErrorKind::definition, "input ", *alias_input,
            " is written by ", *other->output, " already", AtLine{*other->output});
      check(other->output != output || other->input == alias_input, ErrorKind::definition, "output ", *output,
            " is written into ", *other->input, " already");
    }
  }
  take_allocation(output, alias_input);
  bool added_before = false;
  for (size_t k = 0; k < outputs_.size(); ++k) {
    if (outputs_[k] == output) {
      added_before = true;
      if (aliases_[k] == nullptr) {
        aliases_[k] = std::make_unique<OutputAlias>(OutputAlias{output, alias_input, false});
      }
    }
  }
  if (!added_before) {
    add_output(output);
    aliases_.back() = std::make_unique<OutputAlias>(OutputAlias{output, alias_input, true});
  }
}

const OutputAlias* Fusion::alias(size_t k) const {
  check(k < aliases_.size(), ErrorKind::definition, "output ", k, " of a fusion that has ", aliases_.size(),
        " outputs");
  return aliases_[k].get();
}

}  // namespace nvfuser
