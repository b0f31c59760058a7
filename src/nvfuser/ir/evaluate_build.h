// SPDX-License-Identifier: Apache-2.0
// From tensors of a fusion to steps of a block program: what is read where is found by the links, backward from the
// results, and each (tensor, read point) becomes one value.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/evaluate_columns.h"
#include "nvfuser/ir/evaluate_reduce.h"
#include "nvfuser/ir/links.h"

namespace nvfuser {

/// What the programs of one call share.
struct EvaluateCall {
  ScalarBinding& binding;
  EvaluatePrecision precision;
  /// Tensors that are read from memory: inputs, and what had to be computed whole.
  std::unordered_map<const TensorView*, HostTensor> memory;
  std::deque<std::vector<std::byte>> storage;

  /// The dtype of values of tensors and operations of this dtype.
  DataType value_type(DataType dtype) const;
  /// A dense tensor of these sizes, in memory that lives as long as the call.
  HostTensor allocate(std::vector<int64_t> sizes, DataType dtype);
};

/// Computes all results of a reduction, whole, into the call's memory (ir/evaluate_reduce.cpp).  Reductions that it
/// depends on have been.
void evaluate_reduction(const Expr& expr, EvaluateCall& call);

/// Row-major strides.
std::vector<int64_t> dense_strides(const std::vector<int64_t>& sizes);
int64_t element_count(const std::vector<int64_t>& sizes);

/// Builds and runs the program of results of one shape.
class ProgramBuilder {
 public:
  ProgramBuilder(EvaluateCall& call, const std::vector<int64_t>& sizes);

  /// `tensor`, whose sizes are those of the program, goes to memory.
  void store(const TensorView* tensor, const HostTensor& to);
  /// Elements go to the tuples of a reduction over the axes of the program, that of the kept axes' linear index each.
  void fold(const Expr& reduction, const ReduceFunctions& functions, std::byte* tuples);
  void run() { program_.run(element_count(sizes_)); }

 private:
  /// A value that is wanted: a tensor at a point, and what it is made of.
  struct Request {
    const TensorView* tensor = nullptr;
    ReadPoint at;
    bool prepared = false;
    std::vector<Request> operands;        ///< one per link
    std::vector<std::vector<int>> tests;  ///< of each operand: values of test indices, in order of `conditions`
    std::vector<std::vector<Test>> conditions;
    bool absent = false;  ///< an operand without elements, read nowhere
  };
  using Emit = int (ProgramBuilder::*)(const Request&);

  int value(const TensorView* tensor, const ReadPoint& at);
  void prepare(Request& request);
  LinkScope scope(const std::vector<IterDomain*>& axes, const ReadPoint& at);
  Request operand_request(const Expr& expr, const Link& link);
  bool in_memory(const Request& request);
  void materialize(const TensorView* tensor);

  int emit(const Request& request);
  int emit_load(const Request& request);
  int emit_view(const Request& request);
  int emit_pointwise(const Request& request);
  int emit_cast(const Request& request);
  int emit_select(const Request& request);
  int emit_take(const Request& request);
  int emit_full(const Request& request);
  int emit_iota(const Request& request);
  int emit_none(const Request& request);
  static const Emit kEmit[];

  int scalar(const Val* val, DataType type);
  int constant(const ValueCell& cell, int bytes);
  int convert(int value, DataType from, DataType to);
  int rounded(int value, DataType from, DataType dtype);
  int apply(PointwiseOp op, DataType operation, const std::vector<int>& operands, const Expr& expr);
  int select(int mask, int yes, int no, int bytes);
  int mask(const std::vector<int>& values, const std::vector<Test>& tests);
  /// The value of an operand of the expression, as `type`.
  int operand(const Request& request, int position, DataType type);

  EvaluateCall& call_;
  std::vector<int64_t> sizes_;
  BlockProgram program_;
  Columns columns_;
  std::map<std::pair<const TensorView*, ReadPoint>, int> values_;
  std::unordered_map<const TensorView*, int> read_points_;  ///< how many there are of each tensor
};

}  // namespace nvfuser
