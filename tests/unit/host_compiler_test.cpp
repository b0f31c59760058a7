// SPDX-License-Identifier: Apache-2.0
// Hand-written units go through the host compiler, the cache and the loader, and run.
#include "nvfuser/backend/cpu/host_compiler.h"

#include <cmath>
#include <fstream>
#include <thread>

#include "backend_fixture.h"
#include "nvfuser/backend/cpu/subprocess.h"
#include "nvfuser/backend/cpu/unit_library.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/backend/private_file.h"

namespace nvfuser {
namespace {

/// Adds the number of each grid point, as bx + 100 by + 10000 bz, and `bias` to its element.
std::string host_text(const std::string& name, int bias = 0) {
  return "extern \"C\" void " + name +
         "(const void* image, const long long* grid, long long begin, long long end) {\n"
         "  long long* out = *static_cast<long long* const*>(image);\n"
         "  for (long long t = begin; t < end; ++t) {\n"
         "    const long long bx = t % grid[0], by = t / grid[0] % grid[1], bz = t / grid[0] / grid[1];\n"
         "    out[t] += bx + 100 * by + 10000 * bz + " +
         std::to_string(bias) + ";\n  }\n}\n";
}

CompileRequest host_request(const std::string& text, const std::string& name = "k") {
  CompileRequest request{};
  request.way = Way::host;
  request.text = text;
  request.kernels = {{name, 8, false}};
  return request;
}

class HostUnits : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!host_compiler_available(&why)) {
      GTEST_SKIP() << why;
    }
    forget_modules();
  }
  const TestFolder folder_;
  const ScopedOption cache_{"cache", "1"}, folder_option_{"cache_dir", folder_.path};
};

std::vector<int64_t> run_host(Module& module, std::array<int64_t, 3> grid) {
  std::vector<int64_t> out(grid[0] * grid[1] * grid[2]);
  int64_t* data = out.data();
  LaunchRequest launch;
  launch.grid = grid;
  launch.image = &data;
  launch.image_bytes = sizeof data;
  module.launch(0, launch);
  return out;
}

TEST_F(HostUnits, RunEveryGridPointOnce) {
  const auto module = compile(host_request(host_text("k")));
  EXPECT_EQ(module->way(), Way::host);
  const std::vector<int64_t> out = run_host(*module, {7, 5, 3});
  for (int64_t t = 0; t < 7 * 5 * 3; ++t) {
    EXPECT_EQ(out[t], t % 7 + t / 7 % 5 * 100 + t / 35 * 10000) << t;
  }
  EXPECT_EQ(run_host(*module, {1000, 9, 1}).back(), 999 + 800);
}

TEST_F(HostUnits, AreCompiledOnceAProcessAndOnceAFolder) {
  const int64_t before = compiler_runs();
  const auto first = compile(host_request(host_text("k")));
  EXPECT_EQ(compiler_runs(), before + 1);
  EXPECT_EQ(compile(host_request(host_text("k"))), first);
  forget_modules();
  const auto again = compile(host_request(host_text("k")));
  EXPECT_NE(again, first);
  EXPECT_EQ(compiler_runs(), before + 1);
  EXPECT_EQ(run_host(*again, {3, 1, 1}), (std::vector<int64_t>{0, 1, 2}));
  const auto other = compile(host_request(host_text("k", 5)));
  EXPECT_EQ(compiler_runs(), before + 2);
  EXPECT_EQ(run_host(*other, {3, 1, 1}), (std::vector<int64_t>{5, 6, 7}));
}

TEST_F(HostUnits, ComeFromACompilerWhenTheCacheIsOff) {
  const ScopedOption off("cache", "0");
  const int64_t before = compiler_runs();
  EXPECT_EQ(run_host(*compile(host_request(host_text("k"))), {2, 1, 1}), (std::vector<int64_t>{0, 1}));
  forget_modules();
  compile(host_request(host_text("k")));
  EXPECT_EQ(compiler_runs(), before + 2);
  EXPECT_TRUE(folder_.files(".so").empty());
}

TEST_F(HostUnits, AreMadeAnewWhenTheirFileIsBroken) {
  compile(host_request(host_text("k")));
  forget_modules();
  ASSERT_EQ(folder_.files(".so").size(), 1u);
  const std::string path = folder_.files(".so")[0];
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  int64_t before = compiler_runs();
  EXPECT_EQ(run_host(*compile(host_request(host_text("k"))), {2, 1, 1}), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(compiler_runs(), before + 1);

  // Whole, but nothing that the loader takes: made where other system libraries were installed, say.
  forget_modules();
  before = compiler_runs();
  const std::string file = std::filesystem::path(path).filename();
  DiskCache(folder_.path, 1 << 20).store({file.substr(0, file.size() - 3), ".so", ""}, "no shared object", "");
  EXPECT_EQ(run_host(*compile(host_request(host_text("k"))), {2, 1, 1}), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(compiler_runs(), before + 1);
}

TEST_F(HostUnits, OfManyThreads) {
  const int64_t before = compiler_runs();
  std::vector<std::shared_ptr<Module>> same(3), different(2);
  std::vector<std::thread> threads;
  for (auto& module : same) {
    threads.emplace_back([&] { module = compile(host_request(host_text("k"))); });
  }
  for (auto& module : different) {
    const int bias = 1 + static_cast<int>(&module - different.data());
    threads.emplace_back([&module, bias] { module = compile(host_request(host_text("k", bias))); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(compiler_runs(), before + 3);
  for (const auto& module : same) {
    EXPECT_EQ(module, same[0]);
  }
  EXPECT_EQ(run_host(*different[1], {1, 1, 1})[0], 2);
}

TEST_F(HostUnits, ThatDoNotCompileSayWhy) {
  const auto bad = host_request("void k() { return undefined_name; }");
  const std::string message = message_of(ErrorKind::compile, [&] { compile(bad); });
  EXPECT_TRUE(contains(message, "undefined_name")) << message;
  // The failure is not kept.
  const int64_t before = compiler_runs();
  message_of(ErrorKind::compile, [&] { compile(bad); });
  EXPECT_EQ(compiler_runs(), before + 1);
  EXPECT_TRUE(folder_.files(".so").empty());
}

TEST_F(HostUnits, WithoutTheirKernelAreABugOfOurs) {
  const auto request = host_request(host_text("k"), "another");
  EXPECT_TRUE(contains(message_of(ErrorKind::internal, [&] { compile(request); }), "another"));
}

TEST_F(HostUnits, FindTheDeviceHeaders) {
  std::string text;
  for (const auto& [name, header] : device_headers(Flavor::cpu)) {
    text += "#if __has_include(\"" + std::string(name) + "\")\n#else\n#error missing\n#endif\n";
  }
  compile(host_request(text + host_text("k")));
  const ScopedOption off("cache", "0");
  compile(host_request(text + host_text("k")));
}

/// A unit as the printer makes it: the kernel's text, then its launcher.
CompileRequest emulator_request() {
  CompileRequest request{};
  request.way = Way::emulator;
  request.text = "extern \"C\" int printf(const char*, ...);\n";
  request.emulator_launchers =
      "struct Launch {\n"
      "  long long grid[3], block[3], shared_bytes;\n"
      "  bool has_barrier;\n"
      "  unsigned long long seed;\n"
      "  const char* const* names;\n"
      "  const long long* elements;\n"
      "  char* message;\n"
      "  int message_bytes;\n"
      "};\n"
      "extern \"C\" int emulate_k(const void* image, const Launch* launch) {\n"
      "  long long* out = *static_cast<long long* const*>(image);\n"
      "  const long long values[] = {launch->grid[2], launch->block[1], launch->shared_bytes, launch->has_barrier,\n"
      "                              static_cast<long long>(launch->seed), launch->elements[1], launch->names[1][0]};\n"
      "  if (launch->elements[0] < 7) {\n"
      "    const char text[] = \"write past the end of out\";\n"
      "    for (unsigned i = 0; i < sizeof text; ++i) launch->message[i] = text[i];\n"
      "    return 3;\n"
      "  }\n"
      "  for (int i = 0; i < 7; ++i) out[i] = values[i];\n"
      "  return 0;\n"
      "}\n";
  request.kernels = {{"k", 8, true}};
  return request;
}

TEST_F(HostUnits, OfTheEmulatorGetTheLaunch) {
  const auto module = compile(emulator_request());
  EXPECT_EQ(module->way(), Way::emulator);
  std::vector<int64_t> out(7);
  int64_t* data = out.data();
  const BufferExtent buffers[] = {{"out", 7}, {"in", 42}};
  LaunchRequest launch;
  launch.grid = {1, 2, 3};
  launch.block = {4, 5, 6};
  launch.shared_bytes = 77;
  launch.image = &data;
  launch.image_bytes = sizeof data;
  launch.buffers = buffers;
  launch.buffer_count = 2;
  launch.seed = 9;
  module->launch(0, launch);
  EXPECT_EQ(out, (std::vector<int64_t>{3, 5, 77, 1, 9, 42, 'i'}));
}

TEST_F(HostUnits, OfTheEmulatorTurnFaultsIntoErrors) {
  const auto module = compile(emulator_request());
  int64_t* data = nullptr;
  const BufferExtent buffers[] = {{"out", 6}, {"in", 42}};
  LaunchRequest launch;
  launch.image = &data;
  launch.buffers = buffers;
  launch.buffer_count = 2;
  const std::string message = message_of(ErrorKind::device, [&] { module->launch(0, launch); });
  EXPECT_TRUE(contains(message, "kernel k")) << message;
  EXPECT_TRUE(contains(message, "write past the end of out")) << message;
  EXPECT_TRUE(contains(message, "3 faults")) << message;
}

TEST_F(HostUnits, LoadWithoutAFile) {
  const auto compiler = find_host_compiler();
  const std::string object = compile_host(*compiler, Flavor::emulator, "extern \"C\" int seven() { return 7; }");
  for (const std::string& path : {std::string(), folder_.path + "/none.so"}) {
    const auto unit = load_unit({object, path});
    EXPECT_EQ(reinterpret_cast<int (*)()>(unit_symbol(*unit, "seven"))(), 7);
  }
  message_of(ErrorKind::compile, [&] { load_unit({"no object", ""}); });
}

/// A quotient of infinities is NaN, of which no test of the quotient says anything about them.
TEST_F(HostUnits, ProveNothingByATestThatNanFails) {
  const std::string text =
      "extern \"C\" int tests(const float* p, float* kept) {\n"
      "  const float x = *p, a = __builtin_fabsf(x), q = a / (1.0f - a);\n"
      "  int found = 0;\n"
      "  if (!(q < 1.0f)) { kept[0] = 1; found += x == __builtin_inff(); }\n"
      "  if (!(q < 1.0f)) { if (x == __builtin_inff()) { kept[1] = 2; found += 2; } else { kept[2] = 3; } }\n"
      "  return found;\n}\n";
  const auto compiler = find_host_compiler();
  const float infinity = INFINITY;
  for (const Flavor flavor : {Flavor::cpu, Flavor::emulator}) {
    const auto unit = load_unit({compile_host(*compiler, flavor, text), ""});
    float kept[3];
    EXPECT_EQ(reinterpret_cast<int (*)(const float*, float*)>(unit_symbol(*unit, "tests"))(&infinity, kept), 3);
  }
}

TEST_F(HostUnits, DependOnTheirCompilerAndFlavor) {
  const auto compiler = find_host_compiler();
  HostCompiler newer = *compiler;
  newer.identity = hash128("another version");
  EXPECT_NE(host_identity(newer, Flavor::cpu), host_identity(*compiler, Flavor::cpu));
  EXPECT_NE(host_identity(*compiler, Flavor::cpu), host_identity(*compiler, Flavor::emulator));
  EXPECT_FALSE(compiler->version.empty());
}

TEST(HostCompilerSearch, SaysWhatItTried) {
  const ScopedOption chosen("cxx", "/no/such/compiler");
  std::string why;
  EXPECT_FALSE(host_compiler_available(&why));
  EXPECT_TRUE(contains(why, "/no/such/compiler")) << why;
  EXPECT_TRUE(contains(message_of(ErrorKind::compile, [] { compile(host_request(host_text("k"))); }), "NVFUSER_CXX"));
}

TEST(HostCompilerSearch, PassesOverProgramsThatAreNone) {
  const TestFolder folder;
  const std::string fake = folder.path + "/c++";
  std::ofstream(fake) << "#!/bin/sh\necho no compiler >&2\nexit 1\n";
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  const ScopedOption chosen("cxx", fake);
  std::string why;
  EXPECT_FALSE(host_compiler_available(&why));
  EXPECT_TRUE(contains(why, "no compiler")) << why;
}

TEST(Subprocess, CapturesBothStreams) {
  const ProcessResult result = run_process({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, 60);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_FALSE(result.ok());
}

TEST(Subprocess, DrainsMoreThanItKeeps) {
  const ProcessResult result =
      run_process({"/bin/sh", "-c", "head -c 9000000 /dev/zero; head -c 200000 /dev/zero >&2"}, 60);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.out.size(), size_t{4} << 20);
  EXPECT_EQ(result.err.size(), 200000u);
}

TEST(Subprocess, ThatIsMissing) {
  const ProcessResult result = run_process({"/no/such/program"}, 60);
  EXPECT_FALSE(result.ok());
  EXPECT_TRUE(contains(result.error, "/no/such/program"));
}

TEST(Subprocess, IsKilledWithItsChildrenAtTheDeadline) {
  const ProcessResult result = run_process({"/bin/sh", "-c", "sleep 600 & sleep 600"}, 0.05);
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.ok());
}

TEST(Subprocess, FindsProgramsOnThePathOnly) {
  EXPECT_FALSE(find_program("sh").empty());
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_TRUE(find_program("").empty());
  EXPECT_TRUE(find_program("/bin").empty());
  EXPECT_TRUE(find_program("no-such-program-anywhere").empty());
}

TEST(CpuProps, DescribeThisMachine) {
  const DeviceProps props = cpu_device_props();
  EXPECT_FALSE(props.gpu);
  EXPECT_EQ(props.arch, 0);
  EXPECT_GE(props.sms, 1);
  EXPECT_GE(props.simd_bytes, 16);
  EXPECT_GE(props.l1_bytes, 4 << 10);
  EXPECT_GE(props.l2_bytes, props.l1_bytes);
  EXPECT_FALSE(props.name.empty());
}

}  // namespace
}  // namespace nvfuser
