// SPDX-License-Identifier: Apache-2.0
// Evaluation of whole fusions: binds arguments, computes results of equal shape together, writes aliased ones last.
#include "nvfuser/ir/evaluate.h"

#include <algorithm>
#include <functional>
#include <map>

#include "nvfuser/ir/evaluate_build.h"
#include "nvfuser/ir/strided.h"

namespace nvfuser {

namespace {

void bind(const Fusion& fusion, const std::vector<HostArgument>& arguments, EvaluateCall& call) {
  check(arguments.size() == fusion.inputs().size(), ErrorKind::definition, "Expected ", fusion.inputs().size(),
        " inputs, but got ", arguments.size());
  for (size_t k = 0; k < arguments.size(); ++k) {
    if (const auto* scalar = std::get_if<ScalarValue>(&arguments[k])) {
      call.binding.bind_scalar(k, *scalar);
      continue;
    }
    const auto& tensor = std::get<HostTensor>(arguments[k]);
    call.binding.bind_tensor(k, tensor.sizes);
    const auto* input = static_cast<const TensorView*>(fusion.inputs()[k]);
    check(tensor.dtype == input->dtype() ||
              (is_integral(tensor.dtype) && value_index(tensor.dtype) == value_index(input->dtype())),
          ErrorKind::dtype, "Expected ", InputTitle{k, input}, " to be bound to a tensor of dtype ",
          name_of(input->dtype()), ", but got a tensor of dtype ", name_of(tensor.dtype), AtLine{*input});
    check(tensor.strides.size() == tensor.sizes.size(), ErrorKind::shape, "Expected ", InputTitle{k, input},
          " to have ", tensor.sizes.size(), " strides, but got ", tensor.strides.size(), AtLine{*input});
    call.memory.emplace(input, tensor);
  }
}

void check_result(const Fusion& fusion, size_t k, const HostTensor& result, EvaluateCall& call) {
  const TensorView* output = fusion.outputs()[k];
  const bool wide =
      call.precision == EvaluatePrecision::float64 && (is_floating(output->dtype()) || is_complex(output->dtype()));
  const DataType expected = wide ? call.value_type(output->dtype()) : output->dtype();
  check(result.dtype == expected, ErrorKind::dtype, "result ", k, " has dtype ", name_of(result.dtype), " where ",
        name_of(expected), " was expected");
  const std::vector<int64_t> sizes = call.binding.sizes(output);
  check(result.sizes == sizes && result.strides.size() == sizes.size(), ErrorKind::shape, "result ", k, " of rank ",
        result.sizes.size(), " has other sizes than ", *output);
}

/// The addresses between which a tensor's elements lie.
std::pair<const std::byte*, const std::byte*> range_of(const HostTensor& tensor) {
  const int64_t bytes = bytes_of(tensor.dtype);
  const auto* data = static_cast<const std::byte*>(tensor.data);
  return {data - elements_before(tensor.sizes, tensor.strides) * bytes,
          data + addressed_elements(tensor.sizes, tensor.strides) * bytes};
}

/// Is the result's memory, or may it be, that of an input, which others still read?
bool written_last(const Fusion& fusion, size_t k, const std::vector<HostArgument>& arguments,
                  const HostTensor& result) {
  const auto [first, last] = range_of(result);
  return fusion.alias(k) != nullptr ||
         std::any_of(arguments.begin(), arguments.end(), [&, first = first, last = last](const HostArgument& argument) {
           const auto* tensor = std::get_if<HostTensor>(&argument);
           if (tensor == nullptr) {
             return false;
           }
           const auto [begin, end] = range_of(*tensor);
           return std::less<>()(begin, last) && std::less<>()(first, end);
         });
}

/// Element by element, in the order of the logical axes.
void copy(const HostTensor& from, const HostTensor& to) {
  const int64_t bytes = bytes_of(from.dtype), count = element_count(from.sizes);
  for (int64_t linear = 0; linear < count; ++linear) {
    int64_t rest = linear, source = 0, target = 0;
    for (size_t k = from.sizes.size(); k-- > 0; rest /= from.sizes[k]) {
      source += rest % from.sizes[k] * from.strides[k];
      target += rest % from.sizes[k] * to.strides[k];
    }
    std::copy_n(static_cast<const std::byte*>(from.data) + source * bytes, bytes,
                static_cast<std::byte*>(to.data) + target * bytes);
  }
}

}  // namespace

void evaluate(const Fusion& fusion, const std::vector<HostArgument>& arguments, const std::vector<HostTensor>& results,
              EvaluatePrecision precision, const RandomState& random) {
  check(results.size() == fusion.outputs().size(), ErrorKind::definition, "Expected room for ", fusion.outputs().size(),
        " results, but got ", results.size());
  ScalarBinding binding(fusion);
  binding.bind_random(random);
  EvaluateCall call{binding, precision, {}, {}};
  bind(fusion, arguments, call);
  check_sizes(fusion, binding);
  std::vector<HostTensor> targets = results;
  std::map<std::vector<int64_t>, std::vector<size_t>> shapes;
  for (size_t k = 0; k < results.size(); ++k) {
    check_result(fusion, k, results[k], call);
    shapes[results[k].sizes].push_back(k);
    if (written_last(fusion, k, arguments, results[k])) {
      targets[k] = call.allocate(results[k].sizes, results[k].dtype);
    }
  }
  for (const Expr* expr : fusion.live_exprs()) {
    if (expr->kind() == ExprKind::reduce) {
      evaluate_reduction(*expr, call);
    }
  }
  for (const auto& [sizes, members] : shapes) {
    if (element_count(sizes) == 0) {
      continue;
    }
    ProgramBuilder builder(call, sizes);
    for (const size_t k : members) {
      builder.store(fusion.outputs()[k], targets[k]);
    }
    builder.run();
  }
  for (size_t k = 0; k < results.size(); ++k) {
    if (targets[k].data != results[k].data) {
      copy(targets[k], results[k]);
    }
  }
}

}  // namespace nvfuser
