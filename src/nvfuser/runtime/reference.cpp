// SPDX-License-Identifier: Apache-2.0
// Arguments of a call through the evaluator, in double.
#include "nvfuser/runtime/reference.h"

#include "nvfuser/runtime/arguments.h"

namespace nvfuser {
namespace {

DataType widened(DataType dtype) {
  return is_floating(dtype) ? DataType::Double : is_complex(dtype) ? DataType::ComplexDouble : dtype;
}

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t step = 1;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= sizes[axis];
  }
  return strides;
}

}  // namespace

void evaluate_float64(const Fusion& fusion, const std::vector<Argument>& arguments,
                      std::span<const uintptr_t> outputs) {
  check(outputs.size() == fusion.outputs().size(), ErrorKind::definition, "Expected ", fusion.outputs().size(),
        " addresses for outputs, but got ", outputs.size());
  ScalarBinding binding(fusion);
  bind_arguments(fusion, arguments, binding);
  std::vector<HostArgument> inputs;
  for (const Argument& argument : arguments) {
    const auto* tensor = std::get_if<TensorArgument>(&argument);
    inputs.push_back(tensor ? HostArgument(HostTensor{tensor->data, tensor->dtype, tensor->sizes, tensor->strides})
                            : HostArgument(std::get<ScalarValue>(argument)));
  }
  std::vector<HostTensor> results;
  for (size_t k = 0; k < outputs.size(); ++k) {
    const TensorView* tensor = fusion.outputs()[k];
    std::vector<int64_t> sizes = binding.sizes(tensor);
    std::vector<int64_t> strides = row_major_strides(sizes);
    results.push_back(
        {reinterpret_cast<void*>(outputs[k]), widened(tensor->dtype()), std::move(sizes), std::move(strides)});
  }
  evaluate(fusion, inputs, results, EvaluatePrecision::float64);
}

}  // namespace nvfuser
