// SPDX-License-Identifier: Apache-2.0
// NVRTC is searched in a stated order; where there is one, text becomes a cubin without a device.
#include "nvfuser/backend/cuda/nvrtc.h"

#include <fstream>

#include "backend_fixture.h"
#include "nvfuser/backend/cpu/host_compiler.h"
#include "nvfuser/backend/cuda/nvrtc_search.h"
#include "nvfuser/backend/module.h"

namespace nvfuser {
namespace {

namespace fs = std::filesystem;

void make_file(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << "no library";
}

size_t position_of(const std::vector<LibraryCandidate>& candidates, const std::string& path) {
  size_t at = 0;
  while (at < candidates.size() && candidates[at].path != path) {
    ++at;
  }
  return at;
}

TEST(NvrtcSearch, ComparesVersionsAsNumbers) {
  const TestFolder folder;
  for (const char* name :
       {"libnvrtc.so.9.2", "libnvrtc.so.12", "libnvrtc.so.13.0.88", "libnvrtc.alt.so.13", "libnvrtc.so",
        "libnvrtc-builtins.so.13.0", "libnvrtc-builtins.alt.so.13.0", "libnvrtc_static.a", "other.so"}) {
    make_file(folder.path + "/" + name);
  }
  const std::string at = folder.path + "/";
  EXPECT_EQ(nvrtc_files_in(folder.path), (std::vector<std::string>{at + "libnvrtc.so.13.0.88", at + "libnvrtc.so.12",
                                                                   at + "libnvrtc.so.9.2", at + "libnvrtc.so"}));
  EXPECT_EQ(nvrtc_builtins_beside(at + "libnvrtc.so.12"), std::vector<std::string>{at + "libnvrtc-builtins.so.13.0"});
  EXPECT_TRUE(nvrtc_builtins_beside("libnvrtc.so.12").empty());
  EXPECT_TRUE(nvrtc_files_in(at + "none").empty());
}

TEST(NvrtcSearch, TriesPackagesBeforeTorchBeforeTheToolkit) {
  const TestFolder folder;
  const ScopedOption chosen("nvrtc", "");
  const std::string site = folder.path + "/site", home = folder.path + "/cuda";
  const std::string of_13 = site + "/nvidia/cu13/lib/libnvrtc.so.13",
                    of_12 = site + "/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
                    of_torch = site + "/torch/lib/libnvrtc-672ee683.so.11", of_home = home + "/lib64/libnvrtc.so.12";
  for (const std::string& path : {of_13, of_12, of_torch, of_home}) {
    make_file(path);
  }
  const std::string before = nvrtc_search_state();
  add_library_folder(site);
  EXPECT_NE(nvrtc_search_state(), before);
  setenv("CUDA_PATH", home.c_str(), 1);
  const std::vector<LibraryCandidate> candidates = nvrtc_candidates();
  unsetenv("CUDA_PATH");
  size_t last = 0;
  for (const std::string& path :
       {of_13, of_12, of_torch, of_home, std::string("libnvrtc.so.13"), std::string("libnvrtc.so.12")}) {
    const size_t position = position_of(candidates, path);
    EXPECT_LT(position, candidates.size()) << path;
    EXPECT_GE(position, last) << path;
    last = position;
  }
  EXPECT_EQ(candidates[position_of(candidates, of_home)].origin, "CUDA_PATH");
}

TEST(NvrtcSearch, TheOptionStandsAlone) {
  const TestFolder folder;
  make_file(folder.path + "/libnvrtc.so.12");
  {
    const ScopedOption chosen("nvrtc", folder.path);
    const auto candidates = nvrtc_candidates();
    ASSERT_EQ(candidates.size(), 1u);
    EXPECT_EQ(candidates[0].path, folder.path + "/libnvrtc.so.12");
  }
  const ScopedOption chosen("nvrtc", folder.path + "/libnvrtc.so.12");
  EXPECT_EQ(nvrtc_candidates().size(), 1u);
  std::string why;
  EXPECT_FALSE(nvrtc_available(&why));
  EXPECT_TRUE(contains(why, folder.path + "/libnvrtc.so.12")) << why;
  EXPECT_TRUE(contains(why, "NVFUSER_NVRTC")) << why;
  EXPECT_TRUE(contains(message_of(ErrorKind::compile, [] { compile_cubin("", 90); }), "no NVRTC was found"));
}

std::string fake_function(const std::string& symbol, int major, int result) {
  if (symbol == "nvrtcVersion") {
    return "int nvrtcVersion(int* major, int* minor) { *major = " + std::to_string(major) + "; *minor = 5; return 0; }";
  }
  if (symbol == "nvrtcGetErrorString") {
    return "const char* nvrtcGetErrorString(int result) { return kNames[result]; }";
  }
  return "int " + symbol + "() { return " + std::to_string(symbol == "nvrtcCompileProgram" ? result : 0) + "; }";
}

/// A library with NVRTC's entry points that states a version and compiles nothing, with that result.
std::string fake_nvrtc(int major, int result = 0) {
  std::string text = "const char* const kNames[] = {\"NVRTC_SUCCESS\", \"NVRTC_ERROR_OF_A_FAKE\"};\n";
#define NVRTC_FUNCTION(returns, name, symbol, arguments, required) \
  text += "extern \"C\" " + fake_function(symbol, major, result) + "\n";
#include "nvfuser/backend/cuda/nvrtc_api.def"
  return text;
}

void make_library(const HostCompiler& compiler, const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << compile_host(compiler, Flavor::emulator, text);
}

TEST(NvrtcSearch, PassesOverVersionsThatTheDriverDoesNotLoad) {
  const auto compiler = find_host_compiler();
  if (!compiler) {
    GTEST_SKIP() << "no host compiler";
  }
  const TestFolder folder;
  std::string driver_text;
#define CUDA_FUNCTION(returns, name, symbol, arguments, required)                              \
  driver_text += "extern \"C\" int " symbol "(int* value) { " +                                \
                 std::string(#name == std::string("cuDeviceGetCount")     ? "*value = 1; "     \
                             : #name == std::string("cuDriverGetVersion") ? "*value = 12080; " \
                                                                          : "") +              \
                 "return 0; }\n";
#include "nvfuser/backend/cuda/cuda_api.def"
  make_library(*compiler, folder.path + "/libfake.so", driver_text);
  make_library(*compiler, folder.path + "/libnvrtc.so.13", fake_nvrtc(13));
  const ScopedOption driver("libcuda", folder.path + "/libfake.so"), search("nvrtc", folder.path);
  std::string why;
  EXPECT_FALSE(nvrtc_available(&why));
  EXPECT_TRUE(contains(why, "NVRTC 13.5")) << why;
  EXPECT_TRUE(contains(why, "CUDA 12")) << why;

  make_library(*compiler, folder.path + "/libnvrtc.so.12", fake_nvrtc(12));
  const ScopedOption again("nvrtc", folder.path + "/.");
  const Nvrtc* found = nvrtc(&why);
  ASSERT_NE(found, nullptr) << why;
  EXPECT_EQ(found->major, 12);
  EXPECT_TRUE(found->path.ends_with("libnvrtc.so.12")) << found->path;
}

TEST(NvrtcSearch, PassesOverLibrariesWithoutTheirBuiltins) {
  const auto compiler = find_host_compiler();
  if (!compiler) {
    GTEST_SKIP() << "no host compiler";
  }
  const TestFolder folder;
  make_library(*compiler, folder.path + "/libnvrtc.so.13", fake_nvrtc(13, 1));
  const ScopedOption driver("libcuda", "/no/driver");
  std::string why;
  {
    const ScopedOption search("nvrtc", folder.path);
    EXPECT_FALSE(nvrtc_available(&why));
    EXPECT_TRUE(contains(why, "libnvrtc.so.13: compiles nothing: NVRTC_ERROR_OF_A_FAKE")) << why;
  }
  // A file that is no library does not count.
  make_file(folder.path + "/libnvrtc-builtins.so.13.5");
  make_library(*compiler, folder.path + "/libnvrtc.so.12", fake_nvrtc(12));
  const ScopedOption again("nvrtc", folder.path + "/.");
  const Nvrtc* found = nvrtc(&why);
  ASSERT_NE(found, nullptr) << why;
  EXPECT_EQ(found->major, 12);
}

class NvrtcCompile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!nvrtc_available(&why)) {
      GTEST_SKIP() << why;
    }
  }
  const TestFolder folder_;
  const ScopedOption cache_{"cache", "1"}, folder_option_{"cache_dir", folder_.path};
};

constexpr const char* kText =
    "extern \"C\" __global__ void scale(float* x, float s, int n) {\n"
    "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
    "  if (i < n) x[i] *= s;\n}\n";

TEST_F(NvrtcCompile, MakesCubinsOncePerFolderAndArchitecture) {
  const int64_t before = compiler_runs();
  const std::string hopper = compile_cubin(kText, 90), ampere = compile_cubin(kText, 80);
  EXPECT_EQ(hopper.substr(0, 4), "\177ELF");
  EXPECT_TRUE(contains(hopper, "scale"));
  EXPECT_NE(hopper, ampere);
  EXPECT_EQ(compiler_runs(), before + 2);
  EXPECT_EQ(compile_cubin(kText, 90), hopper);
  EXPECT_EQ(compiler_runs(), before + 2);
  EXPECT_EQ(folder_.files(".cubin").size(), 2u);
  EXPECT_EQ(folder_.files(".cu").size(), 2u);
}

TEST_F(NvrtcCompile, KnowsTheDeviceHeaders) {
  std::string text;
  for (const auto& [name, header] : device_headers(Flavor::cuda)) {
    text += "#if __has_include(\"" + std::string(name) + "\")\n#else\n#error missing\n#endif\n";
  }
  EXPECT_EQ(compile_cubin(text + kText, 90).substr(0, 4), "\177ELF");
}

TEST_F(NvrtcCompile, PutsTheLogIntoErrors) {
  const std::string message =
      message_of(ErrorKind::compile, [] { compile_cubin("\n\n__global__ void k() { undefined_name(); }", 90); });
  EXPECT_TRUE(contains(message, "undefined_name")) << message;
  EXPECT_TRUE(contains(message, "unit.cu(3)")) << message;
  EXPECT_TRUE(contains(message, "sm_90")) << message;
}

TEST_F(NvrtcCompile, NamesAnArchitectureThatItDoesNotKnow) {
  EXPECT_TRUE(contains(message_of(ErrorKind::compile, [] { compile_cubin(kText, 999); }), "sm_999"));
}

}  // namespace
}  // namespace nvfuser
