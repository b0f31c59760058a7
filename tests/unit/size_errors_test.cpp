// SPDX-License-Identifier: Apache-2.0
// Sizes that contradict an expression: the error names the op, the user's line and both sizes.
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "hand_built.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/resize.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser::testing {
namespace {

using Sizes = std::vector<int64_t>;

class Line : public Location {
 public:
  explicit Line(int number) : number_(number) {}
  std::string text() const override { return "model.py:" + std::to_string(number_) + " in block"; }

 private:
  int number_;
};

/// A graph in which every node made after `at(n)` has line n.
class Located : public HandBuilt {
 public:
  Located& at(int line) {
    fusion->locator = [line] { return std::make_shared<Line>(line); };
    return *this;
  }
};

struct Call {
  std::vector<Sizes> tensors;
  std::vector<int64_t> scalars;  ///< after the tensors
};

struct Case {
  const char* name;
  std::function<void(Located&)> build;  ///< inputs: tensors, then scalars; the op under test stands in line 7
  Call good, bad;
  std::vector<std::string> parts;  ///< of the message, besides the line
};

std::vector<Argument> arguments_of(const Call& call, std::deque<std::vector<float>>& memory) {
  std::vector<Argument> arguments;
  for (const Sizes& sizes : call.tensors) {
    TensorArgument tensor{nullptr, DataType::Float, {}, sizes, Sizes(sizes.size())};
    int64_t count = 1;
    for (size_t k = sizes.size(); k-- > 0; count *= sizes[k]) {
      tensor.strides[k] = count;
    }
    tensor.data = memory.emplace_back(std::max<int64_t>(count, 1), 1.0f).data();
    arguments.emplace_back(tensor);
  }
  for (const int64_t scalar : call.scalars) {
    arguments.emplace_back(ScalarValue(scalar));
  }
  return arguments;
}

const Case kCases[] = {
    {"add",
     [](Located& g) {
       TensorView *x = g.at(1).input({-1}), *y = g.at(2).input({-1});
       g->add_output(g.at(7).pointwise(PointwiseOp::add, {x, y}));
     },
     {{{3}, {3}}, {}},
     {{{3}, {4}}, {}},
     {"add (", "differ at axis 0", "has size 4", "has size 3"}},
    {"broadcast that was not declared",
     [](Located& g) {
       TensorView *x = g.at(1).input({-1}), *y = g.at(2).input({-1});
       g->add_output(g.at(7).pointwise(PointwiseOp::mul, {x, y}));
     },
     {{{3}, {3}}, {}},
     {{{3}, {1}}, {}},
     {"mul (", "has size 1", "has size 3", "only an axis that is defined with size 1 is broadcast"}},
    {"reshape",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1, -1});
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(reshape(x, {s, g.index(2)}));
     },
     {{{3, 4}}, {6}},
     {{{3, 4}}, {5}},
     {"reshape (", "[3, 4] has 12 elements", "[5, 2] has 10"}},
    {"reshape with a rest",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1});
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(reshape(x, {g.index(-1), s}));
     },
     {{{12}}, {4}},
     {{{12}}, {5}},
     {"reshape (", "[12] has 12 elements", "[2, 5] has 10"}},
    {"slice",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1});
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(slice(x, {g.index(1)}, {s}, {}, true));
     },
     {{{4}}, {4}},
     {{{4}}, {6}},
     {"slice (", "axis 0", "has size 4", "5 elements from 1 on"}},
    {"negative slice",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1});
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(slice(x, {g.index(3)}, {s}, {}, true));
     },
     {{{4}}, {4}},
     {{{4}}, {1}},
     {"slice (", "axis 0 of its result would have size -2"}},
    {"pad",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1});
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(pad(x, {s, g.index(0)}));
     },
     {{{4}}, {-2}},
     {{{4}}, {-5}},
     {"pad (", "axis 0 of its result would have size -1"}},
    {"cat",
     [](Located& g) {
       TensorView *x = g.at(1).input({-1, -1}), *y = g.at(2).input({-1, -1});
       g.at(7);
       g->add_output(cat({x, y}, 1));
     },
     {{{2, 3}, {2, 4}}, {}},
     {{{2, 3}, {3, 4}}, {}},
     {"cat (", "differ at axis 0", "has size 3", "2 was expected"}},
    {"expand",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1});
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(expand(x, {s}));
     },
     {{{4}}, {4}},
     {{{4}}, {5}},
     {"expand (", "axis 0", "has size 4", "cannot be expanded to 5"}},
    {"full",
     [](Located& g) {
       Val* s = g.at(2).scalar_input(DataType::Int);
       g.at(7);
       g->add_output(full({s}, g.real(1.0), DataType::Float));
     },
     {{}, {4}},
     {{}, {-4}},
     {"full (", "axis 0 of its result would have size -4"}},
    {"static size",
     [](Located& g) {
       TensorView* x = g.at(7).input({-1, 4});
       g->locate(x);
       g->add_output(g.at(8).pointwise(PointwiseOp::neg, {x}));
     },
     {{{2, 4}}, {}},
     {{{2, 5}}, {}},
     {"Expected input 0, T0", "to have size 4 in axis 1", "got size 5"}},
    {"shared size",
     [](Located& g) {
       TensorView* x = g.at(1).input({-1});
       TensorView* y = g.at(7).tensor({x->logical()[0]->extent()}, DataType::Float);
       g->locate(y);
       g->add_input(y);
       g->add_output(g.at(8).pointwise(PointwiseOp::add, {x, y}));
     },
     {{{3}, {3}}, {}},
     {{{3}, {4}}, {}},
     {"Expected input 1, T1", "to have size 3 in axis 0 as axis 0 of input 0 has", "got size 4"}},
};

/// The message of a call that does not fit, and nothing for one that does; the fusion stays usable.
void expect_error(const Case& c, Way way) {
  Located g;
  c.build(g);
  verify(*g);
  std::deque<std::vector<float>> memory;
  FusionExecutor executor(g.fusion);
  ExecuteOptions options;
  options.way = way;
  const auto call = [&](const Call& values) {
    const std::vector<Argument> arguments = arguments_of(values, memory);
    const std::shared_ptr<const Plan> plan = executor.prepare(arguments, options);
    std::vector<void*> outputs;
    for (const OutputSpec& spec : FusionExecutor::outputs_of(*plan)) {
      outputs.push_back(memory.emplace_back(std::max<int64_t>(spec.elements, 1)).data());
    }
    executor.run(*plan, arguments, outputs, options);
  };
  for (int round = 0; round < 2; ++round) {
    const std::string message = error_of([&] { call(c.bad); });
    EXPECT_TRUE(contains(message, "(model.py:7 in block)")) << c.name << ": " << message;
    for (const std::string& part : c.parts) {
      EXPECT_TRUE(contains(message, part)) << c.name << ": " << message << " lacks " << part;
    }
    EXPECT_EQ(error_of([&] { call(c.good); }), "") << c.name;
  }
}

TEST(SizeErrors, NameOpLineAndSizes) {
  for (const Case& c : kCases) {
    expect_error(c, Way::evaluator);
  }
}

TEST(SizeErrors, ComeBeforeAnyKernelIsMade) {
  for (const Case& c : kCases) {
    Located g;
    c.build(g);
    std::deque<std::vector<float>> memory;
    FusionExecutor executor(g.fusion);
    for (const Way way : {Way::host, Way::emulator}) {
      ExecuteOptions options;
      options.way = way;
      const int64_t runs = compiler_runs();
      const std::string message = error_of([&] { executor.prepare(arguments_of(c.bad, memory), options); });
      EXPECT_TRUE(contains(message, "(model.py:7 in block)")) << c.name << ": " << message;
      EXPECT_EQ(compiler_runs(), runs);
    }
  }
}

TEST(SizeErrors, ElementsThatNoNumberCounts) {
  Located g;
  Val *a = g.at(1).scalar_input(DataType::Int), *b = g.at(1).scalar_input(DataType::Int);
  g.at(7);
  g->add_output(full({a, b}, g.real(1.0), DataType::Float));
  FusionExecutor executor(g.fusion);
  const int64_t huge = int64_t{1} << 40;
  const std::string message = error_of([&] { executor.prepare({ScalarValue(huge), ScalarValue(huge)}); });
  EXPECT_TRUE(contains(message, "exceeds 2^63 bytes (model.py:7 in block)")) << message;
}

TEST(SizeErrors, ScalarsWithoutAValue) {
  Located g;
  Val* loose = g.at(7)->symbolic(DataType::Int);
  g->locate(loose);
  g.at(8);
  g->add_output(full({loose}, g.real(1.0), DataType::Float));
  FusionExecutor executor(g.fusion);
  const std::string message = error_of([&] { executor.prepare({}); });
  EXPECT_TRUE(contains(message, "has no value: it is neither an input") && contains(message, "(model.py:7 in block)"))
      << message;
}

}  // namespace
}  // namespace nvfuser::testing
