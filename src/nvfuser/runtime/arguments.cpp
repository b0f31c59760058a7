// SPDX-License-Identifier: Apache-2.0
// Checks of arguments and the key of a call.
#include "nvfuser/runtime/arguments.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <sstream>
#include <type_traits>
#include <unordered_set>

#include "nvfuser/runtime/layout.h"

namespace nvfuser {
namespace {

std::string lower_case(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    c = static_cast<char>(std::tolower(c));
  }
  return text;
}

/// Elements lie at multiples of their size, complex ones of the size of a part.
bool is_aligned(const TensorArgument& tensor) {
  const int64_t bytes = bytes_of(tensor.dtype) / (is_complex(tensor.dtype) ? 2 : 1);
  return bytes <= 1 || reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(bytes) == 0;
}

void check_tensor(size_t k, const TensorView* view, const TensorArgument& tensor) {
  const InputTitle title{k, view};
  check(tensor.dtype == view->dtype() || (view->dtype() == DataType::Index && tensor.dtype == DataType::Int),
        ErrorKind::dtype, "Expected ", title, " to be bound to a tensor of dtype ", name_of(view->dtype()),
        ", but got a tensor of dtype ", name_of(tensor.dtype), AtLine{*view});
  check(tensor.strides.size() == tensor.sizes.size(), ErrorKind::shape, "Expected ", title, " to have ",
        tensor.sizes.size(), " strides, but got ", tensor.strides.size(), AtLine{*view});
  check(is_aligned(tensor), ErrorKind::definition, "Expected ", title, " to lie at a multiple of its element's ",
        bytes_of(tensor.dtype), " bytes, but its address is ", tensor.data, AtLine{*view});
}

/// Axes that the definition calls contiguous must be so, in the order that it gives, where there are elements.
void check_contiguity(size_t k, const TensorView* view, const TensorArgument& tensor) {
  if (std::find(tensor.sizes.begin(), tensor.sizes.end(), 0) != tensor.sizes.end()) {
    return;  // without elements strides mean nothing, and frameworks give any
  }
  const std::vector<IterDomain*> axes = view->domain()->no_reductions();
  const std::vector<IterDomain*>& allocation = view->domain()->allocation();
  int64_t expected = 1;
  for (size_t place = allocation.size(); place-- > 0;) {
    size_t axis = 0;
    while (axes[axis] != allocation[place]) {
      ++axis;
    }
    const int64_t size = tensor.sizes[axis], stride = tensor.strides[axis];
    if (allocation[place]->is_broadcast() || size == 1) {
      continue;
    }
    const bool claimed = view->domain()->contiguity()[place].value_or(false);
    check(!claimed || stride == expected, ErrorKind::shape, "Expected ", InputTitle{k, view},
          " to be contiguous in axis ", axis, " (stride ", expected, " elements), but its stride is ", stride,
          AtLine{*view});
    expected = stride * size;
  }
}

/// A scalar and all scalars that it is computed from.
void collect(const Val* value, std::unordered_set<const Val*>& seen) {
  if (value->is_scalar() && seen.insert(value).second && value->definition()) {
    for (const Val* operand : value->definition()->inputs()) {
      collect(operand, seen);
    }
  }
}

/// The position from which on the scalars of a view say where it reads or how large it is; past the end for others.
size_t first_size_operand(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::expand:
    case ExprKind::reshape:
    case ExprKind::slice:
    case ExprKind::full:
      return 1;
    case ExprKind::pad:
    case ExprKind::iota:
      return 2;
    default:
      return expr.inputs().size();
  }
}

MemoryRange range_of(const void* data, DataType dtype, Device device, std::span<const int64_t> sizes,
                     std::span<const int64_t> strides) {
  const int64_t bytes = bytes_of(dtype);
  const auto* first = static_cast<const char*>(data);
  return {first - elements_before(sizes, strides) * bytes, first + addressed_elements(sizes, strides) * bytes, device};
}

}  // namespace

void check_count(const Fusion& fusion, size_t given) {
  const std::vector<Val*>& inputs = fusion.inputs();
  if (given < inputs.size()) {
    fail(ErrorKind::definition, "Expected ", inputs.size(), " inputs, but got ", given,
         "; the first that is missing is ", InputTitle{given, inputs[given]}, " of dtype ",
         name_of(inputs[given]->dtype()), AtLine{*inputs[given]});
  }
  check(given == inputs.size() || !inputs.empty(), ErrorKind::definition, "Expected 0 inputs, but got ", given);
  if (given > inputs.size()) {
    fail(ErrorKind::definition, "Expected ", inputs.size(), " inputs, but got ", given, "; the last one is ",
         InputTitle{inputs.size() - 1, inputs.back()}, " of dtype ", name_of(inputs.back()->dtype()),
         AtLine{*inputs.back()});
  }
}

void bind_arguments(const Fusion& fusion, const std::vector<Argument>& arguments, ScalarBinding& binding) {
  check_count(fusion, arguments.size());
  for (size_t k = 0; k < arguments.size(); ++k) {
    const Val* input = fusion.inputs()[k];
    const auto* tensor = std::get_if<TensorArgument>(&arguments[k]);
    if (tensor == nullptr) {
      binding.bind_scalar(k, std::get<ScalarValue>(arguments[k]));
      continue;
    }
    check(input->is_tensor(), ErrorKind::definition, "Expected ", InputTitle{k, input}, " to be a scalar but got ",
          lower_case(name_of(tensor->dtype)), " tensor of rank ", tensor->sizes.size(), AtLine{*input});
    const auto* view = static_cast<const TensorView*>(input);
    check_tensor(k, view, *tensor);
    binding.bind_tensor(k, tensor->sizes);
    check_contiguity(k, view, *tensor);
  }
}

std::string to_string(const Device& device) {
  return device.kind == Device::Kind::cpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

Device device_of(const Fusion& fusion, const std::vector<Argument>& arguments) {
  const TensorArgument* first = nullptr;
  size_t first_position = 0;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const auto* tensor = std::get_if<TensorArgument>(&arguments[k]);
    if (!tensor || (tensor->sizes.empty() && tensor->device.kind == Device::Kind::cpu)) {
      continue;
    }
    if (first == nullptr) {
      first = tensor;
      first_position = k;
    }
    check(first->device == tensor->device, ErrorKind::device, "Expected all inputs on one device, but input ",
          first_position, " is on ", to_string(first->device), AtLine{*fusion.inputs()[first_position]}, " and input ",
          k, " is on ", to_string(tensor->device), AtLine{*fusion.inputs()[k]});
  }
  return first == nullptr ? Device{} : first->device;
}

std::vector<bool> host_values(const Fusion& fusion, const std::vector<Argument>& arguments, const Device& device) {
  std::vector<bool> by_value;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const auto* tensor = std::get_if<TensorArgument>(&arguments[k]);
    const bool on_cpu = tensor != nullptr && tensor->device.kind == Device::Kind::cpu;
    by_value.push_back(on_cpu && tensor->sizes.empty() && device.kind != Device::Kind::cpu);
    if (tensor != nullptr && !on_cpu) {
      const auto* view = static_cast<const TensorView*>(fusion.inputs()[k]);
      check(!view->is_cpu_scalar(), ErrorKind::device, "Expected ", InputTitle{k, view},
            " on the cpu, but got a tensor on ", to_string(tensor->device), AtLine{*view});
    }
  }
  return by_value;
}

bool ranges_meet(const MemoryRange& a, const MemoryRange& b) {
  return a.device == b.device && std::less<>()(a.first, b.last) && std::less<>()(b.first, a.last);
}

MemoryRange range_of(const TensorArgument& tensor) {
  return range_of(tensor.data, tensor.dtype, tensor.device, tensor.sizes, tensor.strides);
}

MemoryRange range_of(const CallArguments& call, int k) {
  return range_of(call.data(k), call.dtype(k), call.device(k), call.sizes(k), call.strides(k));
}

std::vector<int> written_inputs(const Fusion& fusion) {
  std::vector<int> written;
  for (size_t k = 0; k < fusion.outputs().size(); ++k) {
    if (const OutputAlias* alias = fusion.alias(k)) {
      const auto place = std::find(fusion.inputs().begin(), fusion.inputs().end(), alias->input);
      written.push_back(static_cast<int>(place - fusion.inputs().begin()));
    }
  }
  return written;
}

std::vector<std::pair<int, int>> shared_inputs(const std::vector<Argument>& arguments,
                                               const std::vector<int>& written) {
  std::vector<std::pair<int, int>> shared;
  for (int target : written) {
    for (int other = 0; other < static_cast<int>(arguments.size()); ++other) {
      const auto* a = std::get_if<TensorArgument>(&arguments[target]);
      const auto* b = std::get_if<TensorArgument>(&arguments[other]);
      if (other != target && a && b && ranges_meet(range_of(*a), range_of(*b))) {
        shared.emplace_back(target, other);
      }
    }
  }
  return shared;
}

std::vector<bool> sizing_scalars(const Fusion& fusion) {
  std::unordered_set<const Val*> seen;
  for (const Val* value : fusion.vals()) {
    if (value->is_tensor()) {
      for (const IterDomain* axis : static_cast<const TensorView*>(value)->logical()) {
        collect(axis->extent(), seen);
        collect(axis->visible_extent(), seen);
      }
    }
  }
  for (const Expr* expr : fusion.exprs()) {
    const size_t first = first_size_operand(*expr);
    for (size_t k = first; k < expr->inputs().size(); ++k) {
      collect(expr->inputs()[k], seen);
    }
  }
  if (fusion.offset_advance() != nullptr) {
    collect(fusion.offset_advance(), seen);
  }
  std::vector<bool> sizing;
  for (const Val* input : fusion.inputs()) {
    sizing.push_back(input->is_scalar() && seen.contains(input));
  }
  return sizing;
}

}  // namespace nvfuser
