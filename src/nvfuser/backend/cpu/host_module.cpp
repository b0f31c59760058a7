// SPDX-License-Identifier: Apache-2.0
// Grid points are tasks of the thread pool; the caller takes part and returns when all are done.
#include "nvfuser/backend/cpu/host_module.h"

#include "nvfuser/backend/cpu/unit_library.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/thread_pool.h"

namespace nvfuser {
namespace {

using HostKernel = void (*)(const void* image, const int64_t* grid, int64_t begin, int64_t end);

class HostModule final : public Module {
 public:
  HostModule(std::shared_ptr<SharedLibrary> unit, const std::vector<KernelEntry>& kernels) : unit_(std::move(unit)) {
    for (const KernelEntry& kernel : kernels) {
      entries_.push_back(reinterpret_cast<HostKernel>(unit_symbol(*unit_, kernel.name)));
    }
  }

  void launch(int kernel, const LaunchRequest& request) override {
    ensure(kernel >= 0 && kernel < static_cast<int>(entries_.size()), "launch of kernel ", kernel, " of ",
           entries_.size());
    const HostKernel entry = entries_[kernel];
    const int64_t tasks = request.grid[0] * request.grid[1] * request.grid[2];
    parallel_for(tasks, [&](int64_t begin, int64_t end) { entry(request.image, request.grid.data(), begin, end); });
  }

  Way way() const override { return Way::host; }

 private:
  std::shared_ptr<SharedLibrary> unit_;
  std::vector<HostKernel> entries_;
};

}  // namespace

std::shared_ptr<Module> make_host_module(std::shared_ptr<SharedLibrary> unit, const std::vector<KernelEntry>& kernels) {
  return std::make_shared<HostModule>(std::move(unit), kernels);
}

}  // namespace nvfuser
