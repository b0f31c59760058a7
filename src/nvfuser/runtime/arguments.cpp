// SPDX-License-Identifier: Apache-2.0
// Checks of arguments and the key of a call.
#include "nvfuser/runtime/arguments.h"

#include <bit>
#include <sstream>

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

std::vector<int64_t> facts_key(const std::vector<Argument>& arguments, int way) {
  std::vector<int64_t> key{way};
  for (const Argument& argument : arguments) {
    if (const auto* tensor = std::get_if<TensorArgument>(&argument)) {
      key.push_back(static_cast<int64_t>(tensor->dtype) | static_cast<int64_t>(tensor->sizes.size()) << 8 |
                    alignment_of(tensor->data) << 16 | static_cast<int64_t>(tensor->device.kind) << 24 |
                    static_cast<int64_t>(tensor->device.index) << 32);
      key.insert(key.end(), tensor->sizes.begin(), tensor->sizes.end());
      for (size_t axis = 0; axis < tensor->sizes.size(); ++axis) {
        key.push_back(tensor->sizes[axis] > 1 ? tensor->strides[axis] : 0);
      }
    } else {
      const ScalarValue& value = std::get<ScalarValue>(argument);
      key.push_back(static_cast<int64_t>(value.index()));
      const auto* integer = std::get_if<int64_t>(&value);
      key.push_back(integer ? *integer : 0);
    }
  }
  return key;
}

}  // namespace nvfuser
