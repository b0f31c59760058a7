// SPDX-License-Identifier: Apache-2.0
// The targets of this machine, for people and for tests.
#include "nvfuser/backend/targets.h"

#include "nvfuser/backend/module.h"

namespace nvfuser {

std::array<TargetStatus, 4> target_status() {
  std::string no_compiler, no_cuda, no_nvrtc;
  const bool host = host_compiler_available(&no_compiler);
  const bool cuda = cuda_available(&no_cuda) && nvrtc_available(&no_nvrtc);
  const std::string compiler = host ? host_compiler_name() : no_compiler;
  const std::string& why = no_cuda.empty() ? no_nvrtc : no_cuda;
  return {{{"host", host, compiler},
           {"emulator", host, compiler},
           {"cuda", cuda, cuda ? nvrtc_name() : why},
           {"evaluator", true, ""}}};
}

}  // namespace nvfuser
