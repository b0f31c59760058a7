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

std::string text_of(const ScalarValue& value) {
  std::ostringstream text;
  std::visit([&](const auto& v) { text << std::boolalpha << v; }, value);
  return text.str();
}

/// The name that errors use for input k: position and printed form.
std::string title(size_t k, const Val* input) { return "input " + std::to_string(k) + ", " + to_string(*input) + ","; }

std::string lower_case(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    c = static_cast<char>(std::tolower(c));
  }
  return text;
}

/// The kind of a scalar may be promoted to that of the input, never narrowed.
bool scalar_fits(const ScalarValue& value, DataType dtype) {
  const int given = static_cast<int>(value.index());  // bool, int, double, complex: the order of DataKind without none
  return given <= static_cast<int>(kind_of(dtype)) - static_cast<int>(DataKind::boolean);
}

void check_tensor(size_t k, const TensorView* view, const TensorArgument& tensor) {
  check(tensor.dtype == view->dtype() ||
            (is_integral(view->dtype()) && view->dtype() == DataType::Index && tensor.dtype == DataType::Int),
        ErrorKind::dtype, "Expected ", title(k, view), " to be bound to a tensor of dtype ", name_of(view->dtype()),
        ", but got a tensor of dtype ", name_of(tensor.dtype));
  check(static_cast<int>(tensor.sizes.size()) == view->rank(), ErrorKind::shape, "Expected ", title(k, view),
        " to have rank ", view->rank(), ", but got a tensor of rank ", tensor.sizes.size());
}

/// Axes that the definition calls contiguous must be so, in the order that it gives.
void check_contiguity(size_t k, const TensorView* view, const TensorArgument& tensor) {
  const std::vector<IterDomain*> axes = view->domain()->no_reductions();
  const std::vector<IterDomain*>& allocation = view->domain()->allocation();
  int64_t expected = 1;
  for (size_t place = allocation.size(); place-- > 0;) {
    size_t axis = 0;
    while (axes[axis] != allocation[place]) {
      ++axis;
    }
    const int64_t size = tensor.sizes[axis], stride = tensor.strides[axis];
    if (size == 0) {
      return;
    }
    if (allocation[place]->is_broadcast() || size == 1) {
      continue;
    }
    const bool claimed = view->domain()->contiguity()[place].value_or(false);
    check(!claimed || stride == expected, ErrorKind::shape, "Expected ", title(k, view), " to be contiguous in axis ",
          axis, " (stride ", expected, " elements), but its stride is ", stride);
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

void add_bits(std::vector<int64_t>& key, const ScalarValue& value) {
  const auto add = [&](double part) { key.push_back(std::bit_cast<int64_t>(part)); };
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_integral_v<T>) {
          key.push_back(v);
        } else if constexpr (std::is_floating_point_v<T>) {
          add(v);
        } else {
          add(v.real());
          add(v.imag());
        }
      },
      value);
}

}  // namespace

void bind_arguments(const Fusion& fusion, const std::vector<Argument>& arguments, ScalarBinding& binding) {
  check(arguments.size() == fusion.inputs().size(), ErrorKind::definition, "Expected ", fusion.inputs().size(),
        " inputs, but got ", arguments.size());
  for (size_t k = 0; k < arguments.size(); ++k) {
    const Val* input = fusion.inputs()[k];
    if (const auto* tensor = std::get_if<TensorArgument>(&arguments[k])) {
      check(input->is_tensor(), ErrorKind::definition, "Expected ", title(k, input), " to be a scalar but got ",
            lower_case(name_of(tensor->dtype)), " tensor of rank ", tensor->sizes.size());
      const auto* view = static_cast<const TensorView*>(input);
      check_tensor(k, view, *tensor);
      binding.bind_tensor(k, tensor->sizes);
      check_contiguity(k, view, *tensor);
    } else {
      const ScalarValue& value = std::get<ScalarValue>(arguments[k]);
      check(!input->is_tensor(), ErrorKind::definition, "Expected ", title(k, input),
            " to be an at::Tensor but got scalar ", text_of(value));
      check(scalar_fits(value, input->dtype()), ErrorKind::dtype, "Scalar value ", text_of(value),
            " is not compatible with the expected data type: ", lower_case(name_of(input->dtype())), ". (",
            title(k, input), ")");
      binding.bind_scalar(k, value);
    }
  }
}

Device device_of(const std::vector<Argument>& arguments) {
  std::optional<Device> found;
  size_t first = 0;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const auto* tensor = std::get_if<TensorArgument>(&arguments[k]);
    if (!tensor || (tensor->sizes.empty() && tensor->device.kind == Device::Kind::cpu)) {
      continue;
    }
    auto text = [](const Device& device) {
      return device.kind == Device::Kind::cpu ? std::string("cpu") : "cuda:" + std::to_string(device.index);
    };
    if (!found) {
      found = tensor->device;
      first = k;
    }
    check(*found == tensor->device, ErrorKind::device, "Expected all inputs on one device, but input ", first,
          " is on ", text(*found), " and input ", k, " is on ", text(tensor->device));
  }
  return found.value_or(Device{});
}

bool ranges_meet(const TensorArgument& a, const TensorArgument& b) {
  const auto range = [](const TensorArgument& tensor) {
    const int64_t bytes = info(tensor.dtype).bits / 8;
    const auto* data = static_cast<const char*>(tensor.data);
    return std::pair(data - elements_before(tensor.sizes, tensor.strides) * bytes,
                     data + addressed_elements(tensor.sizes, tensor.strides) * bytes);
  };
  const auto [first_a, last_a] = range(a);
  const auto [first_b, last_b] = range(b);
  return a.device == b.device && std::less<>()(first_a, last_b) && std::less<>()(first_b, last_a);
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
      if (other != target && a && b && ranges_meet(*a, *b)) {
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
  std::vector<bool> sizing;
  for (const Val* input : fusion.inputs()) {
    sizing.push_back(input->is_scalar() && seen.count(input) != 0);
  }
  return sizing;
}

std::vector<int64_t> facts_key(const std::vector<Argument>& arguments, int way, const std::vector<bool>& sizing) {
  std::vector<int64_t> key{way};
  for (size_t k = 0; k < arguments.size(); ++k) {
    if (const auto* tensor = std::get_if<TensorArgument>(&arguments[k])) {
      key.push_back(static_cast<int64_t>(tensor->dtype) | static_cast<int64_t>(tensor->sizes.size()) << 8 |
                    alignment_of(tensor->data) << 16 | static_cast<int64_t>(tensor->device.kind) << 24 |
                    static_cast<int64_t>(tensor->device.index) << 32);
      key.insert(key.end(), tensor->sizes.begin(), tensor->sizes.end());
      for (size_t axis = 0; axis < tensor->sizes.size(); ++axis) {
        key.push_back(tensor->sizes[axis] > 1 ? tensor->strides[axis] : 0);
      }
    } else {
      const ScalarValue& value = std::get<ScalarValue>(arguments[k]);
      key.push_back(static_cast<int64_t>(value.index()));
      if (sizing[k] || std::holds_alternative<int64_t>(value)) {
        add_bits(key, value);
      }
    }
  }
  return key;
}

}  // namespace nvfuser
