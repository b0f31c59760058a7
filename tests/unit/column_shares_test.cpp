// SPDX-License-Identifier: Apache-2.0
// Columns under forced schedules: strips that a block walks or holds, strips whose rows several blocks or tasks share
// in every way in which the shares become one, runs of rows that are summed up apart; against the evaluator.
#include <gtest/gtest.h>

#include "forced_sweep.h"
#include "nvfuser/ops/reduce.h"

namespace nvfuser {
namespace {

using Make = std::function<void(KernelCase&, TensorView*)>;

Val* row(TensorView* columns) { return broadcast(columns, {true, false}); }
Val* op(PointwiseOp p, Val* a, Val* b) { return pointwise(p, {a, b}); }
TensorView* tensor(Val* v) { return static_cast<TensorView*>(v); }

void soft_max(KernelCase& c, TensorView* x) {
  Val* e = pointwise(PointwiseOp::exp, {op(PointwiseOp::sub, x, row(max(x, {{0}})))});
  c.output(op(PointwiseOp::div, e, row(sum(tensor(e), {{0}}))));
}
/// Something is stored in every phase, of all points and of columns.
void stores(KernelCase& c, TensorView* x) {
  Val* y = op(PointwiseOp::mul, x, make_constant(*c.fusion, 3.0));
  TensorView* total = sum(tensor(y), {{0}});
  c.output(y);
  c.output(total);
  c.output(op(PointwiseOp::add, y, row(total)));
  c.output(max(tensor(op(PointwiseOp::sub, x, row(total))), {{0}}));
}
void moments(KernelCase& c, TensorView* x) {
  const WelfordResult w = welford(x, {0});
  c.output(w.average);
  c.output(w.squares);
  c.output(w.count);
}
/// What does not depend on the row is summed too.
void weights(KernelCase& c, TensorView* x) {
  TensorView* w = c.input({c.input_sizes[0][0]});
  c.output(sum(tensor(op(PointwiseOp::mul, x, broadcast(w, {false, true}))), {{0}}));
}

struct Program {
  std::string name;
  Make make;
  double tolerance;   ///< inputs are multiples of 1/8, so most sums are exact
  bool more = false;  ///< something of all points follows a reduction
};
const std::vector<Program>& programs() {
  static const std::vector<Program> table = {
      {"sum", [](KernelCase& c, TensorView* x) { c.output(sum(x, {{0}})); }, 0},
      {"sum in Double", [](KernelCase& c, TensorView* x) { c.output(sum(tensor(cast(x, DataType::Double)), {{0}})); },
       0},
      {"max", [](KernelCase& c, TensorView* x) { c.output(max(x, {{0}})); }, 0},
      {"argmin", [](KernelCase& c, TensorView* x) { c.output(argmin(x, {{0}})); }, 0},
      {"moments", moments, 1e-5},
      {"softmax", soft_max, 1e-5, true},
      {"stores", stores, 0, true},
      {"weights", weights, 0},
  };
  return table;
}

Params strips(int threads, int batch, int vector, int lanes) {
  return {.family = Family::columns, .threads = threads, .batch = batch, .vector = vector, .lanes = lanes};
}
Params shared(Params params, int blocks, GridFinish finish) {
  params.blocks = blocks;
  params.finish = finish;
  return params;
}
/// The same, of rows that start at one place.
Params peeled(Params params) {
  params.peel = true;
  return params;
}

TEST(ColumnShares, Blocks) {
  ForcedSweep sweep;
  for (const Program& what : programs()) {
    sweep.add(what, {67, 40}, strips(64, 2, 4, 8), true);
    Params held = strips(128, 4, 1, 8);
    held.home = Home::registers;
    sweep.add(what, {33, 13}, held, true);
    sweep.add(what, {301, 33}, shared(strips(64, 2, 1, 32), 5, GridFinish::second), true);
    sweep.add(what, {150, 40}, shared(strips(64, 2, 4, 8), 8, GridFinish::dependent), true);
    sweep.add(what, {9, 24}, shared(strips(32, 1, 4, 4), 3, GridFinish::barrier), true);
    // Vectors that rows of odd lengths start anywhere under, the last one beyond their end.
    sweep.add(what, {67, 41}, strips(64, 2, 4, 8), true);
    sweep.add(what, {150, 39}, shared(strips(64, 2, 4, 8), 8, GridFinish::dependent), true);
    sweep.add(what, {9, 23}, shared(strips(32, 1, 4, 4), 3, GridFinish::barrier), true);
    held.vector = 4;
    sweep.add(what, {33, 14}, held, true);
    if (!what.more) {
      sweep.add(what, {513, 7}, shared(strips(64, 4, 1, 4), 16, GridFinish::last), true);
      sweep.add(what, {67, 41}, peeled(shared(strips(64, 2, 4, 8), 4, GridFinish::second)), true);
      sweep.add(what, {150, 38}, peeled(shared(strips(64, 2, 4, 4), 8, GridFinish::dependent)), true);
      sweep.add(what, {9, 3}, peeled(shared(strips(32, 1, 4, 1), 4, GridFinish::second)), true);
      sweep.add(what, {31, 67}, peeled(shared(strips(32, 2, 4, 4), 4, GridFinish::dependent)), true);
    }
  }
  sweep.expect_right_and_stable(Way::emulator);
}

TEST(ColumnShares, Tasks) {
  ForcedSweep sweep;
  for (const Program& what : programs()) {
    for (const Sizes& sizes : {Sizes{1, 70}, Sizes{129, 33}, Sizes{4097, 8}}) {
      sweep.add(what, sizes, {.family = Family::cpu_columns, .threads = 1, .task = 32}, false);
      sweep.add(what, sizes, {.family = Family::cpu_columns, .threads = 1, .task = 64, .runs = 2}, false);
      sweep.add(what, sizes, {.family = Family::cpu_columns, .threads = 1, .task = 16, .piece = 512, .runs = 1}, false);
      sweep.add(what, sizes, {.family = Family::cpu_columns, .threads = 1, .task = 32, .unroll = 4}, false);
    }
  }
  sweep.expect_right_and_stable(Way::host);
}

}  // namespace
}  // namespace nvfuser
