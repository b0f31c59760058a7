// SPDX-License-Identifier: Apache-2.0
// The words.
#include "nvfuser/runtime/descriptions.h"

#include <algorithm>

#include "nvfuser/runtime/arguments.h"

namespace nvfuser {
namespace {

constexpr size_t kMostKernels = 100;

template <class Tensor>
std::string tensor_text(const Tensor& tensor) {
  return std::string(name_of(tensor.dtype)) + " " + list_text(tensor.sizes) + ", strides " + list_text(tensor.strides) +
         ", " + to_string(tensor.device);
}

}  // namespace

std::string list_text(std::span<const int64_t> numbers) {
  std::string text = "[";
  for (int64_t number : numbers) {
    text += (text.size() == 1 ? "" : ", ") + std::to_string(number);
  }
  return text + "]";
}

std::string description_of(const TensorArgument& argument) { return tensor_text(argument); }
std::string description_of(const OutputSpec& spec) { return tensor_text(spec); }

std::string description_of(const KernelProfile& profile) {
  return "KernelProfile(name='" + profile.name + "', segment_id=" + std::to_string(profile.segment) +
         ", time_ms=" + std::to_string(profile.time_ms) +
         ", effective_bandwidth_gbs=" + std::to_string(profile.bandwidth_gbs) +
         ", compile_time_ms=" + std::to_string(profile.compile_ms) + ", grid=" + list_text(profile.grid) +
         ", block=" + list_text(profile.block) +
         ", shared_mem=" + list_text(std::array{profile.dynamic_shared, profile.static_shared}) +
         ", registers=" + std::to_string(profile.registers) + ", scheduler='" + profile.scheduler + "')";
}

std::string description_of(const FusionProfile& profile) {
  std::string text = "FusionProfile(segments=" + std::to_string(profile.kernels.size()) +
                     ", kernel_time_ms=" + std::to_string(profile.kernel_ms) +
                     ", host_time_ms=" + std::to_string(profile.host_ms) +
                     ", compile_time_ms=" + std::to_string(profile.compile_ms) +
                     ", effective_bandwidth_gbs=" + std::to_string(profile.bandwidth_gbs) + ", kernel_profiles=[";
  for (size_t k = 0; k < std::min(profile.kernels.size(), kMostKernels); ++k) {
    text += "\n  " + description_of(profile.kernels[k]) + ",";
  }
  if (profile.kernels.size() > kMostKernels) {
    text += "\n  ... and " + std::to_string(profile.kernels.size() - kMostKernels) + " more";
  }
  return text + "])";
}

}  // namespace nvfuser
