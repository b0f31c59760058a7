// SPDX-License-Identifier: Apache-2.0
// Calls `emulate_<name>` of a unit and turns what it counts into an error.
#include "nvfuser/backend/cpu/emulator_module.h"

#include "nvfuser/backend/cpu/unit_library.h"
#include "nvfuser/base/dump.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/device/emulator/emulator_launch.h"

namespace nvfuser {
namespace {

using EmulatorEntry = int (*)(const void* image, const rt::EmulatorLaunch* launch);

struct EmulatedKernel {
  KernelEntry kernel;
  EmulatorEntry entry;
};

class EmulatorModule final : public Module {
 public:
  EmulatorModule(std::shared_ptr<SharedLibrary> unit, const std::vector<KernelEntry>& kernels)
      : unit_(std::move(unit)) {
    for (const KernelEntry& kernel : kernels) {
      kernels_.push_back({kernel, reinterpret_cast<EmulatorEntry>(unit_symbol(*unit_, "emulate_" + kernel.name))});
    }
  }

  void launch(int kernel, const LaunchRequest& request) override {
    ensure(kernel >= 0 && kernel < static_cast<int>(kernels_.size()), "launch of kernel ", kernel, " of ",
           kernels_.size());
    const EmulatedKernel& emulated = kernels_[kernel];
    std::vector<const char*> names;
    std::vector<long long> elements, before;
    for (int i = 0; i < request.buffer_count; ++i) {
      names.push_back(request.buffers[i].name);
      elements.push_back(request.buffers[i].elements);
      before.push_back(request.buffers[i].before);
    }
    char message[1024] = "";
    std::vector<long long> moved(dump_enabled(DumpStage::moved) ? 2 * names.size() : 0);
    const rt::EmulatorLaunch launch{.grid = {request.grid[0], request.grid[1], request.grid[2]},
                                    .block = {request.block[0], request.block[1], request.block[2]},
                                    .shared_bytes = request.shared_bytes,
                                    .has_barrier = emulated.kernel.has_barrier,
                                    .seed = request.seed,
                                    .names = names.data(),
                                    .elements = elements.data(),
                                    .message = message,
                                    .message_bytes = sizeof message,
                                    .before = before.data(),
                                    .cooperative = request.cooperative,
                                    .cluster = request.cluster,
                                    .dependent = request.dependent,
                                    .moved = moved.empty() ? nullptr : moved.data()};
    const int faults = emulated.entry(request.image, &launch);
    message[sizeof message - 1] = 0;
    check(faults == 0, ErrorKind::device, "kernel ", emulated.kernel.name, " in the emulator: ", message, " (", faults,
          faults == 1 ? " fault" : " faults; the first is shown", ")");
    if (!moved.empty()) {
      tell_moved(emulated.kernel.name, names, moved);
    }
  }

  Way way() const override { return Way::emulator; }

  /// `name: in0 read 4096, out0 written 1024`, a line a launch.
  static void tell_moved(const std::string& kernel, const std::vector<const char*>& names,
                         const std::vector<long long>& moved) {
    std::string text = kernel + ":";
    for (size_t k = 0; k < names.size(); ++k) {
      for (const bool written : {false, true}) {
        const long long bytes = moved[2 * k + (written ? 1 : 0)];
        text += bytes == 0 ? ""
                           : (text.back() == ':' ? " " : ", ") + std::string(names[k]) +
                                 (written ? " written " : " read ") + std::to_string(bytes);
      }
    }
    dump(DumpStage::moved, text);
  }

 private:
  std::shared_ptr<SharedLibrary> unit_;
  std::vector<EmulatedKernel> kernels_;
};

}  // namespace

std::shared_ptr<Module> make_emulator_module(std::shared_ptr<SharedLibrary> unit,
                                             const std::vector<KernelEntry>& kernels) {
  return std::make_shared<EmulatorModule>(std::move(unit), kernels);
}

}  // namespace nvfuser
