// SPDX-License-Identifier: Apache-2.0
// One allocation a stream, made at its first use and kept: kernels leave the words as they found them.
#include "nvfuser/backend/cuda/stream_semaphores.h"

#include <algorithm>
#include <map>
#include <utility>

#include "nvfuser/base/fork_mutex.h"

namespace nvfuser {
namespace {

constexpr int64_t kLeastWords = 512;

struct Words {
  CUdeviceptr data = 0;
  int64_t count = 0;
};

/// Tells streams apart even where a new one has the address of one that is gone; its address where the driver knows no
/// numbers.
unsigned long long number_of(const CudaApi& api, CUstream stream) {
  unsigned long long number = 0;
  if (api.cuStreamGetId == nullptr || api.cuStreamGetId(stream, &number) != kCudaSuccess) {
    return reinterpret_cast<uintptr_t>(stream);
  }
  return number;
}

}  // namespace

void* stream_semaphores(const CudaApi& api, CUcontext context, CUstream stream, int64_t words) {
  if (is_captured(api, stream)) {
    return nullptr;
  }
  // Never destroyed: kernels may run until the process ends.
  static auto& guarded = *new LongGuarded<std::map<std::pair<CUcontext, unsigned long long>, Words>>;
  const auto known = guarded.lock();
  Words& mine = (*known)[{context, number_of(api, stream)}];
  if (mine.count < words) {
    // Launches that are on their way may still use the smaller one.
    Words larger{0, std::max(words, kLeastWords)};
    const size_t bytes = static_cast<size_t>(larger.count) * sizeof(int32_t);
    check_cuda(api, api.cuMemAlloc(&larger.data, bytes), "cuMemAlloc", "semaphores of a stream");
    check_cuda(api, api.cuMemsetD8Async(larger.data, 0, bytes, stream), "cuMemsetD8Async", "semaphores of a stream");
    mine = larger;
  }
  return reinterpret_cast<void*>(mine.data);
}

}  // namespace nvfuser
