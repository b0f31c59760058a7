// SPDX-License-Identifier: Apache-2.0
// Kernel texts with reductions, as the printer writes them: the same bytes run in the emulator, where their results are
// compared with float64, and become cubins for every architecture that is supported.
#include <cmath>
#include <cstring>

#include "backend_fixture.h"
#include "nvfuser/backend/module.h"

namespace nvfuser {
namespace {

constexpr const char* kIncludes =
    "#include \"rt/types.h\"\n#include \"rt/convert.h\"\n#include \"rt/math.h\"\n#include \"rt/memory.h\"\n"
    "#include \"rt/reduce.h\"\n";

/// Softmax of rows of 768 bfloat16, kept in registers; a block of 96 threads a row.
constexpr const char* kSoftmax = R"(
namespace k_softmax {
using Index = int;
RT_KERNEL(softmax, 96, 0)(rt::Global<const rt::bfloat16> in0, rt::Global<rt::float32> out0) {
  const Index bx = blockIdx.x;
  const Index tx = threadIdx.x;
  const rt::Team<96, 1, true> team0 = {tx, 0};
  rt::Slots slots = {0, 16, 0};
  rt::Array<rt::bfloat16, 8> T0;
  rt::copy<8>(T0, 0, in0, bx * 768 + tx * 8);
  rt::Array<rt::Max<rt::float32>::Tuple, 1> T2_acc;
  rt::begin<rt::Max<rt::float32>>(T2_acc, 0);
  rt::fold<rt::Max<rt::float32>, 8>(T2_acc, 0, T0, 0);
  rt::join(team0, slots, rt::member<rt::Max<rt::float32>, 1>(T2_acc));
  rt::Array<rt::float32, 1> T2;
  T2.set(0, rt::result<rt::Max<rt::float32>, 0>(T2_acc, 0));
  rt::Array<rt::float32, 8> T5;
  #pragma unroll
  for (Index l = 0; l < 8; ++l) {
    T5.set(l, rt::exp(rt::sub(rt::to<rt::float32>(T0[l]), T2[0])));
  }
  rt::Array<rt::Sum<rt::float32>::Tuple, 1> T3_acc;
  rt::begin<rt::Sum<rt::float32>>(T3_acc, 0);
  rt::fold<rt::Sum<rt::float32>, 8>(T3_acc, 0, T5, 0);
  rt::join(team0, slots, rt::member<rt::Sum<rt::float32>, 1>(T3_acc));
  rt::Array<rt::float32, 8> T6;
  #pragma unroll
  for (Index l = 0; l < 8; ++l) {
    T6.set(l, rt::truediv(T5[l], rt::result<rt::Sum<rt::float32>, 0>(T3_acc, 0)));
  }
  rt::copy<8>(out0, bx * 768 + tx * 8, T6, 0);
}
}  // namespace k_softmax
)";

/// Both statistics of softmax, and average, squares and a place, of rows of 768; a warp a row, two rows a block, in
/// pieces that are read again and again.
constexpr const char* kRows = R"(
namespace k_rows {
using Index = long long;
RT_KERNEL(rows, 64, 0)(rt::Global<const rt::bfloat16> in0, rt::Global<rt::float32> out0) {
  const Index bx = blockIdx.x;
  const Index tx = threadIdx.x;
  const Index ty = threadIdx.y;
  const rt::Team<32, 2, true> team0 = {tx, ty};
  rt::Array<rt::SoftmaxSums<rt::float32>::Tuple, 1> T2_acc;
  rt::begin<rt::SoftmaxSums<rt::float32>>(T2_acc, 0);
  rt::Array<rt::Welford<rt::float32>::Tuple, 1> T3_acc;
  rt::begin<rt::Welford<rt::float32>>(T3_acc, 0);
  rt::Array<rt::ArgMax<rt::float32>::Tuple, 1> T4_acc;
  rt::begin<rt::ArgMax<rt::float32>>(T4_acc, 0);
  for (Index c = 0; c < 6; ++c) {
    rt::Array<rt::bfloat16, 4> T0;
    rt::copy<4>(T0, 0, in0, (bx * 2 + ty) * 768 + c * 128 + tx * 4);
    rt::fold<rt::SoftmaxSums<rt::float32>, 4>(T2_acc, 0, T0, 0);
    rt::fold<rt::Welford<rt::float32>, 4>(T3_acc, 0, T0, 0);
    #pragma unroll
    for (Index l = 0; l < 4; ++l) {
      rt::accumulate<rt::ArgMax<rt::float32>>(T4_acc, 0, rt::to<rt::float32>(T0[l]), c * 128 + tx * 4 + l);
    }
  }
  rt::join(team0, rt::member<rt::SoftmaxSums<rt::float32>, 1>(T2_acc), rt::member<rt::Welford<rt::float32>, 1>(T3_acc),
           rt::member<rt::ArgMax<rt::float32>, 1>(T4_acc));
  if (tx == 0) {
    rt::Array<rt::float32, 1> T5;
    T5.set(0, rt::result<rt::SoftmaxSums<rt::float32>, 1>(T2_acc, 0));
    rt::copy<1>(out0, (bx * 2 + ty) * 4, T5, 0);
    T5.set(0, rt::result<rt::Welford<rt::float32>, 0>(T3_acc, 0));
    rt::copy<1>(out0, (bx * 2 + ty) * 4 + 1, T5, 0);
    T5.set(0, rt::result<rt::Welford<rt::float32>, 1>(T3_acc, 0));
    rt::copy<1>(out0, (bx * 2 + ty) * 4 + 2, T5, 0);
    T5.set(0, rt::to<rt::float32>(rt::result<rt::ArgMax<rt::float32>, 0>(T4_acc, 0)));
    rt::copy<1>(out0, (bx * 2 + ty) * 4 + 3, T5, 0);
  }
}
}  // namespace k_rows
)";

/// Sums of 64 columns over 768 / 64 * 8 rows; 16 lanes of 4 columns, 6 threads share them.
constexpr const char* kColumns = R"(
namespace k_columns {
using Index = int;
RT_KERNEL(columns, 96, 0)(rt::Global<const rt::bfloat16> in0, rt::Global<rt::float32> out0) {
  const Index tx = threadIdx.x;
  const Index ty = threadIdx.y;
  const rt::Team<6, 16, false> team0 = {ty, tx};
  rt::Slots slots = {0, 1536, 0};
  rt::Array<rt::Sum<rt::float32>::Tuple, 4> T1_acc;
  #pragma unroll
  for (Index l = 0; l < 4; ++l) {
    rt::begin<rt::Sum<rt::float32>>(T1_acc, l);
  }
  for (Index r = 0; r < 16; ++r) {
    rt::Array<rt::bfloat16, 4> T0;
    rt::copy<4>(T0, 0, in0, (r * 6 + ty) * 64 + tx * 4);
    #pragma unroll
    for (Index l = 0; l < 4; ++l) {
      rt::accumulate<rt::Sum<rt::float32>>(T1_acc, l, rt::to<rt::float32>(T0[l]));
    }
  }
  rt::join(team0, slots, rt::member<rt::Sum<rt::float32>, 4>(T1_acc));
  rt::Array<rt::float32, 4> T1;
  #pragma unroll
  for (Index l = 0; l < 4; ++l) {
    T1.set(l, rt::result<rt::Sum<rt::float32>, 0>(T1_acc, l));
  }
  if (ty == 0) {
    rt::copy<4>(out0, tx * 4, T1, 0);
  }
}
}  // namespace k_columns
)";

constexpr const char* kNames[] = {"softmax", "rows", "columns"};
constexpr int kRowCount = 8, kColumnCount = 768;

std::string unit_text() {
  std::string text;
  for (const char* part : {kIncludes, kSoftmax, kRows, kColumns}) {
    text += part;
  }
  return text;
}

std::string launcher_of(const std::string& name) {
  return "namespace k_" + name + " {\nextern \"C\" int emulate_" + name +
         "(const void* image, const rt::EmulatorLaunch* launch) {\n  rt::Machine machine(*launch);\n"
         "  const auto in0 = rt::global<const rt::bfloat16>(machine, image, 0);\n"
         "  const auto out0 = rt::global<rt::float32>(machine, image, 8);\n"
         "  return rt::emulate([&] { " +
         name + "(in0, out0); }, machine);\n}\n}  // namespace\n";
}

struct ReduceText : ::testing::Test {
  void SetUp() override {
    std::string why;
    if (!host_compiler_available(&why)) {
      GTEST_SKIP() << why;
    }
    for (int k = 0; k < kRowCount * kColumnCount; ++k) {
      // What bfloat16 holds exactly, so that float64 knows the inputs; a maximum that no other element shares.
      const float x = float((k * 37 + k / 5) % 97 - 48) / 16 + (k % kColumnCount == 300 + k / kColumnCount ? 5.0f : 0);
      uint32_t bits;
      std::memcpy(&bits, &x, 4);
      in.push_back(uint16_t(bits >> 16));
      bits &= 0xffff0000u;
      float kept;
      std::memcpy(&kept, &bits, 4);
      x_of.push_back(double(kept));
    }
    CompileRequest request{};
    request.way = Way::emulator;
    request.text = unit_text();
    for (const char* name : kNames) {
      request.emulator_launchers += launcher_of(name);
      request.kernels.push_back({name, 16, true});
    }
    module = compile(request);
  }

  std::vector<float> run(int kernel, std::array<int64_t, 3> grid, std::array<int64_t, 3> block, int64_t shared_bytes,
                         int outputs) const {
    std::vector<float> out(outputs, -1e9f);
    const void* image[] = {in.data(), out.data()};
    const BufferExtent buffers[] = {{"in0", int64_t(in.size())}, {"out0", outputs}};
    LaunchRequest launch;
    launch.grid = grid;
    launch.block = block;
    launch.shared_bytes = shared_bytes;
    launch.image = image;
    launch.image_bytes = sizeof image;
    launch.buffers = buffers;
    launch.buffer_count = 2;
    launch.seed = 5;
    module->launch(kernel, launch);
    return out;
  }

  const TestFolder folder_;
  const ScopedOption cache_{"cache", "1"}, folder_option_{"cache_dir", folder_.path};
  std::shared_ptr<Module> module;
  std::vector<uint16_t> in;
  std::vector<double> x_of;
};

TEST_F(ReduceText, RunsInTheEmulator) {
  const std::vector<float> softmax = run(0, {kRowCount, 1, 1}, {96, 1, 1}, 32, kRowCount * kColumnCount);
  const std::vector<float> rows = run(1, {kRowCount / 2, 1, 1}, {32, 2, 1}, 0, kRowCount * 4);
  for (int row = 0; row < kRowCount; ++row) {
    const double* x = &x_of[row * kColumnCount];
    double sum = 0, most = x[0], exps = 0, squares = 0;
    int place = 0;
    for (int c = 0; c < kColumnCount; ++c) {
      sum += x[c];
      place = x[c] > most ? c : place;
      most = std::max(most, x[c]);
    }
    for (int c = 0; c < kColumnCount; ++c) {
      exps += std::exp(x[c] - most);
      squares += (x[c] - sum / kColumnCount) * (x[c] - sum / kColumnCount);
    }
    for (int c = 0; c < kColumnCount; ++c) {
      const double want = std::exp(x[c] - most) / exps;
      ASSERT_NEAR(softmax[row * kColumnCount + c], want, 1e-6 * want) << row << " " << c;
    }
    EXPECT_NEAR(rows[row * 4], exps, 1e-6 * exps);
    EXPECT_NEAR(rows[row * 4 + 1], sum / kColumnCount, 1e-6);
    EXPECT_NEAR(rows[row * 4 + 2], squares, 1e-6 * squares);
    EXPECT_EQ(rows[row * 4 + 3], float(place));
  }
  const std::vector<float> columns = run(2, {1, 1, 1}, {16, 6, 1}, 3072, 64);
  for (int c = 0; c < 64; ++c) {
    double sum = 0;
    for (int row = 0; row < 96; ++row) {
      sum += x_of[row * 64 + c];
    }
    EXPECT_NEAR(columns[c], sum, 1e-5);
  }
}

TEST_F(ReduceText, BecomesCubins) {
  std::string why;
  if (!nvrtc_available(&why)) {
    GTEST_SKIP() << why;
  }
  for (const int arch : {80, 90, 100, 120}) {
    EXPECT_EQ(compile_cubin(unit_text(), arch).substr(0, 4), "\177ELF") << arch;
  }
}

}  // namespace
}  // namespace nvfuser
