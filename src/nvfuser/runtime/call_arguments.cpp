// SPDX-License-Identifier: Apache-2.0
// Facts of a call as words.
#include "nvfuser/runtime/call_arguments.h"

#include <algorithm>
#include <bit>
#include <complex>
#include <type_traits>

#include "nvfuser/base/errors.h"
#include "nvfuser/runtime/layout.h"

namespace nvfuser {
namespace {

/// The words that stand for a scalar's value.
template <class Add>
void add_bits(const ScalarValue& value, Add&& add) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_integral_v<T>) {
          add(static_cast<int64_t>(v));
        } else if constexpr (std::is_floating_point_v<T>) {
          add(std::bit_cast<int64_t>(v));
        } else {
          add(std::bit_cast<int64_t>(v.real()));
          add(std::bit_cast<int64_t>(v.imag()));
        }
      },
      value);
}

}  // namespace

int64_t* CallArguments::add(void* data, DataType dtype, Device device, int rank) {
  words_.push_back(static_cast<int64_t>(dtype) | int64_t{rank} << 8 | alignment_of(data) << 16 |
                   static_cast<int64_t>(device.kind) << 24 | int64_t{device.index} << 32);
  const int first = static_cast<int>(words_.size());
  items_.push_back({data, first, static_cast<int16_t>(rank), -1, dtype, device});
  words_.resize(first + 2 * static_cast<size_t>(rank));
  return words_.data() + first;
}

void CallArguments::add(const ScalarValue& value, bool is_fact) {
  items_.push_back({nullptr, 0, 0, static_cast<int16_t>(scalars_.size()), DataType::Null, {}});
  scalars_.push_back(value);
  words_.push_back(static_cast<int64_t>(value.index()));
  if (is_fact) {
    add_bits(value, [&](int64_t word) { words_.push_back(word); });
  }
}

void CallArguments::add(const Argument& argument, bool is_fact) {
  if (const auto* value = std::get_if<ScalarValue>(&argument)) {
    return add(*value, is_fact);
  }
  const auto& tensor = std::get<TensorArgument>(argument);
  ensure(tensor.sizes.size() == tensor.strides.size(), "a tensor of ", tensor.sizes.size(), " sizes and ",
         tensor.strides.size(), " strides");
  int64_t* words = add(tensor.data, tensor.dtype, tensor.device, static_cast<int>(tensor.sizes.size()));
  words = std::copy(tensor.sizes.begin(), tensor.sizes.end(), words);
  std::copy(tensor.strides.begin(), tensor.strides.end(), words);
  seal();
}

std::vector<Argument> CallArguments::arguments(int from, int to) const {
  std::vector<Argument> list;
  for (int k = from; k < to; ++k) {
    if (is_tensor(k)) {
      list.emplace_back(TensorArgument{
          data(k), dtype(k), device(k), {sizes(k).begin(), sizes(k).end()}, {strides(k).begin(), strides(k).end()}});
    } else {
      list.emplace_back(scalar(k));
    }
  }
  return list;
}

}  // namespace nvfuser
