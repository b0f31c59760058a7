// SPDX-License-Identifier: Apache-2.0
// Definitions: see define.h.
#include "nvfuser/ops/define.h"

#include <algorithm>
#include <numeric>

#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/result.h"

namespace nvfuser {
namespace {

constexpr std::string_view kTensor = "define_tensor";

/// The allocation position of each axis.
std::vector<size_t> allocation_positions(const std::vector<int64_t>& stride_order, size_t rank) {
  std::vector<size_t> positions(rank);
  std::iota(positions.begin(), positions.end(), 0);
  if (stride_order.empty()) {
    return positions;
  }
  check(stride_order.size() == rank, ErrorKind::shape, kTensor, ": stride_order has ", stride_order.size(),
        " entries for a shape of ", rank);
  std::vector<bool> taken(rank, false);
  for (size_t k = 0; k < rank; ++k) {
    positions[k] = rank - 1 - wrapped_axis("define_tensor: stride_order", stride_order[k], static_cast<int64_t>(rank));
    check(!taken[positions[k]], ErrorKind::shape, kTensor, ": stride_order names ", stride_order[k], " twice");
    taken[positions[k]] = true;
  }
  return positions;
}

void check_shape(const std::vector<int64_t>& shape, bool is_cpu) {
  for (size_t k = 0; k < shape.size(); ++k) {
    check(shape[k] >= -1, ErrorKind::shape, kTensor, ": the value ", shape[k], " at index ", k,
          " was neither symbolic(-1), zero_element(0), broadcast(1), or static(>1)");
  }
  check(!is_cpu || shape.empty(), ErrorKind::shape, kTensor,
        ": only a tensor without axes can live on the CPU, but the shape has ", shape.size(), " axes");
}

IterDomain* input_axis(Fusion& fusion, int64_t size, bool expanded) {
  Val* extent = size == -1 ? fusion.symbolic(DataType::Index) : fusion.index_constant(size);
  return expanded ? make_broadcast_axis(fusion, extent) : make_axis(fusion, extent);
}

/// Two elements of four bits share a byte along the fastest axis.
DataType unpack(DataType dtype, std::vector<int64_t>& shape, const std::vector<size_t>& positions) {
  if (dtype != DataType::Float4_e2m1fn_x2) {
    return dtype;
  }
  check(!shape.empty(), ErrorKind::shape, kTensor, ": a packed type needs an axis");
  const size_t fastest = std::find(positions.begin(), positions.end(), shape.size() - 1) - positions.begin();
  shape[fastest] *= shape[fastest] == -1 ? 1 : 2;
  return DataType::Float4_e2m1fn;
}

}  // namespace

TensorDescriptor compute_tensor_descriptor(const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides) {
  constexpr std::string_view kOp = "compute_tensor_descriptor";
  check(sizes.size() == strides.size(), ErrorKind::shape, kOp, ": ", sizes.size(), " sizes but ", strides.size(),
        " strides");
  const size_t rank = sizes.size();
  std::vector<size_t> moving;
  for (size_t k = 0; k < rank; ++k) {
    check(sizes[k] >= 0, ErrorKind::shape, kOp, ": size ", sizes[k], " of axis ", k, " is negative");
    check(strides[k] >= 0, ErrorKind::shape, kOp, ": stride ", strides[k], " of axis ", k, " is negative");
    if (strides[k] != 0) {
      moving.push_back(k);
    }
  }
  std::stable_sort(moving.begin(), moving.end(), [&](size_t a, size_t b) { return strides[a] > strides[b]; });
  TensorDescriptor result{std::vector<std::optional<bool>>(rank), std::vector<int64_t>(rank)};
  std::vector<size_t> order;
  auto next = moving.begin();
  for (size_t k = 0; k < rank; ++k) {
    order.push_back(strides[k] == 0 ? k : *next++);
    result.stride_order[order[k]] = static_cast<int64_t>(rank - 1 - k);
  }
  int64_t dense = 1;  // the stride of an axis that is contiguous with the next inner one
  for (size_t k = rank; k-- > 0;) {
    const int64_t size = sizes[order[k]], stride = strides[order[k]];
    if (size == 1 || stride == 0) {
      continue;
    }
    result.contiguity[k] = stride == dense;
    dense = size * stride;
  }
  return result;
}

TensorView* define_tensor(Fusion& fusion, const std::vector<int64_t>& given_shape,
                          const std::vector<std::optional<bool>>& contiguity, DataType given_dtype, bool is_cpu,
                          const std::vector<int64_t>& stride_order) {
  check_shape(given_shape, is_cpu);
  const size_t rank = given_shape.size();
  check(contiguity.size() == rank, ErrorKind::shape, kTensor, ": contiguity has ", contiguity.size(),
        " entries for a shape of ", rank);
  const std::vector<size_t> positions = allocation_positions(stride_order, rank);
  std::vector<int64_t> shape = given_shape;
  const DataType dtype = unpack(given_dtype, shape, positions);
  std::vector<IterDomain*> logical, allocation(rank);
  std::vector<std::optional<bool>> flags(rank);
  for (size_t k = 0; k < rank; ++k) {
    const std::optional<bool>& flag = contiguity[positions[k]];
    IterDomain* axis = input_axis(fusion, shape[k], !flag && shape[k] != 1);
    logical.push_back(axis);
    allocation[positions[k]] = axis;
    flags[positions[k]] = axis->is_broadcast() ? std::nullopt : flag;
  }
  TensorDomain* domain = fusion.domain(std::move(logical));
  domain->set_allocation(std::move(allocation), std::move(flags));
  TensorView* tensor = fusion.tensor(domain, dtype, is_cpu);
  fusion.locate(tensor);
  for (const IterDomain* axis : tensor->logical()) {
    fusion.locate(axis->visible_extent(), tensor->location());
  }
  return tensor;
}

TensorView* define_tensor(Fusion& fusion, const std::vector<int64_t>& shape, bool contiguity, DataType dtype,
                          bool is_cpu, const std::vector<int64_t>& stride_order) {
  std::vector<std::optional<bool>> flags(shape.size());
  const std::vector<size_t> positions = allocation_positions(stride_order, shape.size());
  for (size_t k = 0; k < shape.size(); ++k) {
    if (shape[k] != 1) {
      flags[positions[k]] = contiguity;
    }
  }
  return define_tensor(fusion, shape, flags, dtype, is_cpu, stride_order);
}

TensorView* define_strided_tensor(Fusion& fusion, const std::vector<int64_t>& sizes,
                                  const std::vector<int64_t>& strides, DataType dtype, bool static_sizes, bool is_cpu) {
  TensorDescriptor descriptor = compute_tensor_descriptor(sizes, strides);
  std::vector<int64_t> shape = sizes;
  for (int64_t& size : shape) {
    size = static_sizes || size == 1 ? size : -1;
  }
  return define_tensor(fusion, shape, descriptor.contiguity, dtype, is_cpu, descriptor.stride_order);
}

Val* define_scalar(Fusion& fusion, DataType dtype) {
  Val* scalar = fusion.symbolic(dtype);
  fusion.locate(scalar);
  return scalar;
}

Val* define_scalar(Fusion& fusion, ScalarValue value, std::optional<DataType> dtype) {
  if (!dtype) {
    return make_constant(fusion, value);
  }
  const bool loses = std::holds_alternative<std::complex<double>>(value) && !is_complex(*dtype);
  check(!loses, ErrorKind::dtype, "define_scalar: a complex value cannot have the type ", name_of(*dtype));
  return fusion.constant(convert_scalar(value, *dtype), *dtype);
}

}  // namespace nvfuser
