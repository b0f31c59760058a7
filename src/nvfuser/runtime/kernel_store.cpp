// SPDX-License-Identifier: Apache-2.0
// Kernels that are missing, gathered by machine, printed and compiled together.
#include "nvfuser/runtime/kernel_store.h"

#include <set>
#include <utility>

#include "nvfuser/base/dump.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/runtime/origin.h"

namespace nvfuser {
namespace {

/// A kernel that its store lacks.
struct Missing {
  KernelStore* store;
  std::string key;
  Program* program;
};

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

void compile_unit(const KernelOrder& machine, const std::vector<Missing>& missing) {
  std::vector<const Program*> programs;
  for (const Missing& m : missing) {
    programs.push_back(m.program);
  }
  const UnitText unit = print_unit(programs);
  dump(DumpStage::code, unit.text);
  CompileRequest request{machine.way, unit.text,    machine.way == Way::emulator ? unit.emulator_launchers : "",
                         {},          machine.arch, machine.ordinal};
  for (const Program* program : programs) {
    request.kernels.push_back({program->name, image_layout(*program).bytes, program->has_barrier});
  }
  const TimedScope timed("compile " + std::to_string(missing.size()) + " kernels, " +
                         std::string(name_of(machine.way)));
  const std::shared_ptr<Module> module = compile_with_origin(request, programs);
  for (size_t k = 0; k < missing.size(); ++k) {
    missing[k].store->add(missing[k].key, {module, static_cast<int>(k)});
  }
}

}  // namespace

const KernelStore::Entry* KernelStore::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::vector<KernelStore::Entry>> fetch_kernels(const std::vector<KernelOrder>& orders) {
  std::vector<std::vector<std::string>> keys;
  std::map<std::string, std::pair<const KernelOrder*, std::vector<Missing>>> units;
  std::set<std::pair<KernelStore*, std::string>> asked;
  for (const KernelOrder& order : orders) {
    const std::string machine = machine_of(order);
    keys.emplace_back();
    for (Program* program : order.programs) {
      const std::string& key = keys.back().emplace_back(print_kernel(*program) + machine);
      if (!order.store->find(key) && asked.emplace(order.store, key).second) {
        auto& [first, missing] = units[machine];
        first = first ? first : &order;
        missing.push_back({order.store, key, program});
        program->name += orders.size() > 1 ? "_p" + std::to_string(keys.size() - 1) : "";
      }
    }
  }
  for (const auto& [machine, unit] : units) {
    compile_unit(*unit.first, unit.second);
  }
  std::vector<std::vector<KernelStore::Entry>> entries;
  for (size_t k = 0; k < orders.size(); ++k) {
    entries.emplace_back();
    for (const std::string& key : keys[k]) {
      entries.back().push_back(*orders[k].store->find(key));
    }
  }
  return entries;
}

}  // namespace nvfuser
