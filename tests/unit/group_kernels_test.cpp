// SPDX-License-Identifier: Apache-2.0
// Kernels of one group over many shapes: how few there are, that each is used only where its facts hold, and that the
// one used is about as good as one made for the shape.  Nothing is compiled.
#include "nvfuser/runtime/group_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "kernel_fixture.h"
#include "nvfuser/runtime/layout.h"
#include "nvfuser/schedule/estimate.h"
#include "row_cases.h"

namespace nvfuser {
namespace {

using Shape = std::pair<int64_t, int64_t>;

TensorView* twice(Val* value, const KernelCase& test) {
  return binary(PointwiseOp::mul, value, test.fusion->constant(2.0, DataType::Float));
}

/// (x + y) * 2
void add_two(KernelCase& test, const Shape& n) {
  TensorView* x = test.input({n.first, n.second});
  test.output(twice(binary(PointwiseOp::add, x, test.input({n.first, n.second})), test));
}

/// x + row, in half precision
void add_row(KernelCase& test, const Shape& n) {
  TensorView* x = test.input({n.first, n.second}, DataType::Half);
  TensorView* row = test.input({n.second}, DataType::Half);
  test.output(cast(binary(PointwiseOp::add, x, broadcast(row, {true, false})), DataType::Half));
}

void add_column(KernelCase& test, const Shape& n) {
  TensorView* x = test.input({n.first, n.second});
  test.output(binary(PointwiseOp::add, x, broadcast(test.input({n.first}), {false, true})));
}

void turn(KernelCase& test, const Shape& n) {
  test.output(permute(twice(test.input({n.first, n.second}), test), {1, 0}));
}

struct Program2d {
  const char* name;
  void (*build)(KernelCase&, const Shape&);
};
constexpr Program2d kPrograms[] = {{"add", add_two}, {"row", add_row}, {"column", add_column}, {"transpose", turn}};

/// Log-uniform over 1..2^14 x 1..2^15.
std::vector<Shape> random_shapes(uint64_t seed, int count) {
  std::mt19937_64 engine(seed);
  const auto draw = [&](int most) {
    const double share = static_cast<double>(engine() >> 11) * 0x1p-53;
    return static_cast<int64_t>(std::exp2(share * most));
  };
  std::vector<Shape> shapes;
  for (int k = 0; k < count; ++k) {
    const int64_t rows = draw(14);
    shapes.emplace_back(rows, draw(15));
  }
  return shapes;
}

/// A program's kernels, asked for one shape after another.
class Asked {
 public:
  Asked(const Program2d& program, const DeviceProps& device) : device_(device) {
    program.build(test_, {2, 2});
    kernels_.emplace(call(), device, device.gpu ? Target::gpu : Target::cpu, "k");
  }

  /// Contiguous tensors of that shape.
  void bind(const Program2d& program, const Shape& shape) {
    KernelCase sized;
    program.build(sized, shape);
    ScalarBinding binding(*test_.fusion);
    for (size_t k = 0; k < sized.input_sizes.size(); ++k) {
      binding.bind_tensor(k, sized.input_sizes[k]);
    }
    GroupMemory memory;
    for (size_t k = 0; k < sized.input_sizes.size(); ++k) {
      memory.input_strides.push_back(dense_strides(test_.layouts[k], sized.input_sizes[k]));
      memory.alignments.inputs.push_back(16);
    }
    const TensorView* output = test_.fusion->outputs()[0];
    memory.output_strides.push_back(dense_strides(row_major(*output), binding.sizes(output)));
    memory.alignments.outputs.push_back(16);
    sizes_ = kernels_->bind(memory, binding);
    alignments_ = memory.alignments;
  }

  std::shared_ptr<GroupKernel> pick() { return kernels_->pick(sizes_, alignments_); }

  /// Estimated time of a kernel for the bound sizes over that of the best candidate.
  double loss(const GroupKernel& kernel) {
    const std::unique_ptr<Kernel> base = instantiate_group(call());
    const Problem problem = summarize(*base, sizes_, alignments_);
    return estimate(problem, kernel.lowered.params, device_).total / choose(problem, device_)[0].microseconds;
  }
  const SizeValues& sizes() const { return sizes_; }
  const Alignments& alignments() const { return alignments_; }

 private:
  GroupCall call() const {
    GroupCall call;
    call.fusion = test_.fusion;
    for (const Val* input : test_.fusion->inputs()) {
      call.group.inputs.push_back(static_cast<const TensorView*>(input));
    }
    call.group.outputs.assign(test_.fusion->outputs().begin(), test_.fusion->outputs().end());
    call.input_layouts = test_.layouts;
    call.output_layouts = {row_major(*call.group.outputs[0])};
    return call;
  }

  KernelCase test_;
  const DeviceProps& device_;
  std::optional<GroupKernels> kernels_;
  SizeValues sizes_;
  Alignments alignments_;
};

TEST(GroupKernels, ThousandShapesTakeAFewKernels) {
  constexpr uint64_t kSeed = 20261121;
  const std::vector<Shape> shapes = random_shapes(kSeed, 1000);
  for (const char* device : {"H200", "A100", "RTX5090", "CPU"}) {
    for (const Program2d& program : kPrograms) {
      Asked asked(program, known_device(device));
      std::map<std::shared_ptr<GroupKernel>, int> used;
      double product = 0;
      for (const Shape& shape : shapes) {
        asked.bind(program, shape);
        const std::shared_ptr<GroupKernel> kernel = asked.pick();
        ++used[kernel];
        ASSERT_TRUE(kernel->lowered.check.holds(asked.sizes(), asked.alignments()))
            << program.name << " " << shape.first << "x" << shape.second;
        product += std::log(asked.loss(*kernel));
      }
      std::cout << "seed " << kSeed << ", " << device << ", " << program.name << ": " << used.size()
                << " kernels, estimates over the best " << std::exp(product / shapes.size()) << "\n";
      EXPECT_LE(used.size(), 8u) << device << " " << program.name;
      EXPECT_LE(product / shapes.size(), std::log(1.05)) << device << " " << program.name;
    }
  }
}

const Program2d kSoftmax = {"softmax", [](KernelCase& test, const Shape& n) {
                              row_programs::softmax(test, {n.first, n.second}, DataType::BFloat16);
                            }};

/// Lengths that no vector divides are peeled, so that they share kernels.
TEST(GroupKernels, ThousandShapesOfSoftmaxTakeTwentyFour) {
  constexpr uint64_t kSeed = 20261121;
  Asked asked(kSoftmax, known_device("H200"));
  std::map<std::shared_ptr<GroupKernel>, int> used;
  for (const Shape& shape : random_shapes(kSeed, 1000)) {
    asked.bind(kSoftmax, shape);
    const std::shared_ptr<GroupKernel> kernel = asked.pick();
    ++used[kernel];
    ASSERT_TRUE(kernel->lowered.check.holds(asked.sizes(), asked.alignments())) << shape.first << "x" << shape.second;
  }
  EXPECT_LE(used.size(), 24u);
}

/// Stands for what a compiler made.
struct Compiled final : Module {
  void launch(int /*kernel*/, const LaunchRequest& /*request*/) override {}
  Way way() const override { return Way::cuda; }
};

TEST(GroupKernels, OneThatSpillsIsGivenUpForTheNext) {
  Asked asked(kSoftmax, known_device("H200"));
  asked.bind(kSoftmax, {4096, 32768});
  const auto compiled = [&](int64_t local_bytes) {
    const std::shared_ptr<GroupKernel> kernel = asked.pick();
    EXPECT_EQ(kernel->module, nullptr);
    kernel->module = std::make_shared<Compiled>();
    kernel->local_bytes = local_bytes;
    return kernel;
  };
  const std::shared_ptr<GroupKernel> first = compiled(0);
  EXPECT_EQ(asked.pick(), first);
  first->local_bytes = 100;
  const std::shared_ptr<GroupKernel> second = compiled(64);
  EXPECT_NE(second->lowered.params, first->lowered.params);
  const std::shared_ptr<GroupKernel> third = compiled(200);
  EXPECT_NE(third->lowered.params, second->lowered.params);
  EXPECT_EQ(asked.pick(), second);  // the least of three
}

}  // namespace
}  // namespace nvfuser
