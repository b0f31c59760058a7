// SPDX-License-Identifier: Apache-2.0
// Compilers that are commands, that fail, hang, lie or crash, and many processes that want one unit at once.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "backend_fixture.h"
#include "nvfuser/backend/cpu/host_compiler.h"
#include "nvfuser/backend/cpu/subprocess.h"
#include "nvfuser/backend/live_folder.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/backend/private_file.h"

namespace nvfuser {
namespace {

class OddCompiler : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::shared_ptr<const HostCompiler> compiler = find_host_compiler(&why_);
    if (!compiler) {
      GTEST_SKIP() << why_;
    }
    real_ = compiler->command[0];
    forget_modules();
  }

  /// A program of that name which runs shell lines; "$real" is the machine's compiler.
  std::string script(const std::string& name, const std::string& lines) const {
    const std::string path = folder_.path + "/" + name;
    std::ofstream(path) << "#!/bin/sh\nreal=" << real_ << "\n" << lines << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  /// One that answers when it is asked what it is, and otherwise runs the lines.
  std::string compiler(const std::string& lines) const {
    return script("c++", "case \" $* \" in *\" -dM \"*) exec $real \"$@\";; esac\n" + lines);
  }

  /// The kernel writes EXTRA + 1.
  static CompileRequest request() {
    CompileRequest request{};
    request.way = Way::host;
    request.text =
        "#ifndef EXTRA\n#define EXTRA 0\n#endif\n"
        "extern \"C\" void k(const void* image, const long long*, long long, long long) {\n"
        "  **static_cast<long long* const*>(image) = EXTRA + 1;\n}\n";
    request.kernels = {{"k", 8, false}};
    return request;
  }
  static int64_t result() {
    int64_t out = 0;
    int64_t* data = &out;
    LaunchRequest launch;
    launch.image = &data;
    launch.image_bytes = sizeof data;
    compile(request())->launch(0, launch);
    return out;
  }
  /// The message; nothing of the compile stays.
  static std::string refusal() {
    scratch_folder();  // that of the process stands elsewhere
    const TestFolder temporary;
    setenv("TMPDIR", temporary.path.c_str(), 1);
    const std::string message = message_of(ErrorKind::compile, [] { compile(request()); });
    unsetenv("TMPDIR");
    EXPECT_TRUE(std::filesystem::is_empty(temporary.path));
    return message;
  }

  const TestFolder folder_;
  const ScopedOption cache_{"cache", "1"}, folder_option_{"cache_dir", folder_.path + "/cache"};
  std::string real_, why_;
};

TEST_F(OddCompiler, MayHaveArguments) {
  {
    const ScopedOption chosen("cxx", real_ + "  -DEXTRA=6 ");
    EXPECT_EQ(result(), 7);
  }
  const ScopedOption plain("cxx", real_);
  EXPECT_EQ(result(), 1);  // arguments are part of what a cached unit is found by
}

TEST_F(OddCompiler, MayBeRunByAnotherProgram) {
  const std::string log = folder_.path + "/log";
  const ScopedOption chosen("cxx", script("wrap", "echo \"$1\" >> " + log + "\nexec \"$@\"") + " " + real_);
  EXPECT_EQ(result(), 1);
  std::string first;
  std::getline(std::ifstream(log) >> std::ws, first);
  EXPECT_EQ(first, real_);
}

TEST_F(OddCompiler, MayLieInAFolderWithBlanks) {
  std::filesystem::create_directory(folder_.path + "/a b");
  const ScopedOption chosen("cxx", script("a b/c++", "exec $real \"$@\""));
  EXPECT_EQ(result(), 1);
}

TEST_F(OddCompiler, ThatNeverAnswersIsPassedOver) {
  const ScopedOption chosen("cxx", script("c++", "sleep 600")), soon("compile_timeout", "1");
  std::string why;
  EXPECT_FALSE(host_compiler_available(&why));
  EXPECT_TRUE(contains(why, "does not answer in 1 s")) << why;
}

TEST_F(OddCompiler, ThatNeverEndsIsStopped) {
  const ScopedOption chosen("cxx", compiler("sleep 600")), soon("compile_timeout", "1");
  EXPECT_TRUE(contains(refusal(), "NVFUSER_COMPILE_TIMEOUT"));
}

TEST_F(OddCompiler, ThatCrashesSaysSo) {
  const ScopedOption chosen("cxx", compiler("echo inner trouble >&2; kill -SEGV $$"));
  const std::string message = refusal();
  EXPECT_TRUE(contains(message, "139") && contains(message, "inner trouble")) << message;
}

TEST_F(OddCompiler, ThatSucceedsWithoutAResultHasFailed) {
  const ScopedOption chosen("cxx", compiler("exit 0"));
  EXPECT_TRUE(contains(refusal(), "refuses a unit"));
}

TEST_F(OddCompiler, WhoseResultDoesNotLoadHasFailed) {
  const std::string path = compiler("while [ \"$1\" != -o ]; do shift; done; echo no object > \"$2\"");
  const ScopedOption chosen("cxx", path);
  EXPECT_TRUE(contains(refusal(), "does not load"));
  // What it left in the cache is made anew once the same command works.
  compiler("exec $real \"$@\"");
  EXPECT_EQ(result(), 1);
}

TEST_F(OddCompiler, ServesACrowdOfProcessesOnOneEmptyCache) {
  const std::string object = folder_.path + "/made.so";
  std::ofstream(object, std::ios::binary) << compile_host(*find_host_compiler(), Flavor::cpu, request().text);
  // A compiler whose work is a copy: 64 true compilations would be most of the time of this suite.
  const std::string log = folder_.path + "/log";
  const ScopedOption chosen(
      "cxx", compiler("echo run >> " + log + "\nwhile [ \"$1\" != -o ]; do shift; done; cp " + object + " \"$2\""));
  ASSERT_TRUE(host_compiler_available());
  constexpr int kProcesses = 64;
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  std::vector<pid_t> children;
  for (int child = 0; child < kProcesses; ++child) {
    const pid_t pid = fork();
    if (pid == 0) {
      close(gate[1]);
      char end;
      int status = 2;
      if (read(gate[0], &end, 1) == 0) {  // the parent opens the gate when all are there
        try {
          status = result() == 1 ? 0 : 1;
        } catch (...) {
        }
      }
      _exit(status);
    }
    children.push_back(pid);
  }
  close(gate[0]);
  close(gate[1]);
  int wrong = 0;
  for (const pid_t pid : children) {
    int status = -1;
    waitpid(pid, &status, 0);
    wrong += status != 0;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(std::filesystem::file_size(log), 4u) << "one compiled, the others waited";
  EXPECT_TRUE(folder_.left_over().empty());
  EXPECT_EQ(folder_.files(".so").size(), 2u);  // the entry, and what the compiler copies
  const int64_t before = compiler_runs();
  EXPECT_EQ(result(), 1);
  EXPECT_EQ(compiler_runs(), before);
}

TEST(ScratchFolder, NeedsNoUsableTmpdir) {
  const pid_t pid = fork();
  if (pid == 0) {
    setenv("TMPDIR", "/no/such/folder", 1);
    const std::string path = scratch_folder();
    const bool good = path.starts_with("/tmp/") && is_private_folder(path);
    std::filesystem::remove_all(path);
    _exit(good ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Subprocess, MayLeaveAServerThatHoldsItsStreams) {
  const ProcessResult result = run_process({"/bin/sh", "-c", "sleep 600 & echo $!"}, 300);
  EXPECT_TRUE(result.ok());
  const int server = std::atoi(result.out.c_str());
  ASSERT_GT(server, 0);
  EXPECT_EQ(kill(server, SIGKILL), 0);  // it ran on: nothing waited for it
}

}  // namespace
}  // namespace nvfuser
