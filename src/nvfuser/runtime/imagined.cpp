// SPDX-License-Identifier: Apache-2.0
// Descriptions in the place of arguments.
#include "nvfuser/runtime/imagined.h"

#include "nvfuser/ir/titles.h"
#include "nvfuser/runtime/layout.h"

namespace nvfuser {

void* imagined_address(size_t position) { return reinterpret_cast<void*>((position + 1) << 44); }

TensorArgument dense_argument(const Fusion& fusion, size_t position, std::vector<int64_t> sizes, const Device& device) {
  const std::vector<Val*>& inputs = fusion.inputs();
  const std::string title = describe_input(fusion, position);
  check(position < inputs.size() && inputs[position]->is_tensor(), ErrorKind::definition, "Expected ",
        position < inputs.size() ? "a number" : "nothing", " for input ", position, ", but got a shape",
        title.empty() ? "" : "; it is for ", title);
  const auto* view = static_cast<const TensorView*>(inputs[position]);
  const Layout layout = allocation_layout(*view);
  check(layout.order.size() == sizes.size(), ErrorKind::shape, "Expected ", layout.order.size(), " sizes for ", title,
        ", but got ", sizes.size());
  const DataType dtype = view->dtype() == DataType::Index ? DataType::Int : view->dtype();
  std::vector<int64_t> strides = dense_strides(layout, sizes);
  return {imagined_address(position), dtype, device, std::move(sizes), std::move(strides)};
}

ScalarValue any_value(const FusionExecutor& executor, size_t position) {
  const std::vector<Val*>& inputs = executor.fusion()->inputs();
  const std::string title = describe_input(*executor.fusion(), position);
  check(position < inputs.size() && !inputs[position]->is_tensor(), ErrorKind::definition,
        "Expected a shape for input ", position, ", but got None", title.empty() ? "" : ": ", title);
  check(!executor.is_sizing(static_cast<int>(position)), ErrorKind::definition, "Expected a value for input ", position,
        ", which decides the size of a tensor, but got None: ", title);
  const DataType dtype = inputs[position]->dtype();
  return is_complex(dtype)         ? ScalarValue(std::complex<double>())
         : is_floating(dtype)      ? ScalarValue(0.0)
         : dtype == DataType::Bool ? ScalarValue(false)
                                   : ScalarValue(int64_t{0});
}

}  // namespace nvfuser
