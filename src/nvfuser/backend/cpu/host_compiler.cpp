// SPDX-License-Identifier: Apache-2.0
// Search, probe and run of the host compiler.  Its flags are rows of one table.
#include "nvfuser/backend/cpu/host_compiler.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <sstream>

#include "nvfuser/backend/cpu/subprocess.h"
#include "nvfuser/backend/header_folder.h"
#include "nvfuser/backend/live_folder.h"
#include "nvfuser/backend/private_file.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

constexpr const char* kDefaultCompilers[] = {"c++", "g++", "clang++"};
constexpr double kProbeSeconds = 30;
constexpr int kFirstWithFloatRanges = 13;  // of GCC's versions
constexpr size_t kLogLimit = 16384;        // of a compiler's messages in an error

/// Flags that choose this machine's instructions, in the order in which they are tried.
constexpr const char* kArchFlags[] = {"-march=native", "-mcpu=native", ""};

struct FlagRow {
  const char* flag;
  bool cpu, emulator;
  const char* why;
  bool ranges = false;  // only for compilers that follow the ranges of floats
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
    // From 13 on GCC carries ranges of floats back from a result to its operands and forgets that a NaN comes of
    // others: for a >= 0 it takes !(a / (1 - a) < 1), true of infinity, for a proof of a <= 1, and a == infinity for
    // false. These are the passes that act on it; with one of them left a comparison still goes wrong.
    {"-fno-tree-vrp", true, true, "no test of a float is decided by a false range", true},
    {"-fno-tree-dominator-opts", true, true, "the same", true},
    {"-fno-thread-jumps", true, true, "the same", true},
};

/// A compiler as the user names it: a program whose path may hold blanks, or a program and its arguments.  The first
/// word becomes a path; empty when there is no such program.
std::vector<std::string> command_of(const std::string& chosen) {
  std::vector<std::string> words;
  if (!find_program(chosen).empty()) {
    words = {chosen};
  } else {
    std::istringstream text(chosen);
    words.assign(std::istream_iterator<std::string>(text), {});
  }
  const std::string path = words.empty() ? "" : find_program(words[0]);
  if (path.empty()) {
    return {};
  }
  words[0] = path;
  return words;
}

std::string text_of(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

/// The text between quotation marks behind `#define <macro> `; empty when there is none.
std::string string_macro(const std::string& macros, const std::string& macro) {
  const std::string define = "#define " + macro + " \"";
  const size_t at = macros.find(define);
  return at == std::string::npos
             ? ""
             : macros.substr(at + define.size(), macros.find('"', at + define.size()) - at - define.size());
}

/// The number behind `#define <macro> `; 0 when there is none.
int number_macro(const std::string& macros, const std::string& macro) {
  const std::string define = "#define " + macro + " ";
  const size_t at = macros.find(define);
  return at == std::string::npos ? 0 : std::atoi(macros.c_str() + at + define.size());
}

/// Asks for all predefined macros: they state the version and every instruction set, and cost one preprocessor run.
std::shared_ptr<const HostCompiler> probe(const std::vector<std::string>& command, std::string& why) {
  const double limit = std::min(kProbeSeconds, static_cast<double>(options().compile_timeout));
  for (const char* arch : kArchFlags) {
    std::vector<std::string> argv = command;
    if (*arch) {
      argv.emplace_back(arch);
    }
    argv.insert(argv.end(), {"-std=c++20", "-dM", "-E", "-x", "c++", "/dev/null"});
    const ProcessResult result = run_process(argv, limit);
    if (result.timed_out) {
      why = text_of(command) + " does not answer in " + std::to_string(static_cast<int>(limit)) + " s";
      return nullptr;
    }
    if (!result.ok() || result.out.find("__cplusplus") == std::string::npos) {
      why =
          result.error.empty() ? text_of(command) + " refuses -std=c++20: " + result.err.substr(0, 200) : result.error;
      continue;
    }
    HostCompiler compiler;
    compiler.command = command;
    if (*arch) {
      compiler.arch.push_back(arch);
    }
    compiler.version = text_of(command) + " " + string_macro(result.out, "__VERSION__");
    // Clang claims to be some GCC too.
    compiler.follows_float_ranges = number_macro(result.out, "__GNUC__") >= kFirstWithFloatRanges &&
                                    result.out.find("#define __clang__ ") == std::string::npos;
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
    const std::vector<std::string> command = command_of(name);
    std::string reason = name + (name.find('/') == std::string::npos ? ": not on PATH" : ": no such program");
    if (!command.empty()) {
      found.compiler = probe(command, reason);
    }
    if (found.compiler) {
      return found;
    }
    tried += (tried.empty() ? "" : "; ") + reason;
  }
  found.why = "no C++ compiler was found (" + tried + "); install g++ or clang++, or set NVFUSER_CXX to one";
  return found;
}

}  // namespace

std::shared_ptr<const HostCompiler> find_host_compiler(std::string* why) {
  static auto& guarded = *new LongGuarded<std::map<std::string, Found>>;  // by what the search depends on
  const std::string chosen = options().cxx;
  const char* path = std::getenv("PATH");
  const std::string key = chosen + "\n" + (path ? path : "");
  const auto known = guarded.lock();
  auto entry = known->find(key);
  if (entry == known->end()) {
    entry = known->emplace(key, search(chosen)).first;
  }
  if (why) {
    *why = entry->second.why;
  }
  return entry->second.compiler;
}

std::vector<std::string> host_flags(const HostCompiler& compiler, Flavor flavor) {
  std::vector<std::string> flags;
  for (const FlagRow& row : kFlags) {
    const bool fits = !row.ranges || compiler.follows_float_ranges;
    if (fits && (flavor == Flavor::cpu ? row.cpu : row.emulator)) {
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
  hasher.add(compiler.identity).add(text_of(compiler.command)).add(device_header_hash(flavor));
  for (const std::string& flag : host_flags(compiler, flavor)) {
    hasher.add(flag);
  }
  return hasher.value128();
}

std::string compile_host(const HostCompiler& compiler, Flavor flavor, const std::string& text) {
  const std::unique_ptr<LiveFolder> work = make_scratch();
  const std::string source = work->path() + "/unit.cpp", file = work->path() + "/unit.so";
  const int error = write_private_file(source, text);
  check(error == 0, ErrorKind::compile, "cannot write ", source, ": ", std::strerror(error));
  std::vector<std::string> argv = compiler.command;
  for (std::string& flag : host_flags(compiler, flavor)) {
    argv.push_back(std::move(flag));
  }
  argv.insert(argv.end(), {"-o", file, source, "-I", header_folder(flavor)});
  const double seconds = static_cast<double>(options().compile_timeout);
  ProcessResult result = run_process(argv, seconds, work->path());
  if (!result.ok() && access(argv.back().c_str(), F_OK) != 0) {  // somebody cleared the cache meanwhile
    argv.back() = header_folder(flavor);
    result = run_process(argv, seconds, work->path());
  }
  check(!result.timed_out, ErrorKind::compile, compiler.version, " did not finish a unit of ", text.size(),
        " bytes in ", seconds, " s (NVFUSER_COMPILE_TIMEOUT)");
  std::string object;
  const bool made = result.ok() && PrivateFile(file).read(object) && !object.empty();
  check(made, ErrorKind::compile, compiler.version, " refuses a unit (status ", result.exit_code, "):\n", result.error,
        result.err.substr(0, kLogLimit));
  return object;
}

}  // namespace nvfuser
