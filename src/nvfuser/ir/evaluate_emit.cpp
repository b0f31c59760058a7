// SPDX-License-Identifier: Apache-2.0
// The steps of each kind of expression.
#include <cstring>

#include "nvfuser/ir/evaluate_build.h"
#include "nvfuser/ir/nodes.h"

namespace nvfuser {

namespace {

/// An unsigned type of each size that a value can have, to move values without knowing their dtype.
template <class Visitor>
auto by_size(int bytes, Visitor&& visit) {
  struct Wide {
    uint64_t a, b;
  };
  switch (bytes) {
    case 1:
      return visit(uint8_t{});
    case 4:
      return visit(uint32_t{});
    case 8:
      return visit(uint64_t{});
    default:
      return visit(Wide{});
  }
}

}  // namespace

/// In order of nodes.def.
const ProgramBuilder::Emit ProgramBuilder::kEmit[kNodeCount] = {
    &ProgramBuilder::emit_pointwise,  // pointwise
    &ProgramBuilder::emit_cast,       // cast
    &ProgramBuilder::emit_view,       // set
    &ProgramBuilder::emit_view,       // broadcast
    &ProgramBuilder::emit_view,       // expand
    &ProgramBuilder::emit_view,       // squeeze
    &ProgramBuilder::emit_view,       // permute
    &ProgramBuilder::emit_view,       // reshape
    &ProgramBuilder::emit_view,       // slice
    &ProgramBuilder::emit_select,     // pad
    &ProgramBuilder::emit_select,     // cat
    &ProgramBuilder::emit_take,       // take_along_axis
    &ProgramBuilder::emit_full,       // full
    &ProgramBuilder::emit_iota,       // iota
    &ProgramBuilder::emit_none,       // reduce: in memory
    &ProgramBuilder::emit_none,       // split
    &ProgramBuilder::emit_none,       // merge
};

int ProgramBuilder::emit(const Request& request) {
  if (in_memory(request)) {
    return emit_load(request);
  }
  return (this->*kEmit[static_cast<int>(request.tensor->definition()->kind())])(request);
}

int ProgramBuilder::emit_load(const Request& request) {
  const HostTensor& memory = call_.memory.at(request.tensor);
  const LoadFunction load = find_load(memory.dtype, call_.value_type(request.tensor->dtype()));
  const int64_t size = bytes_of(memory.dtype);
  const auto* data = static_cast<const std::byte*>(memory.data);
  if (const auto start = columns_.dense(request.at, memory.strides)) {
    return program_.add(
        {},
        [=, from = data + *start * size](const BlockRange& range, void* out, const void* const*) {
          load(out, from + range.begin * size, nullptr, range.n);
        },
        true);
  }
  return program_.add({columns_.offsets(request.at, memory.strides)},
                      [=](const BlockRange& range, void* out, const void* const* ins) {
                        load(out, data, static_cast<const int64_t*>(ins[0]), range.n);
                      });
}

int ProgramBuilder::emit_view(const Request& request) {
  return values_.at({request.operands[0].tensor, request.operands[0].at});
}

int ProgramBuilder::constant(const ValueCell& cell, int bytes) {
  return program_.add({}, [cell, bytes](const BlockRange& range, void* out, const void* const*) {
    for (int64_t i = 0; i < range.n; ++i) {
      std::memcpy(static_cast<std::byte*>(out) + i * bytes, cell.bytes, bytes);
    }
  });
}

int ProgramBuilder::scalar(const Val* val, DataType type) {
  return constant(to_cell(call_.binding.value(val), type), bytes_of(type));
}

int ProgramBuilder::convert(int value, DataType from, DataType to) {
  if (value_index(from) == value_index(to)) {
    return value;
  }
  return program_.add({value},
                      [function = find_convert(from, to)](const BlockRange& range, void* out, const void* const* ins) {
                        function(out, ins[0], range.n);
                      });
}

/// From values of type `from` to values of `dtype`, through its storage type where that is narrow.
int ProgramBuilder::rounded(int value, DataType from, DataType dtype) {
  if (call_.precision == EvaluatePrecision::float64 || !is_narrow_float(dtype)) {
    return convert(value, from, call_.value_type(dtype));
  }
  const ConvertFunction function = find_rounding(from, dtype);
  check(function != nullptr, ErrorKind::dtype, "the evaluator cannot round to ", name_of(dtype));
  return program_.add({value}, [function](const BlockRange& range, void* out, const void* const* ins) {
    function(out, ins[0], range.n);
  });
}

int ProgramBuilder::operand(const Request& request, int position, DataType type) {
  const std::vector<Val*>& operands = request.tensor->definition()->inputs();
  if (!operands[position]->is_tensor()) {
    return scalar(operands[position], type);
  }
  int link = 0;
  for (int k = 0; k < position; ++k) {
    link += operands[k]->is_tensor();
  }
  const Request& from = request.operands[link];
  return convert(values_.at({from.tensor, from.at}), call_.value_type(from.tensor->dtype()), type);
}

int ProgramBuilder::apply(PointwiseOp op, DataType operation, const std::vector<int>& operands, const Expr& expr) {
  const BlockFunction function = find_block_function(op, operation);
  check(function != nullptr, ErrorKind::dtype, name_of(op), " has no meaning for dtype ", name_of(operation), ": ",
        expr);
  const size_t count = operands.size();
  return program_.add(operands, [function, count](const BlockRange& range, void* out, const void* const* ins) {
    function(out, ins[0], count > 1 ? ins[1] : nullptr, count > 2 ? ins[2] : nullptr, count > 3 ? ins[3] : nullptr,
             range.n);
  });
}

int ProgramBuilder::emit_pointwise(const Request& request) {
  const Expr& expr = *request.tensor->definition();
  const auto op = expr.attribute<PointwiseOp>(0);
  const DataType operation = call_.value_type(operation_type(expr));
  std::vector<int> operands;
  for (int k = 0; k < info(op).arity; ++k) {
    const bool flag = k == 0 && info(op).rule == PromotionRule::select;
    operands.push_back(operand(request, k, flag ? DataType::Bool : operation));
  }
  return rounded(apply(op, operation, operands, expr), result_type(op, operation), request.tensor->dtype());
}

int ProgramBuilder::emit_cast(const Request& request) {
  const Val* from = request.tensor->definition()->inputs()[0];
  const DataType type = call_.value_type(from->dtype());
  return rounded(operand(request, 0, type), type, request.tensor->dtype());
}

int ProgramBuilder::mask(const std::vector<int>& values, const std::vector<Test>& tests) {
  struct Bound {
    Test::Kind kind;
    int64_t bound;
  };
  std::vector<Bound> bounds;
  for (const Test& test : tests) {
    ensure(test.bound == nullptr || test.bound->is_constant(), "sizes are known to the evaluator");
    bounds.push_back({test.kind, test.bound ? test.bound->constant() : 0});
  }
  return program_.add(values, [bounds](const BlockRange& range, void* out, const void* const* ins) {
    auto* holds = static_cast<uint8_t*>(out);
    std::memset(holds, 1, range.n);
    for (size_t k = 0; k < bounds.size(); ++k) {
      const auto* index = static_cast<const int64_t*>(ins[k]);
      const Bound bound = bounds[k];
      for (int64_t i = 0; i < range.n; ++i) {
        holds[i] &= bound.kind == Test::Kind::lt   ? index[i] < bound.bound
                    : bound.kind == Test::Kind::ge ? index[i] >= 0
                                                   : index[i] == 0;
      }
    }
  });
}

int ProgramBuilder::select(int mask, int yes, int no, int bytes) {
  return by_size(bytes, [&](auto sample) {
    using Word = decltype(sample);
    return program_.add({mask, yes, no}, [](const BlockRange& range, void* out, const void* const* ins) {
      const auto* holds = static_cast<const uint8_t*>(ins[0]);
      for (int64_t i = 0; i < range.n; ++i) {
        static_cast<Word*>(out)[i] = static_cast<const Word*>(ins[holds[i] ? 1 : 2])[i];
      }
    });
  });
}

/// pad: the operand where its tests hold, else the fill value.  cat: the operand whose tests hold.
int ProgramBuilder::emit_select(const Request& request) {
  const Expr& expr = *request.tensor->definition();
  const DataType type = call_.value_type(request.tensor->dtype());
  int result = -1;
  if (expr.kind() == ExprKind::pad) {
    const Val* fill = expr.inputs()[1];
    result = rounded(scalar(fill, call_.value_type(fill->dtype())), call_.value_type(fill->dtype()),
                     request.tensor->dtype());
  }
  for (size_t k = 0; k < request.operands.size(); ++k) {
    const Request& from = request.operands[k];
    if (from.absent) {
      continue;
    }
    const int value = values_.at({from.tensor, from.at});
    const bool always = result < 0 || request.conditions[k].empty();  // of a cat, exactly one operand's tests hold
    result = always ? value : select(mask(request.tests[k], request.conditions[k]), value, result, bytes_of(type));
  }
  ensure(result >= 0, "an operand has elements where the result has: ", expr);
  return result;
}

/// The tensor is in memory; its link stands at 0 along the axis.
int ProgramBuilder::emit_take(const Request& request) {
  const Expr& expr = *request.tensor->definition();
  const auto axis = expr.attribute<int64_t>(0);
  const Request& from = request.operands[0];
  const HostTensor& memory = call_.memory.at(from.tensor);
  const int64_t step = memory.strides[axis];
  const int64_t size = call_.binding.integer(from.tensor->domain()->no_reductions()[axis]->visible_extent());
  const int start = columns_.offsets(from.at, memory.strides), told = operand(request, 1, DataType::Int);
  const int place = program_.add(
      {start, told}, [step, size, axis, &expr](const BlockRange& range, void* out, const void* const* ins) {
        const auto* index = static_cast<const int64_t*>(ins[1]);
        for (int64_t i = 0; i < range.n; ++i) {
          check(index[i] >= 0 && index[i] < size, ErrorKind::shape, OpTitle{expr}, ": index ", index[i],
                " is out of bounds for axis ", axis, " with size ", size);
          static_cast<int64_t*>(out)[i] = static_cast<const int64_t*>(ins[0])[i] + index[i] * step;
        }
      });
  const LoadFunction load = find_load(memory.dtype, call_.value_type(from.tensor->dtype()));
  return program_.add({place}, [load, data = memory.data](const BlockRange& range, void* out, const void* const* ins) {
    load(out, data, static_cast<const int64_t*>(ins[0]), range.n);
  });
}

int ProgramBuilder::emit_full(const Request& request) {
  const Val* fill = request.tensor->definition()->inputs()[0];
  const DataType type = call_.value_type(fill->dtype());
  return rounded(scalar(fill, type), type, request.tensor->dtype());
}

/// start + step * index, in the result's compute type.
int ProgramBuilder::emit_iota(const Request& request) {
  const Expr& expr = *request.tensor->definition();
  const DataType type = call_.value_type(request.tensor->dtype());
  const int index = convert(columns_.value(request.at[0]), DataType::Int, type);
  const int scaled = apply(PointwiseOp::mul, type, {scalar(expr.inputs()[1], type), index}, expr);
  return rounded(apply(PointwiseOp::add, type, {scalar(expr.inputs()[0], type), scaled}, expr), type,
                 request.tensor->dtype());
}

int ProgramBuilder::emit_none(const Request& request) {
  fail(ErrorKind::internal, "no tensor is made by ", *request.tensor->definition());
}

}  // namespace nvfuser
