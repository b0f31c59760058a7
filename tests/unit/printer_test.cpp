// SPDX-License-Identifier: Apache-2.0
// Kernel text: programs made by hand, compared with the text that they must give.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "nvfuser/codegen/index_text.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/codegen/value_text.h"

namespace nvfuser {
namespace {

/// A kernel in the making: every tensor is one-dimensional, of extent i0.
struct Draft {
  std::shared_ptr<Fusion> fusion = Fusion::make();
  std::shared_ptr<Kernel> kernel = std::make_shared<Kernel>();
  Program program;

  explicit Draft(std::string name, Target target = Target::gpu) {
    kernel->pool = std::make_unique<IndexPool>();
    kernel->fusion = fusion;
    program.kernel = kernel;
    program.name = std::move(name);
    program.target = target;
    program.facts.wide = false;
  }
  IndexPool& pool() { return *kernel->pool; }
  Index n() { return pool().size("i0"); }
  Index number(int64_t x) { return pool().constant(x); }
  Index var(const std::string& name, Index extent) { return pool().var(name, extent); }
  Index sum(Index a, Index b) { return pool().add(a, b); }
  Index times(Index a, int64_t k) { return pool().scale(a, k); }

  TensorView* view(DataType dtype) { return fusion->tensor(fusion->domain({fusion->axis(extent_)}), dtype); }
  Tensor* tensor(TensorOp op, DataType dtype, const Expr* expr = nullptr) {
    Tensor& t = kernel->storage.emplace_back();
    t.op = op;
    t.dtype = dtype;
    t.expr = expr;
    t.view = expr ? static_cast<const TensorView*>(expr->output(0)) : view(dtype);
    t.name = "T" + std::to_string(kernel->tensors.size());
    kernel->tensors.push_back(&t);
    return &t;
  }
  Tensor* input(DataType dtype) {
    Tensor& t = kernel->storage.emplace_back();
    t.op = TensorOp::load;
    t.dtype = dtype;
    t.memory = MemoryType::global;
    t.name = "in" + std::to_string(kernel->inputs.size());
    parameter(Parameter::Kind::input, t.name, dtype, int(kernel->inputs.size()));
    kernel->inputs.push_back(&t);
    return &t;
  }
  Tensor* output(DataType dtype) {
    Tensor* t = tensor(TensorOp::store, dtype);
    t->memory = MemoryType::global;
    parameter(Parameter::Kind::output, "out" + std::to_string(kernel->outputs.size()), dtype,
              int(kernel->outputs.size()));
    kernel->outputs.push_back(t);
    return t;
  }
  Tensor* pointwise(PointwiseOp op, DataType dtype, const std::vector<Operand>& operands) {
    std::vector<Val*> inputs;
    for (const Operand& o : operands) {
      inputs.push_back(const_cast<Val*>(o.tensor ? o.tensor->view : o.scalar));
    }
    Tensor* t = tensor(TensorOp::compute, dtype, fusion->expr(ExprKind::pointwise, inputs, {view(dtype)}, {op}));
    t->operands = operands;
    return t;
  }
  Tensor* cast(Tensor* from, DataType to) {
    auto* in = const_cast<TensorView*>(from->view);
    Tensor* t = tensor(TensorOp::compute, to, fusion->expr(ExprKind::cast, {in}, {view(to)}, {to}));
    t->operands = {{from, nullptr}};
    return t;
  }
  void parameter(Parameter::Kind kind, const std::string& name, DataType dtype = DataType::Null, int position = -1,
                 Index value = nullptr, const Val* scalar = nullptr) {
    program.parameters.push_back({kind, name, dtype, position, value, scalar});
  }
  std::string unit() { return print().text; }
  UnitText print() {
    const Program* programs[] = {&program};
    return print_unit(programs);
  }

 private:
  Val* extent_ = fusion->symbolic(DataType::Index);
};

using Bound = nvfuser::Test;  // inside a test, Test is GoogleTest's

std::unique_ptr<Block> block() { return std::make_unique<Block>(); }

Loop loop(const std::string& name, Index variable, ParallelType parallel, Index limit = nullptr) {
  std::vector<Index> limits;
  if (limit != nullptr) {
    limits.push_back(limit);
  }
  return {name, variable, variable->as_atom()->extent, limits, parallel, block()};
}

/// y = cast(cast(x) + b * 0.5), by vectors of 8, masked.
Draft scale_add(Target target) {
  Draft d("scale_add", target);
  Tensor* in = d.input(DataType::BFloat16);
  Tensor* out = d.output(DataType::BFloat16);
  d.parameter(Parameter::Kind::size, "i0", DataType::Null, -1, d.n());
  const Val* s = d.fusion->symbolic(DataType::Double);
  d.parameter(Parameter::Kind::scalar, "s0", DataType::Double, -1, nullptr, s);
  Tensor* T0 = d.tensor(TensorOp::load, DataType::BFloat16);
  Tensor* T1 = d.cast(T0, DataType::Float);
  Tensor* T2 = d.pointwise(PointwiseOp::mul, DataType::Float, {{T1, nullptr}, {nullptr, s}});
  const Val* half = d.fusion->constant(-0.5, DataType::Double);
  Tensor* T3 = d.pointwise(PointwiseOp::add, DataType::Float, {{T2, nullptr}, {nullptr, half}});
  Tensor* T4 = d.cast(T3, DataType::BFloat16);

  const Index bx = d.var("bx", d.n());
  const Index l = d.var("l", d.number(8));
  d.program.grid_var[0] = bx;
  Index at = d.times(bx, 8);
  if (target == Target::gpu) {
    const Index tx = d.var("tx", d.number(128));
    d.program.block = {128, 1, 1};
    d.program.min_blocks_per_sm = 16;
    d.program.block_var[0] = tx;
    d.program.block_var[1] = d.var("ty", d.number(1));
    at = d.sum(d.times(bx, 1024), d.times(tx, 8));
  }
  Loop lanes = loop("l", l, target == Target::gpu ? ParallelType::unroll : ParallelType::vectorize);
  const Place zero{nullptr, nullptr};
  auto& body = lanes.body->nodes;
  body.push_back(Allocate{T1, 1});
  body.push_back(Assign{T1, {T1, d.number(0)}, {{T0, l}}, {}});
  body.push_back(Allocate{T2, 1});
  body.push_back(Assign{T2, {T2, d.number(0)}, {{T1, d.number(0)}, zero}, {}});
  body.push_back(Allocate{T3, 1});
  body.push_back(Assign{T3, {T3, d.number(0)}, {{T2, d.number(0)}, zero}, {}});
  body.push_back(Assign{T4, {T4, l}, {{T3, d.number(0)}}, {}});

  Guard guard{{{Bound::Kind::lt, at, d.n()}}, block(), nullptr};
  guard.body->nodes.push_back(Allocate{T0, 8});
  guard.body->nodes.push_back(Move{T0, {T0, d.number(0)}, {in, at}, 8});
  guard.body->nodes.push_back(Allocate{T4, 8});
  guard.body->nodes.push_back(std::move(lanes));
  guard.body->nodes.push_back(Move{out, {out, at}, {T4, d.number(0)}, 8});
  d.program.body.nodes.push_back(std::move(guard));
  return d;
}

constexpr const char* kScaleAddGpu = R"(#include "rt/types.h"
#include "rt/convert.h"
#include "rt/math.h"
#include "rt/memory.h"
// scale_add: cast, mul, add; narrow
namespace k_scale_add {
using Index = int;
RT_KERNEL(scale_add, 128, 16)(rt::Global<const rt::bfloat16> in0, rt::Global<rt::bfloat16> out0, const Index i0, const rt::float64 s0) {
  const Index bx = blockIdx.x;
  const Index tx = threadIdx.x;
  if (bx * 1024 + tx * 8 < i0) {
    rt::Array<rt::bfloat16, 8> T1;
    rt::copy<8>(T1, 0, in0, bx * 1024 + tx * 8);
    rt::Array<rt::bfloat16, 8> T5;
    #pragma unroll
    for (Index l = 0; l < 8; ++l) {
      rt::Array<rt::float32, 1> T2;
      T2.set(0, rt::to<rt::float32>(T1[l]));
      rt::Array<rt::float32, 1> T3;
      T3.set(0, rt::mul(T2[0], rt::to<rt::float32>(s0)));
      rt::Array<rt::float32, 1> T4;
      T4.set(0, rt::add(T3[0], -0.5f));
      T5.set(l, rt::to<rt::bfloat16>(T4[0]));
    }
    rt::copy<8>(out0, bx * 1024 + tx * 8, T5, 0);
  }
}
}  // namespace
)";

TEST(Printer, GpuKernel) { EXPECT_EQ(scale_add(Target::gpu).unit(), kScaleAddGpu); }

constexpr const char* kScaleAddCpu = R"(// scale_add: cast, mul, add; narrow
namespace k_scale_add {
using Index = int;
static __attribute__((noinline, noipa)) void scale_add_tasks(rt::Global<const rt::bfloat16> in0, rt::Global<rt::bfloat16> out0, const Index i0, const rt::float64 s0, const long long* grid, long long begin, long long end) {
  for (long long task = begin; task < end; ++task) {
    const Index bx = task % grid[0];
    if (bx * 8 < i0) {
      rt::Array<rt::bfloat16, 8> T1;
      rt::copy<8>(T1, 0, in0, bx * 8);
      rt::Array<rt::bfloat16, 8> T5;
      #pragma GCC ivdep
      for (long long l = 0; l < 8; ++l) {
        rt::Array<rt::float32, 1> T2;
        T2[0] = rt::to<rt::float32>(T1[l]);
        rt::Array<rt::float32, 1> T3;
        T3[0] = rt::mul(T2[0], rt::to<rt::float32>(s0));
        rt::Array<rt::float32, 1> T4;
        T4[0] = rt::add(T3[0], -0.5f);
        T5[l] = rt::to<rt::bfloat16>(T4[0]);
      }
      rt::copy<8>(out0, bx * 8, T5, 0);
    }
  }
}
extern "C" void scale_add(const void* image, const long long* grid, long long begin, long long end) {
  const char* const at = static_cast<const char*>(image);
  scale_add_tasks(*reinterpret_cast<const rt::bfloat16* const*>(at + 0), *reinterpret_cast<rt::bfloat16* const*>(at + 8), *reinterpret_cast<const Index*>(at + 16), *reinterpret_cast<const rt::float64*>(at + 24), grid, begin, end);
  rt::finish_streams();
}
}  // namespace
)";

TEST(Printer, CpuKernel) {
  Draft d = scale_add(Target::cpu);
  EXPECT_EQ(print_kernel(d.program), kScaleAddCpu);
  EXPECT_TRUE(d.print().emulator_launchers.empty());
}

TEST(Printer, EmulatorEntry) {
  EXPECT_EQ(scale_add(Target::gpu).print().emulator_launchers, R"(namespace k_scale_add {
extern "C" int emulate_scale_add(const void* image, const rt::EmulatorLaunch* launch) {
  rt::Machine machine(*launch);
  const auto in0 = rt::global<const rt::bfloat16>(machine, image, 0);
  const auto out0 = rt::global<rt::bfloat16>(machine, image, 8);
  const auto i0 = rt::argument<Index>(image, 16);
  const auto s0 = rt::argument<rt::float64>(image, 24);
  static const rt::ArrayName arrays[] = {{12, "T1"}, {14, "T5"}, {17, "T2"}, {19, "T3"}, {21, "T4"}};
  machine.name_arrays(arrays, 5, __LINE__ - 37);
  return rt::emulate([&] { scale_add(in0, out0, i0, s0); }, machine);
}
}  // namespace
)");
}

TEST(Printer, ArraysAreNamedByTheirLines) {
  Draft a = scale_add(Target::gpu), b = scale_add(Target::gpu);
  b.program.name = "again";
  const Program* programs[] = {&a.program, &b.program};
  const UnitText unit = print_unit(programs);
  EXPECT_EQ(unit.names, (std::vector<std::string>{"scale_add", "again"}));
  std::vector<std::string> lines = {""};
  std::istringstream in(unit.text + unit.emulator_launchers);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  int entries = 0, declared = 0;
  for (size_t k = 0; k < lines.size(); ++k) {
    const size_t here = lines[k].find("__LINE__ - ");
    if (here == std::string::npos) {
      continue;
    }
    EXPECT_EQ(std::stoul(lines[k].substr(here + 11)), k);
    ++entries;
    for (size_t at = 0; (at = lines[k - 1].find(", \"", at)) != std::string::npos; ++at) {
      const size_t open = lines[k - 1].rfind('{', at);
      const std::string name = lines[k - 1].substr(at + 3, lines[k - 1].find('"', at + 3) - at - 3);
      EXPECT_NE(lines.at(std::stoul(lines[k - 1].substr(open + 1))).find("> " + name + ";"), std::string::npos) << name;
      ++declared;
    }
  }
  EXPECT_EQ(entries, 2);
  EXPECT_EQ(declared, 10);
}

/// Through shared memory, with a pad, a choice, an index, and a guard with two sides.
TEST(Printer, SharedSelectIotaElse) {
  Draft d("mixed");
  d.program.wide = true;
  d.program.facts.wide = true;
  Tensor* in = d.input(DataType::Half);
  Tensor* out = d.output(DataType::Int);
  d.program.aliases = {{1, 0}};
  const Index i0 = d.n();
  const Index i1 = d.pool().size("i1");
  d.parameter(Parameter::Kind::size, "i0", DataType::Null, -1, i0);
  d.parameter(Parameter::Kind::divisor, "i1_div", DataType::Null, -1, i1);
  const Index tx = d.var("tx", d.number(64));
  d.program.block = {64, 1, 1};
  d.program.block_var[0] = tx;

  Tensor* shared = d.tensor(TensorOp::load, DataType::Half);
  shared->memory = MemoryType::shared;
  d.program.shared = {{shared, 0, 64}};
  Val* fill = d.fusion->constant(-std::numeric_limits<double>::infinity(), DataType::Double);
  Val* width = d.fusion->index_constant(1);
  auto* view = const_cast<TensorView*>(shared->view);
  Tensor* pad = d.tensor(TensorOp::select, DataType::Half,
                         d.fusion->expr(ExprKind::pad, {view, fill, width, width}, {d.view(DataType::Half)}));
  pad->operands = {{shared, nullptr}, {nullptr, fill}};
  Val* start = d.fusion->index_constant(5);
  Tensor* iota = d.tensor(
      TensorOp::iota, DataType::Int,
      d.fusion->expr(ExprKind::iota, {start, width, d.fusion->symbolic(DataType::Index)}, {d.view(DataType::Int)}));
  iota->operands = {{nullptr, start}, {nullptr, width}};
  Tensor* full =
      d.tensor(TensorOp::fill, DataType::Int, d.fusion->expr(ExprKind::full, {start}, {d.view(DataType::Int)}));
  full->operands = {{nullptr, start}};

  const Index shifted = d.sum(tx, d.number(-1));
  const Algebra algebra(d.pool());
  auto& nodes = d.program.body.nodes;
  nodes.push_back(Assign{shared, {shared, tx}, {{in, algebra.div(tx, i1)}}, {}});
  nodes.push_back(Sync{});
  nodes.push_back(Allocate{pad, 1});
  nodes.push_back(Assign{pad,
                         {pad, d.number(0)},
                         {{shared, shifted}, {}},
                         {{{Bound::Kind::ge, shifted}, {Bound::Kind::lt, shifted, i0}}, {}}});
  nodes.push_back(Allocate{iota, 1});
  Guard guard{{{Bound::Kind::eq, algebra.mod(tx, d.number(3))}}, block(), block()};
  guard.body->nodes.push_back(Assign{iota, {iota, d.number(0)}, {{}, {}}, {}, tx});
  guard.otherwise->nodes.push_back(Assign{full, {iota, d.number(0)}, {{}}, {}});
  nodes.push_back(std::move(guard));
  Loop serial = loop("k", d.var("k", i0), ParallelType::serial, d.sum(i0, d.number(-1)));
  serial.body->nodes.push_back(Assign{out, {out, d.pool().mul(d.var("k", i0), i0)}, {{iota, d.number(0)}}, {}});
  nodes.push_back(std::move(serial));
  EXPECT_EQ(print_kernel(d.program), R"(// mixed: pad, iota, full; wide
namespace k_mixed {
using Index = long long;
RT_KERNEL(mixed, 64, 0)(rt::Global<const rt::float16> in0, rt::Coherent<rt::int64> out0, const Index i0, const rt::Divisor<Index> i1_div) {
  const Index tx = threadIdx.x;
  rt::Shared<rt::float16> T1 = rt::shared<rt::float16>(0, 64, "T1");
  rt::copy<1>(T1, tx, in0, rt::div(tx, i1_div));
  rt::sync();
  rt::Array<rt::float16, 1> T2;
  T2.set(0, tx - 1 >= 0 && tx - 1 < i0 ? T1[tx - 1] : rt::to<rt::float16>(rt::bit_cast<rt::float32>(0xff800000u)));
  rt::Array<rt::int64, 1> T3;
  if (tx % 3 == 0) {
    T3.set(0, rt::add(5ll, Index(tx)));
  } else {
    T3.set(0, 5ll);
  }
  const Index k_rest = i0 - 1;
  const Index k_end = k_rest < i0 ? k_rest : i0;
  for (Index k = 0; k < k_end; ++k) {
    rt::copy<1>(out0, i0 * k, T3, 0);
  }
}
}  // namespace
)");
}

TEST(Printer, TableExpressions) {
  Draft d("table");
  Tensor* T0 = d.tensor(TensorOp::load, DataType::BFloat16);
  Tensor* T1 = d.tensor(TensorOp::load, DataType::Bool);
  const Val* two = d.fusion->constant(int64_t{-2}, DataType::Int);
  const auto text = [&](PointwiseOp op, DataType result, const std::vector<Operand>& operands) {
    Tensor* t = d.pointwise(op, result, operands);
    Assign assign{t, {t, d.number(0)}, {}, {}};
    for (const Operand& o : operands) {
      assign.reads.push_back({o.tensor, o.tensor ? d.number(3) : nullptr});
    }
    d.program.body.nodes.clear();
    d.program.body.nodes.push_back(std::move(assign));
    const std::string all = print_kernel(d.program);
    const size_t begin = all.find(".set(0, ") + 8;
    return all.substr(begin, all.find(");\n", begin) - begin);
  };
  const Operand x{T0, nullptr}, m{T1, nullptr}, s{nullptr, two};
  EXPECT_EQ(text(PointwiseOp::silu, DataType::BFloat16, {x}),
            "rt::to<rt::bfloat16>(rt::to<rt::float32>(T0[3]) * rt::sigmoid(rt::to<rt::float32>(T0[3])))");
  EXPECT_EQ(text(PointwiseOp::where, DataType::BFloat16, {m, x, s}),
            "rt::to<rt::bfloat16>(rt::where(T1[3], rt::to<rt::float32>(T0[3]), -2.0f))");
  EXPECT_EQ(text(PointwiseOp::gt, DataType::Bool, {x, s}), "rt::to<rt::float32>(T0[3]) > (-2.0f)");
  EXPECT_EQ(text(PointwiseOp::logical_or, DataType::Bool, {m, x}), "rt::logical_or(T1[3], rt::to<rt::boolean>(T0[3]))");
  EXPECT_EQ(text(PointwiseOp::frac, DataType::Float, {s}), "(-2.0f) - rt::trunc(-2.0f)");
}

TEST(IndexText, OperatorsAndOrder) {
  Draft d("index");
  const Index i0 = d.n(), i1 = d.pool().size("i1"), area = d.pool().mul(i0, i1);
  d.parameter(Parameter::Kind::size, "i0", DataType::Null, -1, i0);
  d.parameter(Parameter::Kind::size, "i1", DataType::Null, -1, i1);
  d.parameter(Parameter::Kind::divisor, "i1_div", DataType::Null, -1, i1);
  d.parameter(Parameter::Kind::divisor, "area_div", DataType::Null, -1, area);
  d.parameter(Parameter::Kind::size, "rest", DataType::Null, -1, d.sum(area, d.number(7)));
  const IndexText text(d.program);
  const Index a = d.var("a", area), b = d.var("b", d.number(64));
  const auto op = [&](AtomKind kind, Index p, Index q) { return d.pool().opaque(kind, p, q); };
  EXPECT_EQ(text.text(d.number(0)), "0");
  EXPECT_EQ(text.text(d.number(-3)), "-3");
  EXPECT_EQ(text.text(d.number(int64_t{1} << 40)), "1099511627776LL");
  EXPECT_EQ(text.text(d.sum(d.times(a, -4), d.sum(b, d.number(-3)))), "-a * 4 + b - 3");
  EXPECT_EQ(text.text(d.sum(area, d.number(7))), "rest");
  EXPECT_EQ(text.text(op(AtomKind::div, a, i1)), "rt::div(a, i1_div)");
  EXPECT_EQ(text.text(op(AtomKind::mod, d.sum(a, b), area)), "rt::mod(a + b, area_div)");
  EXPECT_EQ(text.text(op(AtomKind::div, op(AtomKind::mod, a, i1), d.number(4))), "rt::mod(a, i1_div) / 4");
  EXPECT_EQ(text.text(d.times(op(AtomKind::div, d.sum(a, b), d.number(4)), 8)), "((a + b) / 4) * 8");
  EXPECT_EQ(text.text(d.pool().mul(op(AtomKind::mod, b, d.number(8)), i0)), "i0 * (b % 8)");
  EXPECT_EQ(text.text(op(AtomKind::xor_, d.times(b, 2), a)), "((b * 2) ^ a)");
  EXPECT_EQ(text.text({{Bound::Kind::ge, d.sum(a, d.number(-1))}, {Bound::Kind::lt, b, i0}, {Bound::Kind::eq, a}}),
            "a - 1 >= 0 && b < i0 && a == 0");
}

TEST(ValueText, Literals) {
  const double inf = std::numeric_limits<double>::infinity();
  const auto same = [](ScalarValue v, DataType t) { return literal_text(v, t, t); };
  EXPECT_EQ(same(0.1, DataType::Float), "0.1f");
  EXPECT_EQ(same(0.1, DataType::Double), "0.1");
  EXPECT_EQ(same(1.0, DataType::Float), "1.0f");
  EXPECT_EQ(same(1e30, DataType::Float), "1e+30f");
  EXPECT_EQ(same(-0.0, DataType::Float), "-0.0f");
  EXPECT_EQ(same(-inf, DataType::Float), "rt::bit_cast<rt::float32>(0xff800000u)");
  EXPECT_EQ(same(std::nan(""), DataType::Double), "rt::bit_cast<rt::float64>(0x7ff8000000000000ull)");
  EXPECT_EQ(same(true, DataType::Bool), "true");
  EXPECT_EQ(same(int64_t{7}, DataType::Int32), "7");
  EXPECT_EQ(same(int64_t{7}, DataType::Index), "7ll");
  EXPECT_EQ(same(int64_t{-1}, DataType::UInt64), "18446744073709551615ull");
  EXPECT_EQ(same(std::numeric_limits<int64_t>::min(), DataType::Int), "(-9223372036854775807ll - 1)");
  EXPECT_EQ(same(std::complex<double>(0.5, -1.0), DataType::ComplexFloat), "rt::complex64{0.5f, -1.0f}");
  // From one type to another: what rounds is rounded here, what truncates or wraps in the kernel.
  EXPECT_EQ(literal_text(0.1, DataType::Double, DataType::Float), "0.1f");
  EXPECT_EQ(literal_text(0.1, DataType::Float, DataType::Double), "0.10000000149011612");
  EXPECT_EQ(literal_text(0.1, DataType::BFloat16, DataType::Float), "0.100097656f");
  EXPECT_EQ(literal_text(int64_t{2}, DataType::Int, DataType::Half), "rt::to<rt::float16>(2.0f)");
  EXPECT_EQ(literal_text(2.5, DataType::Double, DataType::Int), "rt::to<rt::int64>(2.5)");
  EXPECT_EQ(literal_text(0.0, DataType::Float, DataType::Bool), "false");
}

}  // namespace
}  // namespace nvfuser
