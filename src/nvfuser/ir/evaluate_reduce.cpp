// SPDX-License-Identifier: Apache-2.0
// Reductions of the evaluator: a program over the axes that they iterate fills tuples, which then become results in
// memory.
#include "nvfuser/ir/evaluate_reduce.h"

#include <algorithm>

#include "nvfuser/ir/evaluate_build.h"

namespace nvfuser {

namespace {

const std::vector<IterDomain*>& root_of(const Expr& reduction) {
  return static_cast<const TensorView*>(reduction.output(0))->domain()->root();
}

/// Distance of tuples along each axis of the root: dense over the kept axes, 0 along the others.
std::vector<int64_t> tuple_strides(const std::vector<IterDomain*>& root, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> kept = sizes;
  for (size_t k = 0; k < root.size(); ++k) {
    kept[k] = root[k]->is_reduction() ? 1 : sizes[k];
  }
  std::vector<int64_t> strides = dense_strides(kept);
  for (size_t k = 0; k < root.size(); ++k) {
    strides[k] = root[k]->is_reduction() ? 0 : strides[k];
  }
  return strides;
}

/// One result in memory, a value per tuple, rounded to its dtype.
HostTensor finished(const Expr& reduction, int part, const ReduceFunctions& functions, const std::byte* tuples,
                    EvaluateCall& call) {
  const auto* result = static_cast<const TensorView*>(reduction.output(part));
  const DataType operand = call.value_type(reduction.input(0)->dtype());
  const DataType from = part_type(reduction.attribute<ReductionOp>(0), part, operand);
  HostTensor memory = call.allocate(call.binding.sizes(result), call.value_type(result->dtype()));
  const bool rounds = call.precision == EvaluatePrecision::kernel && is_narrow_float(result->dtype());
  const ConvertFunction convert = rounds ? find_rounding(from, result->dtype()) : find_convert(from, memory.dtype);
  const int64_t count = element_count(memory.sizes);
  std::vector<ValueCell> block(std::min(count, kBlockSize));
  for (int64_t begin = 0; begin < count; begin += kBlockSize) {
    const int64_t n = std::min(kBlockSize, count - begin);
    functions.finish(tuples + begin * functions.tuple_bytes, part, block.data(), n);
    convert(static_cast<std::byte*>(memory.data) + begin * bytes_of(memory.dtype), block.data(), n);
  }
  return memory;
}

}  // namespace

void ProgramBuilder::fold(const Expr& reduction, const ReduceFunctions& functions, std::byte* tuples) {
  const std::vector<IterDomain*>& root = root_of(reduction);
  std::vector<int> ins{columns_.offsets(columns_.root(), tuple_strides(root, sizes_))};
  for (const Link& link : links(reduction, scope(root, columns_.root()))) {
    const Request operand = operand_request(reduction, link);
    ins.push_back(value(operand.tensor, operand.at));
  }
  program_.sink(std::move(ins), [fold = functions.fold, tuples](const BlockRange& range, void*, const void* const* in) {
    fold(tuples, static_cast<const int64_t*>(in[0]), in + 1, range.n);
  });
}

void evaluate_reduction(const Expr& expr, EvaluateCall& call) {
  const auto op = expr.attribute<ReductionOp>(0);
  const DataType operand = call.value_type(expr.input(0)->dtype());
  const ReduceFunctions* functions = find_reduce(op, operand);
  check(functions != nullptr, ErrorKind::dtype, name_of(op), " has no meaning for dtype ", name_of(operand), ": ",
        expr);
  const auto* first = static_cast<const TensorView*>(expr.output(0));
  std::vector<int64_t> sizes;
  for (const IterDomain* axis : first->domain()->root()) {
    sizes.push_back(call.binding.integer(axis->visible_extent()));
  }
  const int64_t count = element_count(call.binding.sizes(first));
  const std::unique_ptr<std::byte[]> tuples(new std::byte[std::max<int64_t>(1, count * functions->tuple_bytes)]);
  functions->begin(tuples.get(), count);
  if (element_count(sizes) > 0) {
    ProgramBuilder builder(call, sizes);
    builder.fold(expr, *functions, tuples.get());
    builder.run();
  }
  for (int part = 0; part < info(op).parts.count; ++part) {
    const auto* result = static_cast<const TensorView*>(expr.output(part));
    call.memory.emplace(result, finished(expr, part, *functions, tuples.get(), call));
  }
}

}  // namespace nvfuser
