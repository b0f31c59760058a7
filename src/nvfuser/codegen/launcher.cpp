// SPDX-License-Identifier: Apache-2.0
// Entry functions.
#include "nvfuser/codegen/launcher.h"

#include "nvfuser/codegen/printer.h"
#include "nvfuser/codegen/value_text.h"
#include "nvfuser/lower/lower.h"

namespace nvfuser {

namespace {

/// "const rt::float32".
std::string element_text(const Parameter& p) {
  const bool read = p.kind == Parameter::Kind::input || (p.kind == Parameter::Kind::workspace && !p.written);
  return (read ? "const " : "") + type_text(p.dtype);
}

}  // namespace

std::string kernel_namespace(const Program& program) { return "k_" + program.name; }

std::string task_entry(const Program& program) {
  const ImageLayout layout = image_layout(program);
  std::string out = "extern \"C\" void " + program.name +
                    "(const void* image, const long long* grid, long long begin, long long end) {\n";
  out += "  const char* const at = static_cast<const char*>(image);\n";
  std::string arguments;
  for (size_t k = 0; k < program.parameters.size(); ++k) {
    const Parameter& p = program.parameters[k];
    const std::string type = p.is_buffer() ? element_text(p) + "* const" : "const " + parameter_type(program, p);
    arguments += "*reinterpret_cast<" + type + "*>(at + " + std::to_string(layout.offsets[k]) + "), ";
  }
  return out + "  " + program.name + "_tasks(" + arguments + "grid, begin, end);\n  rt::finish_streams();\n}\n";
}

std::string emulator_entry(const Program& program, const std::vector<std::pair<int, std::string>>& arrays,
                           int first_line) {
  const ImageLayout layout = image_layout(program);
  std::vector<std::string> lines = {
      "namespace " + kernel_namespace(program) + " {",
      "extern \"C\" int emulate_" + program.name + "(const void* image, const rt::EmulatorLaunch* launch) {",
      "  rt::Machine machine(*launch);"};
  std::string arguments;
  for (size_t k = 0; k < program.parameters.size(); ++k) {
    const Parameter& p = program.parameters[k];
    const std::string offset = std::to_string(layout.offsets[k]);
    const std::string value = p.is_buffer() ? "rt::global<" + element_text(p) + ">(machine, image, " + offset + ")"
                                            : "rt::argument<" + parameter_type(program, p) + ">(image, " + offset + ")";
    lines.push_back("  const auto " + p.name + " = " + value + ";");
    arguments += (arguments.empty() ? "" : ", ") + p.name;
  }
  if (!arrays.empty()) {
    std::string table;
    for (const auto& [line, name] : arrays) {
      table += (table.empty() ? "{" : ", {") + std::to_string(line) + ", \"" + name + "\"}";
    }
    lines.push_back("  static const rt::ArrayName arrays[] = {" + table + "};");
    // Wherever the unit starts in its file, this line and those of the arrays are shifted alike.
    const int here = first_line + static_cast<int>(lines.size());
    lines.push_back("  machine.name_arrays(arrays, " + std::to_string(arrays.size()) + ", __LINE__ - " +
                    std::to_string(here) + ");");
  }
  lines.push_back("  return rt::emulate([&] { " + program.name + "(" + arguments + "); }, machine);");
  lines.push_back("}");
  lines.push_back("}  // namespace");
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

}  // namespace nvfuser
