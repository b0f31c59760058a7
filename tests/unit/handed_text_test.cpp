// SPDX-License-Identifier: Apache-2.0
// The emulator compiles byte for byte the text that goes to NVRTC.  Both compilers are replaced by ones that keep what
// they are handed; one program is prepared for an H200 and for the emulator of one, and the hashes of what arrived are
// compared.
#include <fstream>
#include <sstream>

#include "backend_fixture.h"
#include "nvfuser/backend/cpu/host_compiler.h"
#include "nvfuser/backend/cuda/cuda_types.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/base/device_props.h"
#include "nvfuser/base/hash.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/runtime/executor.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A driver with one device, an H200; every call succeeds.
std::string driver_text() {
  const DeviceProps& device = known_device("H200");
  const std::pair<int, int64_t> attributes[] = {
      {kComputeMajor, device.arch / 10},
      {kComputeMinor, device.arch % 10},
      {kMultiprocessors, device.sms},
      {kClockKhz, static_cast<int64_t>(device.clock_ghz * 1e6)},
      {kL2Bytes, device.l2_bytes},
      {kSharedPerMultiprocessor, device.shared_per_sm},
      {kSharedPerBlockOptin, device.shared_per_block},
      {kRegistersPerMultiprocessor, device.registers_per_sm},
      {kThreadsPerMultiprocessor, device.threads_per_sm},
      {kBlocksPerMultiprocessor, device.blocks_per_sm},
      {kThreadsPerBlock, device.threads_per_block},
  };
  std::string answers = "int value_of(int attribute) {\n";
  for (const auto& [attribute, value] : attributes) {
    answers += "if (attribute == " + std::to_string(attribute) + ") return " + std::to_string(value) + ";\n";
  }
  std::string text = "#include <cstring>\n" + answers + "return 0;\n}\n";
#define CUDA_FUNCTION(returns, name, symbol, arguments, required)                                                     \
  text +=                                                                                                             \
      std::string(symbol) == "cuDriverGetVersion" ? "extern \"C\" int " symbol "(int* v) { *v = 13000; return 0; }\n" \
      : std::string(symbol) == "cuDeviceGetCount" ? "extern \"C\" int " symbol "(int* v) { *v = 1; return 0; }\n"     \
      : std::string(symbol) == "cuDeviceGetName"                                                                      \
          ? "extern \"C\" int " symbol "(char* name, int, int) { std::strcpy(name, \"NVIDIA H200\"); return 0; }\n"   \
      : std::string(symbol) == "cuDeviceGetAttribute"                                                                 \
          ? "extern \"C\" int " symbol "(int* v, int attribute, int) { *v = value_of(attribute); return 0; }\n"       \
          : "extern \"C\" int " symbol "() { return 0; }\n";
#include "nvfuser/backend/cuda/cuda_api.def"
  return text;
}

/// An NVRTC that writes the text of a program to `path`.
std::string nvrtc_text(const std::string& path) {
  std::string text = "#include <cstddef>\n#include <cstdio>\n#include <cstring>\n";
#define NVRTC_FUNCTION(returns, name, symbol, arguments, required)                                            \
  text += std::string(symbol) == "nvrtcVersion" ? "extern \"C\" int " symbol                                  \
                                                  "(int* a, int* b) { *a = 13; *b = 0; return 0; }\n"         \
          : std::string(symbol) == "nvrtcCreateProgram"                                                       \
              ? "extern \"C\" int " symbol                                                                    \
                "(void** program, const char* text, const char*, int, const char* const*, const char* const*" \
                ") {\n  std::FILE* file = std::fopen(\"" +                                                    \
                    path +                                                                                    \
                    "\", \"ab\");\n  std::fwrite(text, 1, std::strlen(text), file);\n  std::fclose(file);\n"  \
                    "  *program = file;\n  return 0;\n}\n"                                                    \
          : std::string(symbol) == "nvrtcGetCUBINSize" ? "extern \"C\" int " symbol                           \
                                                         "(void*, size_t* bytes) { *bytes = 5; return 0; }\n" \
          : std::string(symbol) == "nvrtcGetCUBIN"                                                            \
              ? "extern \"C\" int " symbol "(void*, char* to) { std::memcpy(to, \"cubin\", 5); return 0; }\n" \
          : std::string(symbol) == "nvrtcGetErrorString" ? "extern \"C\" const char* " symbol                 \
                                                           "(int) { return \"\"; }\n"                         \
                                                         : "extern \"C\" int " symbol "() { return 0; }\n";
#include "nvfuser/backend/cuda/nvrtc_api.def"
  return text;
}

/// A host compiler that copies every source to `path` and passes it on, to be compiled without optimisation.
void write_recorder(const std::string& script, const HostCompiler& compiler, const std::string& path) {
  std::string command;
  for (const std::string& word : compiler.command) {
    command += " '" + word + "'";
  }
  std::ofstream(script) << "#!/bin/sh\nfor word in \"$@\"; do\n  case \"$word\" in *.cpp) cat \"$word\" >> '" << path
                        << "' ;; esac\ndone\nexec" << command << " \"$@\" -O0\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
}

class HandedText : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto compiler = find_host_compiler();
    if (!compiler) {
      GTEST_SKIP() << "no host compiler";
    }
    const auto make = [&](const std::string& name, const std::string& text) {
      std::ofstream(folder_.path + "/" + name, std::ios::binary) << compile_host(*compiler, Flavor::emulator, text);
    };
    make("libcuda.so", driver_text());
    make("libnvrtc.so.13", nvrtc_text(folder_.path + "/nvrtc.cu"));
    write_recorder(folder_.path + "/compiler", *compiler, folder_.path + "/emulator.cpp");
    forget_modules();
  }

  /// Forgets what the compilers were handed before.
  void start_over() const {
    std::filesystem::remove(folder_.path + "/nvrtc.cu");
    std::filesystem::remove(folder_.path + "/emulator.cpp");
    forget_modules();
  }

  /// Prepares a call on the H200 and on its emulator, by executors of their own.
  void prepare_both(const std::shared_ptr<Fusion>& fusion, const std::vector<Sizes>& sizes,
                    const std::vector<DataType>& dtypes) const {
    const ScopedOption cache("cache", "0"), driver("libcuda", folder_.path + "/libcuda.so"),
        nvrtc("nvrtc", folder_.path + "/libnvrtc.so.13"), cxx("cxx", folder_.path + "/compiler");
    for (const Way way : {Way::cuda, Way::emulator}) {
      std::vector<Argument> arguments;
      for (size_t k = 0; k < sizes.size(); ++k) {
        // Nothing is launched: any aligned address will do.
        TensorArgument tensor{reinterpret_cast<void*>(4096 * (k + 1)), dtypes[k], {}, sizes[k], dense(sizes[k])};
        tensor.device.kind = way == Way::cuda ? Device::Kind::cuda : Device::Kind::cpu;
        arguments.emplace_back(tensor);
      }
      ExecuteOptions options;
      options.way = way;
      options.device_props = way == Way::emulator ? "H200" : "";
      const auto plan = FusionExecutor(fusion).prepare(arguments, options);
      EXPECT_EQ(FusionExecutor::way_of(*plan), way);
    }
  }

  const TestFolder folder_;
};

/// Compares what arrived and returns its hash; the emulator's source goes on with its entry functions.
std::string expect_same(const TestFolder& folder, const std::vector<std::string>& parts) {
  const std::string gpu = read_file(folder.path + "/nvrtc.cu"), emulated = read_file(folder.path + "/emulator.cpp");
  EXPECT_FALSE(gpu.empty());
  EXPECT_GT(emulated.size(), gpu.size());
  const std::string hash = hash128(gpu).hex();
  EXPECT_EQ(hash, hash128(std::string_view(emulated).substr(0, gpu.size())).hex());
  for (const std::string& part : parts) {
    EXPECT_TRUE(contains(gpu, part)) << part << "\n" << gpu;
  }
  const std::string rest = emulated.substr(std::min(gpu.size(), emulated.size()));
  EXPECT_TRUE(rest.starts_with("namespace k_")) << rest;
  EXPECT_TRUE(contains(rest, "extern \"C\" int emulate_"));
  EXPECT_FALSE(contains(rest, "RT_KERNEL"));
  return hash;
}

TEST_F(HandedText, IsTheSameForNvrtcAndEmulator) {
  std::vector<std::string> hashes;
  for (const int64_t columns : {1024, 1001}) {  // whole vectors, and rows that hold none
    KernelCase test;
    TensorView* x = test.input({300, columns}, DataType::BFloat16);
    TensorView* b = test.input({columns}, DataType::BFloat16);
    TensorView* sum = binary(PointwiseOp::add, x, broadcast(b, {true, false}));
    test.output(cast(unary(PointwiseOp::tanh, sum), DataType::BFloat16));
    start_over();
    prepare_both(test.fusion, {{300, columns}, {columns}}, {DataType::BFloat16, DataType::BFloat16});
    hashes.push_back(expect_same(folder_, {"RT_KERNEL(nvf_add_tanh_0", "rt::tanh"}));
  }
  // Several kernels, one of them with tiles.
  KernelCase test;
  TensorView* x = test.input({2048, 4096});
  TensorView* y = test.input({4096, 2048});
  TensorView* turned = segment_set(binary(PointwiseOp::add, x, permute(y, {1, 0})));
  test.output(unary(PointwiseOp::sin, turned));
  test.output(unary(PointwiseOp::relu, y));
  start_over();
  prepare_both(test.fusion, {{2048, 4096}, {4096, 2048}}, {DataType::Float, DataType::Float});
  hashes.push_back(expect_same(folder_, {"rt::shared<", "rt::sync()", "rt::sin", "rt::relu"}));
  EXPECT_NE(hashes[0], hashes[1]) << "the hashes are those of what arrived";
  EXPECT_NE(hashes[1], hashes[2]);
}

}  // namespace
}  // namespace nvfuser
