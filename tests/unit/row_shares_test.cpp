// SPDX-License-Identifier: Apache-2.0
// Rows that several blocks or tasks share: every reduction, values that need the result again, and every way in which
// the shares become one, against the evaluator; equal bits however blocks are ordered and threads are many.
#include <gtest/gtest.h>

#include "forced_run.h"
#include "nvfuser/base/options.h"
#include "nvfuser/base/thread_pool.h"
#include "nvfuser/ops/reduce.h"

namespace nvfuser {
namespace {

using Make = std::function<void(KernelCase&, TensorView*)>;

Val* column(TensorView* row) { return broadcast(row, {false, true}); }
Val* op(PointwiseOp p, Val* a, Val* b) { return pointwise(p, {a, b}); }
TensorView* tensor(Val* v) { return static_cast<TensorView*>(v); }
Val* number(KernelCase& c, double x) { return make_constant(*c.fusion, x); }

void soft_max(KernelCase& c, TensorView* x) {
  Val* e = pointwise(PointwiseOp::exp, {op(PointwiseOp::sub, x, column(max(x, {{1}})))});
  c.output(op(PointwiseOp::div, e, column(sum(tensor(e), {{1}}))));
}
void layer_norm(KernelCase& c, TensorView* x) {
  const VarMean m = var_mean(x, {1}, 0);
  TensorView* weight = c.input({c.input_sizes[0][1]});
  Val* scale = pointwise(PointwiseOp::rsqrt, {op(PointwiseOp::add, m.var, number(c, 1e-5))});
  Val* y = op(PointwiseOp::mul, op(PointwiseOp::sub, x, column(m.mean)), column(tensor(scale)));
  c.output(op(PointwiseOp::mul, y, broadcast(weight, {true, false})));
  c.output(m.mean);
}
/// Something is stored in every phase, along the rows and of the rows.
void stores(KernelCase& c, TensorView* x) {
  Val* y = op(PointwiseOp::mul, x, number(c, 3));
  TensorView* total = sum(tensor(y), {{1}});
  c.output(y);
  c.output(total);
  c.output(op(PointwiseOp::add, y, column(total)));
  c.output(max(tensor(op(PointwiseOp::sub, x, column(total))), {{1}}));
}
void all_moments(KernelCase& c, TensorView* x) {
  const WelfordResult w = welford(x, {1});
  c.output(w.average);
  c.output(w.squares);
  c.output(w.count);
}

struct Case {
  std::string name;
  Make make;
  double tolerance;  ///< inputs are multiples of 1/8, so most sums are exact
};
const std::vector<Case>& cases() {
  static const std::vector<Case> table = {
      {"sum", [](KernelCase& c, TensorView* x) { c.output(sum(x, {{1}})); }, 0},
      {"prod", [](KernelCase& c, TensorView* x) { c.output(prod(tensor(pointwise(PointwiseOp::cos, {x})), {{1}})); },
       1e-5},
      {"max", [](KernelCase& c, TensorView* x) { c.output(max(x, {{1}})); }, 0},
      {"min", [](KernelCase& c, TensorView* x) { c.output(min(x, {{1}})); }, 0},
      {"any",
       [](KernelCase& c, TensorView* x) { c.output(any(tensor(op(PointwiseOp::gt, x, number(c, 1.99))), {{1}})); }, 0},
      {"all", [](KernelCase& c, TensorView* x) { c.output(all(tensor(op(PointwiseOp::gt, x, number(c, -3))), {{1}})); },
       0},
      {"argmax", [](KernelCase& c, TensorView* x) { c.output(argmax(x, {{1}})); }, 0},
      {"argmin", [](KernelCase& c, TensorView* x) { c.output(argmin(x, {{1}})); }, 0},
      {"moments", all_moments, 1e-5},
      {"softmax", soft_max, 1e-5},
      {"layer norm", layer_norm, 2e-5},
      {"stores", stores, 0},
      {"full sum", [](KernelCase& c, TensorView* x) { c.output(sum(x)); }, 0},
  };
  return table;
}

struct Shape {
  int64_t rows, columns;
};

std::shared_ptr<const KernelCase> make_case(const Case& what, const Shape& shape) {
  auto made = std::make_shared<KernelCase>();
  what.make(*made, made->input({shape.rows, shape.columns}));
  return made;
}

struct Sweep {
  std::vector<std::unique_ptr<ForcedRun>> runs;
  std::vector<std::string> titles;
  std::vector<double> tolerances;

  void add(const Case& what, const Shape& shape, const Params& params, bool gpu) {
    titles.push_back(what.name + " " + std::to_string(shape.rows) + "x" + std::to_string(shape.columns) + ", " +
                     params.text());
    runs.push_back(std::make_unique<ForcedRun>(make_case(what, shape), params, gpu, "k" + std::to_string(runs.size())));
    tolerances.push_back(what.tolerance);
  }
  void compile(Way way) const {
    std::vector<ForcedRun*> all;
    for (const auto& run : runs) {
      all.push_back(run.get());
    }
    compile_runs(all, way);
  }
  void expect_right(uint64_t seed = 1) const {
    for (size_t k = 0; k < runs.size(); ++k) {
      EXPECT_EQ(runs[k]->run(tolerances[k], seed), "") << titles[k];
    }
  }
};

Params gpu_params(int blocks, GridFinish finish) {
  return {.family = Family::rows, .threads = 64, .batch = 2, .vector = 1, .blocks = blocks, .finish = finish};
}

TEST(RowShares, AllReductionsByBlocks) {
  Sweep sweep;
  for (const Case& what : cases()) {
    sweep.add(what, {1, 1031}, gpu_params(8, GridFinish::second), true);
    sweep.add(what, {3, 129}, gpu_params(4, GridFinish::dependent), true);
    sweep.add(what, {2, 31}, gpu_params(2, GridFinish::barrier), true);
    if (what.name != "softmax" && what.name != "layer norm" && what.name != "stores") {
      sweep.add(what, {7, 4097}, gpu_params(16, GridFinish::last), true);
    }
  }
  sweep.compile(Way::emulator);
  sweep.expect_right(1);
  sweep.expect_right(2);
}

TEST(RowShares, AllReductionsByTasks) {
  Sweep sweep;
  for (const Case& what : cases()) {
    for (const Shape shape : {Shape{1, 70001}, Shape{3, 31}, Shape{7, 4097}, Shape{2, 1 << 20}}) {
      sweep.add(what, shape, {.family = Family::cpu_rows, .threads = 1, .task = 512, .piece = 1 << 12}, false);
    }
  }
  sweep.compile(Way::host);
  sweep.expect_right();
}

}  // namespace
}  // namespace nvfuser
