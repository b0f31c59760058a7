// SPDX-License-Identifier: Apache-2.0
// Kernels that are missing, gathered by machine, printed and compiled together.
#include "nvfuser/runtime/kernel_store.h"

#include <algorithm>
#include <utility>

#include "nvfuser/base/dump.h"
#include "nvfuser/base/hash.h"
#include "nvfuser/base/options.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/runtime/origin.h"

namespace nvfuser {
namespace {

/// What decides whether two kernels may share a unit.
std::string machine_of(const KernelOrder& order) {
  std::string text(name_of(order.way));
  return order.way == Way::cuda ? text + std::to_string(order.arch) + "@" + std::to_string(order.ordinal) : text;
}

/// An error of a compiler ends with the user's lines.
std::shared_ptr<Module> compile_with_origin(const CompileRequest& request,
                                            const std::vector<const Program*>& programs) {
  try {
    return compile(request);
  } catch (const Error& error) {
    std::string message = error.what();
    for (const Program* program : programs) {
      message += origin_text(*program);
    }
    throw Error(error.kind(), message);
  }
}

void compile_unit(const KernelOrder& machine, const std::vector<GroupKernel*>& missing) {
  std::vector<const Program*> programs;
  for (GroupKernel* kernel : missing) {
    kernel->position = static_cast<int>(programs.size());
    for (const Program& program : kernel->lowered.programs) {
      programs.push_back(&program);
    }
  }
  const UnitText unit = print_unit(programs);
  dump(DumpStage::code, unit.text);
  CompileRequest request{machine.way, unit.text,    machine.way == Way::emulator ? unit.emulator_launchers : "",
                         {},          machine.arch, machine.ordinal};
  for (const Program* program : programs) {
    ImageLayout layout = image_layout(*program);
    request.kernels.push_back({program->name, layout.bytes, program->has_barrier, std::move(layout.offsets)});
  }
  const TimedScope timed("compile " + std::to_string(programs.size()) + " kernels, " +
                         std::string(name_of(machine.way)));
  const std::shared_ptr<Module> module = compile_with_origin(request, programs);
  for (GroupKernel* kernel : missing) {
    kernel->module = module;
    for (int k = 0; k < static_cast<int>(kernel->lowered.programs.size()); ++k) {
      kernel->local_bytes = std::max(kernel->local_bytes, module->resources(kernel->position + k).local_bytes);
    }
  }
}

void add_layouts(std::vector<int64_t>& key, const std::vector<Layout>& layouts) {
  for (const Layout& layout : layouts) {
    key.push_back(static_cast<int64_t>(layout.order.size()));
    for (size_t k = 0; k < layout.order.size(); ++k) {
      key.push_back(int64_t{layout.order[k]} << 8 | static_cast<int64_t>(layout.strides[k]));
    }
  }
}

void add_views(std::vector<int64_t>& key, const std::vector<const TensorView*>& views) {
  key.push_back(static_cast<int64_t>(views.size()));
  for (const TensorView* view : views) {
    key.push_back(reinterpret_cast<intptr_t>(view));
  }
}

/// All that decides which kernels a group may have.  Options may ask for other kernels.
std::vector<int64_t> key_of(const GroupCall& call, const DeviceProps& device, int ordinal, Target target) {
  std::vector<int64_t> key;
  key.reserve(64);
  key.push_back(reinterpret_cast<intptr_t>(call.fusion.get()));
  key.push_back(static_cast<int64_t>(target));
  key.push_back(device.arch);
  key.push_back(ordinal);
  key.push_back(static_cast<int64_t>(hash64(device.name)));
  key.push_back(static_cast<int64_t>(options_version()));
  add_views(key, call.group.inputs);
  add_views(key, call.group.outputs);
  add_layouts(key, call.input_layouts);
  add_layouts(key, call.output_layouts);
  for (const auto& [input, output] : call.aliases) {
    key.push_back(int64_t{input} << 32 | output);
  }
  return key;
}

}  // namespace

GroupKernels& KernelStore::group(GroupCall call, const DeviceProps& device, int ordinal, Target target, int number) {
  std::vector<int64_t> key = key_of(call, device, ordinal, target);
  auto known = groups_.find(key);
  if (known == groups_.end()) {
    const std::string name = kernel_name(call.group) + "_" + std::to_string(number);
    known = groups_.try_emplace(std::move(key), std::move(call), device, target, name).first;
  }
  return known->second;
}

const std::vector<Group>& KernelStore::groups_of(const Fusion& fusion, const CutSet& cuts) {
  const auto [place, fresh] = segments_.try_emplace({&fusion, cuts});
  if (fresh) {
    const TimedScope timed("segment " + std::to_string(fusion.exprs().size()) + " operations");
    place->second = segment(fusion, cuts);
  }
  return place->second;
}

void KernelStore::drop_uncompiled() {
  for (auto& [key, group] : groups_) {
    group.drop_uncompiled();
  }
}

void compile_kernels(const std::vector<KernelOrder>& orders) {
  std::map<std::string, std::pair<const KernelOrder*, std::vector<GroupKernel*>>> units;
  for (size_t k = 0; k < orders.size(); ++k) {
    for (const std::shared_ptr<GroupKernel>& kernel : orders[k].kernels) {
      if (kernel->module != nullptr) {
        continue;
      }
      auto& [first, missing] = units[machine_of(orders[k])];
      if (std::find(missing.begin(), missing.end(), kernel.get()) == missing.end()) {
        first = first ? first : &orders[k];
        missing.push_back(kernel.get());
        for (Program& program : kernel->lowered.programs) {
          program.name += orders.size() > 1 ? "_p" + std::to_string(k) : "";
        }
      }
    }
  }
  try {
    for (const auto& [machine, unit] : units) {
      compile_unit(*unit.first, unit.second);
    }
  } catch (...) {
    for (const KernelOrder& order : orders) {
      order.store->drop_uncompiled();
    }
    throw;
  }
}

}  // namespace nvfuser
