// SPDX-License-Identifier: Apache-2.0
// Search, probe and run of the host compiler.  Its flags are rows of one table.
#include "nvfuser/backend/cpu/host_compiler.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>

#include "nvfuser/backend/cpu/subprocess.h"
#include "nvfuser/backend/header_folder.h"
#include "nvfuser/backend/private_file.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

constexpr const char* kDefaultCompilers[] = {"c++", "g++", "clang++"};
constexpr double kProbeSeconds = 30;
constexpr size_t kLogLimit = 16384;  // of a compiler's messages in an error

/// Flags that choose this machine's instructions, in the order in which they are tried.
constexpr const char* kArchFlags[] = {"-march=native", "-mcpu=native", ""};

struct FlagRow {
  const char* flag;
  bool cpu, emulator;
  const char* why;
};
constexpr FlagRow kFlags[] = {
    {"-std=c++20", true, true, "the device headers' language"},
    {"-O3", true, false, "loops are vectorised"},
    {"-O1", false, true, "half the compile time; a test runs each kernel once"},
    {"-fno-math-errno", true, true, "sqrt is an instruction, not a call that sets errno"},
    {"-fno-trapping-math", true, true, "both sides of a select may be evaluated: needed to vectorise ternaries"},
    {"-fwrapv", false, true, "integer overflow wraps, as on CUDA"},
    {"-ffp-contract=off", true, true, "a fused multiply-add stands where the op's row says so, on every machine"},
    {"-fno-semantic-interposition", true, true, "calls inside a unit are inlined although the unit is shared"},
    {"-fPIC", true, true, "shared object"},
    {"-shared", true, true, "shared object"},
    {"-w", true, true, "warnings about generated text tell its user nothing"},
};

/// Asks for all predefined macros: they state the version and every instruction set, and cost one preprocessor run.
std::shared_ptr<const HostCompiler> probe(const std::string& path, std::string& why) {
  for (const char* arch : kArchFlags) {
    std::vector<std::string> argv{path, "-std=c++20", "-dM", "-E", "-x", "c++", "/dev/null"};
    if (*arch) {
      argv.insert(argv.begin() + 2, arch);
    }
    const ProcessResult result = run_process(argv, kProbeSeconds);
    if (!result.ok() || result.out.find("__cplusplus") == std::string::npos) {
      why = path + (result.timed_out        ? " does not answer"
                    : !result.error.empty() ? ": " + result.error
                                            : " refuses -std=c++20: " + result.err.substr(0, 200));
      continue;
    }
    HostCompiler compiler;
    compiler.path = path;
    if (*arch) {
      compiler.arch.push_back(arch);
    }
    const size_t version = result.out.find("#define __VERSION__ \"");
    if (version != std::string::npos) {
      const size_t first = version + 21;
      compiler.version = path + " " + result.out.substr(first, result.out.find('"', first) - first);
    }
    compiler.identity = hash128(result.out);
    return std::make_shared<const HostCompiler>(std::move(compiler));
  }
  return nullptr;
}

struct Found {
  std::shared_ptr<const HostCompiler> compiler;
  std::string why;
};

Found search(const std::string& chosen) {
  Found found;
  std::string tried;
  std::vector<std::string> names(std::begin(kDefaultCompilers), std::end(kDefaultCompilers));
  if (!chosen.empty()) {
    names = {chosen};
  }
  for (const std::string& name : names) {
    const std::string path = find_program(name);
    std::string reason = name + (name.find('/') == std::string::npos ? ": not on PATH" : ": no such program");
    if (!path.empty()) {
      found.compiler = probe(path, reason);
    }
    if (found.compiler) {
      return found;
    }
    tried += (tried.empty() ? "" : "; ") + reason;
  }
  found.why = "no C++ compiler was found (" + tried + "); install g++ or clang++, or set NVFUSER_CXX to one";
  return found;
}

/// Deletes the files of one compile on every way out.
struct UnitFiles {
  std::string source, object;
  UnitFiles() {
    static std::atomic<uint64_t> counter{0};
    const std::string stem = scratch_folder() + "/unit" + std::to_string(counter.fetch_add(1));
    source = stem + ".cpp";
    object = stem + ".so";
  }
  ~UnitFiles() {
    unlink(source.c_str());
    unlink(object.c_str());
  }
};

}  // namespace

std::shared_ptr<const HostCompiler> find_host_compiler(std::string* why) {
  static std::mutex mutex;
  static std::map<std::string, Found> known;  // by what the search depends on
  const std::string chosen = options().cxx;
  const char* path = std::getenv("PATH");
  const std::lock_guard lock(mutex);
  auto [entry, is_new] = known.try_emplace(chosen + "\n" + (path ? path : ""));
  if (is_new) {
    entry->second = search(chosen);
  }
  if (why) {
    *why = entry->second.why;
  }
  return entry->second.compiler;
}

std::vector<std::string> host_flags(const HostCompiler& compiler, Flavor flavor) {
  std::vector<std::string> flags;
  for (const FlagRow& row : kFlags) {
    if (flavor == Flavor::cpu ? row.cpu : row.emulator) {
      flags.push_back(row.flag);
    }
  }
  // The emulator's units are the same on every machine: so are its results.
  if (flavor == Flavor::cpu) {
    flags.insert(flags.end(), compiler.arch.begin(), compiler.arch.end());
  }
  return flags;
}

Hash128 host_identity(const HostCompiler& compiler, Flavor flavor) {
  Hasher hasher;
  hasher.add(compiler.identity).add(compiler.path).add(device_header_hash(flavor));
  for (const std::string& flag : host_flags(compiler, flavor)) {
    hasher.add(flag);
  }
  return hasher.value128();
}

std::string compile_host(const HostCompiler& compiler, Flavor flavor, const std::string& text) {
  const UnitFiles files;
  check(write_private_file(files.source, text) == 0, ErrorKind::compile, "cannot write ", files.source);
  std::vector<std::string> argv{compiler.path};
  for (std::string& flag : host_flags(compiler, flavor)) {
    argv.push_back(std::move(flag));
  }
  argv.insert(argv.end(), {"-I", header_folder(flavor), "-o", files.object, files.source});
  const double seconds = static_cast<double>(options().compile_timeout);
  const ProcessResult result = run_process(argv, seconds);
  check(!result.timed_out, ErrorKind::compile, compiler.path, " did not finish a unit of ", text.size(), " bytes in ",
        seconds, " s (NVFUSER_COMPILE_TIMEOUT)");
  std::string object;
  const bool made = result.ok() && PrivateFile(files.object).read(object) && !object.empty();
  check(made, ErrorKind::compile, compiler.version.empty() ? compiler.path : compiler.version, " refuses a unit:\n",
        result.error, result.err.substr(0, kLogLimit));
  return object;
}

}  // namespace nvfuser
