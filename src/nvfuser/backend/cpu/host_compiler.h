// SPDX-License-Identifier: Apache-2.0
// The machine's C++ compiler: finds it, says what it is, turns a unit's text into the bytes of a shared object.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nvfuser/base/hash.h"
#include "nvfuser/device/embedded.h"

namespace nvfuser {

struct HostCompiler {
  std::vector<std::string>
      command;                    ///< path of the program, then what stands before all flags: "/usr/bin/ccache", "g++"
  std::string version;            ///< "/usr/bin/g++ 12.2.0"
  std::vector<std::string> arch;  ///< flags that choose this machine's instructions; cpu flavor only
  bool follows_float_ranges = false;  ///< decides tests of floats by what other tests say of their values
  Hash128 identity;                   ///< version and target features, as the compiler's predefined macros state them
};

/// The compiler that the options and PATH name now; null with a reason when there is none that works.  Cheap after the
/// first call.
std::shared_ptr<const HostCompiler> find_host_compiler(std::string* why = nullptr);

/// All flags but names of files.
std::vector<std::string> host_flags(const HostCompiler& compiler, Flavor flavor);
/// Everything but the text that the bytes depend on: compiler, flags, device headers.
Hash128 host_identity(const HostCompiler& compiler, Flavor flavor);

/// Bytes of the shared object.  ErrorKind::compile with the compiler's messages.
std::string compile_host(const HostCompiler& compiler, Flavor flavor, const std::string& text);

}  // namespace nvfuser
