// SPDX-License-Identifier: Apache-2.0
// y = relu(x * scale + b) without Python: a fusion built with ops/, run by FusionExecutor on memory of this program,
// and held against a plain loop.  Exit status 1 when they differ.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "nvfuser/ir/fusion.h"
#include "nvfuser/ops/define.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/runtime/executor.h"

namespace {

constexpr int64_t kRows = 37, kColumns = 1003;

std::shared_ptr<nvfuser::Fusion> make_fusion() {
  using namespace nvfuser;
  std::shared_ptr<Fusion> fusion = Fusion::make();
  TensorView* x = define_tensor(*fusion, {-1, -1}, true);
  TensorView* b = define_tensor(*fusion, {-1}, true);
  Val* scale = define_scalar(*fusion);
  fusion->add_input(x);
  fusion->add_input(b);
  fusion->add_input(scale);
  Val* shifted = pointwise(PointwiseOp::add, {pointwise(PointwiseOp::mul, {x, scale}), b});
  fusion->add_output(pointwise(PointwiseOp::relu, {shifted}));
  return fusion;
}

nvfuser::TensorArgument tensor_of(std::vector<float>& data, std::vector<int64_t> sizes, std::vector<int64_t> strides) {
  return {data.data(), nvfuser::DataType::Float, {}, std::move(sizes), std::move(strides)};
}

/// Elements of y that differ from the plain loop's.
int64_t differences(const std::vector<float>& x, const std::vector<float>& b, float scale,
                    const std::vector<float>& y) {
  int64_t count = 0;
  for (int64_t i = 0; i < kRows * kColumns; ++i) {
    const float scaled = x[i] * scale;
    const float expected = scaled + b[i % kColumns] > 0 ? scaled + b[i % kColumns] : 0;
    count += y[i] != expected;
  }
  return count;
}

int run() {
  using namespace nvfuser;
  std::vector<float> x(kRows * kColumns), b(kColumns), y(kRows * kColumns);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(static_cast<int>(i % 31) - 15) / 8;
  }
  for (size_t i = 0; i < b.size(); ++i) {
    b[i] = static_cast<float>(i % 7) / 4;
  }
  const std::vector<Argument> arguments = {tensor_of(x, {kRows, kColumns}, {kColumns, 1}),
                                           tensor_of(b, {kColumns}, {1}), ScalarValue(0.5)};
  FusionExecutor executor(make_fusion());
  const std::shared_ptr<const Plan> plan = executor.prepare(arguments);
  for (const OutputSpec& spec : FusionExecutor::outputs_of(*plan)) {
    std::printf("output of %lld elements\n", static_cast<long long>(spec.elements));
  }
  executor.run(*plan, arguments, {y.data()});
  std::printf("%s\n%s", print_math(*executor.fusion()).c_str(), FusionExecutor::describe(*plan).c_str());
  const int64_t wrong = differences(x, b, 0.5F, y);
  std::printf("ran on %s: %lld of %lld elements differ\n", std::string(name_of(FusionExecutor::way_of(*plan))).c_str(),
              static_cast<long long>(wrong), static_cast<long long>(y.size()));
  return wrong == 0 ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
