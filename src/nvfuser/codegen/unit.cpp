// SPDX-License-Identifier: Apache-2.0
// A unit: includes, then kernels; for gpu targets the emulator's entry functions as a text of their own.
#include <algorithm>

#include "nvfuser/codegen/launcher.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/codegen/printer.h"

namespace nvfuser {

namespace {

int line_count(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

std::string includes(const std::vector<KernelText>& kernels) {
  const auto any = [&](bool KernelText::* flag) {
    return std::any_of(kernels.begin(), kernels.end(), [&](const KernelText& k) { return k.*flag; });
  };
  std::string out = "#include \"rt/types.h\"\n";
  out += any(&KernelText::converts) ? "#include \"rt/convert.h\"\n" : "";
  out += any(&KernelText::computes) ? "#include \"rt/math.h\"\n" : "";
  out += "#include \"rt/memory.h\"\n";
  out += any(&KernelText::reduces) ? "#include \"rt/reduce.h\"\n" : "";
  out += any(&KernelText::clusters) ? "#include \"rt/cluster.h\"\n" : "";
  out += any(&KernelText::far) ? "#include \"rt/far.h\"\n" : "";
  out += any(&KernelText::waits) ? "#include \"rt/ring.h\"\n" : "";
  return out + (any(&KernelText::meets) ? "#include \"rt/grid.h\"\n" : "");
}

}  // namespace

UnitText print_unit(std::span<const Program* const> programs) {
  UnitText unit;
  std::vector<KernelText> kernels;
  for (const Program* program : programs) {
    ensure(program->target == programs.front()->target, "a unit has one target");
    kernels.push_back(kernel_text(*program));
    unit.names.push_back(program->name);
  }
  unit.text = includes(kernels);
  for (KernelText& kernel : kernels) {
    const int first = line_count(unit.text) + 1;
    for (auto& [line, name] : kernel.arrays) {
      line += first;
    }
    unit.text += kernel.text;
  }
  if (programs.empty() || programs.front()->target == Target::cpu) {
    return unit;
  }
  const int lines = line_count(unit.text);
  for (size_t k = 0; k < programs.size(); ++k) {
    unit.emulator_launchers +=
        emulator_entry(*programs[k], kernels[k].arrays, lines + line_count(unit.emulator_launchers) + 1);
  }
  return unit;
}

std::string print_kernel(const Program& program) { return kernel_text(program).text; }

}  // namespace nvfuser
