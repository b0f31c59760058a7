// SPDX-License-Identifier: Apache-2.0
// Fusions that reduce rows, as users write them, rewritten as the runtime does.
#pragma once

#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {

/// A program over a matrix; `type` is stored.
struct RowProgram {
  const char* name;
  void (*build)(KernelCase&, const Sizes&, DataType type);
};

namespace row_programs {

inline TensorView* wide(Val* x) { return static_cast<TensorView*>(cast(x, DataType::Float)); }
inline TensorView* stored(Val* x, DataType type) { return static_cast<TensorView*>(cast(x, type)); }
inline TensorView* column(TensorView* x) { return static_cast<TensorView*>(broadcast(x, {false, true})); }
inline TensorView* row(TensorView* x) { return static_cast<TensorView*>(broadcast(x, {true, false})); }
inline Val* number(const KernelCase& test, double value) { return test.fusion->constant(value, DataType::Float); }

inline void row_sum(KernelCase& test, const Sizes& n, DataType type) {
  test.output(stored(sum(wide(test.input(n, type)), {{1}}), type));
}

inline void softmax(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* e = unary(PointwiseOp::exp, binary(PointwiseOp::sub, x, column(max(x, {{1}}))));
  test.output(stored(binary(PointwiseOp::truediv, e, column(sum(e, {{1}}))), type));
}

/// log(sum(exp(x - max x))) + max x.
inline void log_sum_exp(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* most = max(x, {{1}});
  TensorView* e = unary(PointwiseOp::exp, binary(PointwiseOp::sub, x, column(most)));
  test.output(binary(PointwiseOp::add, unary(PointwiseOp::log, sum(e, {{1}})), most));
}

inline void layer_norm(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView *w = wide(test.input({n[1]}, type)), *b = wide(test.input({n[1]}, type));
  const VarMean moments = var_mean(x, {{1}}, 0, true);
  TensorView* scale = unary(PointwiseOp::rsqrt, binary(PointwiseOp::add, moments.var, number(test, 1e-5)));
  TensorView* y = binary(PointwiseOp::mul, binary(PointwiseOp::sub, x, moments.mean), scale);
  test.output(stored(binary(PointwiseOp::add, binary(PointwiseOp::mul, y, row(w)), row(b)), type));
}

inline void rms_norm(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* w = wide(test.input({n[1]}, type));
  TensorView* mean = binary(PointwiseOp::mul, sum(binary(PointwiseOp::mul, x, x), {{1}}), number(test, .125));
  TensorView* scale = unary(PointwiseOp::rsqrt, binary(PointwiseOp::add, mean, number(test, 1e-5)));
  test.output(stored(binary(PointwiseOp::mul, binary(PointwiseOp::mul, x, column(scale)), row(w)), type));
}

/// Layer norm as users write it: a mean, the mean of squared distances from it, and the sum beside.
inline void written_norm(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* total = sum(x, {{1}}, true);
  TensorView* distance = binary(PointwiseOp::sub, x, binary(PointwiseOp::truediv, total, extents_of(x)[1]));
  TensorView* squares = sum(binary(PointwiseOp::mul, distance, distance), {{1}}, true);
  TensorView* scale = unary(PointwiseOp::rsqrt, binary(PointwiseOp::add, squares, number(test, 1e-5)));
  test.output(stored(binary(PointwiseOp::mul, distance, scale), type));
  test.output(total);
}

/// Three statistics of one input.
inline void siblings(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  test.output(sum(x, {{1}}));
  test.output(sum(binary(PointwiseOp::mul, x, x), {{1}}));
  test.output(max(x, {{1}}));
}

}  // namespace row_programs

inline constexpr RowProgram kRowPrograms[] = {
    {"sum", row_programs::row_sum},
    {"softmax", row_programs::softmax},
    {"logsumexp", row_programs::log_sum_exp},
    {"layer norm", row_programs::layer_norm},
    {"RMS norm", row_programs::rms_norm},
    {"siblings", row_programs::siblings},
    {"written norm", row_programs::written_norm},
};

inline const RowProgram& row_program(const std::string& name) {
  const auto* found = std::find_if(std::begin(kRowPrograms), std::end(kRowPrograms),
                                   [&](const RowProgram& p) { return p.name == name; });
  return *found;
}

inline KernelCase row_case(const RowProgram& program, const Sizes& sizes, DataType type) {
  KernelCase test;
  program.build(test, sizes, type);
  test.fusion = rewrite(test.fusion);
  return test;
}

inline SizeValues size_values(const KernelCase& test, const Kernel& kernel) {
  const std::map<std::string, int64_t> sizes = test.sizes(kernel);
  return {sizes.begin(), sizes.end()};
}

inline Alignments all_aligned(const Kernel& kernel, int64_t bytes = 16) {
  return {std::vector<int64_t>(kernel.inputs.size(), bytes), std::vector<int64_t>(kernel.outputs.size(), bytes)};
}

}  // namespace nvfuser
