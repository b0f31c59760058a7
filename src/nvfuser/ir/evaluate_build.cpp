// SPDX-License-Identifier: Apache-2.0
// Finds the values that results need: a walk over links without recursion, so that long chains are fine.
#include "nvfuser/ir/evaluate_build.h"

#include <numeric>
#include <sstream>

namespace nvfuser {

namespace {

/// A tensor that is wanted at more points than this is computed once, whole: chains of slices, pads and cats would
/// otherwise multiply.
constexpr int kMostReadPoints = 4;

}  // namespace

std::vector<int64_t> dense_strides(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t step = 1;
  for (size_t k = sizes.size(); k-- > 0; step *= std::max<int64_t>(sizes[k], 1)) {
    strides[k] = step;
  }
  return strides;
}

int64_t element_count(const std::vector<int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
}

DataType EvaluateCall::value_type(DataType dtype) const {
  if (precision == EvaluatePrecision::float64 && (is_floating(dtype) || is_complex(dtype))) {
    return is_floating(dtype) ? DataType::Double : DataType::ComplexDouble;
  }
  return compute_type(dtype);
}

HostTensor EvaluateCall::allocate(std::vector<int64_t> sizes, DataType dtype) {
  HostTensor result;
  result.data = storage.emplace_back(element_count(sizes) * bytes_of(dtype)).data();
  result.dtype = dtype;
  result.strides = dense_strides(sizes);
  result.sizes = std::move(sizes);
  return result;
}

ProgramBuilder::ProgramBuilder(EvaluateCall& call, const std::vector<int64_t>& sizes)
    : call_(call), sizes_(sizes), columns_(program_, sizes) {}

void ProgramBuilder::store(const TensorView* tensor, const HostTensor& to) {
  ensure(to.sizes == sizes_ && to.strides.size() == sizes_.size(), "results have the sizes of their tensors");
  const StoreFunction store = find_store(call_.value_type(tensor->dtype()), to.dtype);
  const int from = value(tensor, columns_.root());
  const int64_t size = bytes_of(to.dtype);
  if (columns_.dense(columns_.root(), to.strides)) {
    program_.sink({from},
                  [=, data = static_cast<std::byte*>(to.data)](const BlockRange& range, void*, const void* const* ins) {
                    store(data + range.begin * size, nullptr, ins[0], range.n);
                  });
  } else {
    program_.sink({from, columns_.offsets(columns_.root(), to.strides)},
                  [=, data = to.data](const BlockRange& range, void*, const void* const* ins) {
                    store(data, static_cast<const int64_t*>(ins[1]), ins[0], range.n);
                  });
  }
}

/// Depth first with an explicit stack: a request is emitted when all its operands have values.
int ProgramBuilder::value(const TensorView* tensor, const ReadPoint& at) {
  std::vector<Request> stack(1);
  stack.back().tensor = tensor;
  stack.back().at = at;
  while (!stack.empty()) {
    const std::pair key{stack.back().tensor, stack.back().at};
    if (values_.contains(key)) {
      stack.pop_back();
      continue;
    }
    if (!stack.back().prepared) {
      prepare(stack.back());
    }
    std::vector<Request> missing;
    for (const Request& operand : stack.back().operands) {
      if (!operand.absent && !values_.contains({operand.tensor, operand.at})) {
        missing.push_back(operand);
      }
    }
    if (missing.empty()) {
      values_.emplace(key, emit(stack.back()));
      stack.pop_back();
    }
    stack.insert(stack.end(), missing.rbegin(), missing.rend());
  }
  return values_.at({tensor, at});
}

bool ProgramBuilder::in_memory(const Request& request) { return call_.memory.contains(request.tensor); }

void ProgramBuilder::materialize(const TensorView* tensor) {
  const std::vector<int64_t> sizes = call_.binding.sizes(tensor);
  const HostTensor whole = call_.allocate(sizes, call_.value_type(tensor->dtype()));
  ProgramBuilder builder(call_, sizes);
  builder.store(tensor, whole);
  builder.run();
  call_.memory.emplace(tensor, whole);
}

void ProgramBuilder::prepare(Request& request) {
  request.prepared = true;
  if (in_memory(request)) {
    return;
  }
  const Expr* expr = request.tensor->definition();
  check(expr != nullptr, ErrorKind::definition, *request.tensor,
        " is needed by an output, but it is neither an input nor computed");
  const bool source = expr->kind() == ExprKind::full || expr->kind() == ExprKind::iota;
  if (!source && ++read_points_[request.tensor] > kMostReadPoints) {
    materialize(request.tensor);
    return;
  }
  if (expr->kind() == ExprKind::take_along_axis) {
    const auto* from = static_cast<const TensorView*>(expr->input(0));
    if (!call_.memory.contains(from)) {
      materialize(from);
    }
  }
  const auto axes = static_cast<const TensorView*>(expr->output(0))->domain()->no_reductions();
  for (const Link& link : links(*expr, scope(axes, request.at))) {
    request.operands.push_back(operand_request(*expr, link));
    request.conditions.push_back(link.tests);
    std::vector<int>& values = request.tests.emplace_back();
    for (const Test& test : link.tests) {
      values.push_back(request.operands.back().absent ? -1 : columns_.value(test.index));
    }
  }
}

/// axes[k] has the index at[k].
LinkScope ProgramBuilder::scope(const std::vector<IterDomain*>& axes, const ReadPoint& at) {
  std::unordered_map<const IterDomain*, Index> known;
  for (size_t k = 0; k < axes.size(); ++k) {
    known.emplace(axes[k], at[k]);
  }
  return {columns_.pool(), columns_.algebra(),
          [known = std::move(known)](const IterDomain* axis) { return known.at(axis); },
          [this](const Val* extent) { return columns_.pool().constant(call_.binding.integer(extent)); },
          [this](const TensorView*, const std::vector<Index>&, Index) { return columns_.pool().constant(0); }};
}

ProgramBuilder::Request ProgramBuilder::operand_request(const Expr& expr, const Link& link) {
  Request operand;
  operand.tensor = static_cast<const TensorView*>(expr.inputs()[link.operand]);
  const auto axes = operand.tensor->domain()->no_reductions();
  for (size_t k = 0; k < axes.size(); ++k) {
    // A broadcast axis is one element in memory and in values, whatever its visible extent.
    const int64_t size = axes[k]->is_broadcast() ? 1 : call_.binding.integer(axes[k]->extent());
    operand.absent |= size == 0 || call_.binding.integer(axes[k]->visible_extent()) == 0;
    if (operand.absent) {
      check(!link.tests.empty(), ErrorKind::shape, OpTitle{expr}, " reads an operand without elements");
      return operand;
    }
    operand.at.push_back(columns_.read(link.map[k], size, !link.tests.empty(),
                                       [&] { return (std::ostringstream() << OpTitle{expr}).str(); }));
  }
  return operand;
}

}  // namespace nvfuser
