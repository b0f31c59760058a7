// SPDX-License-Identifier: Apache-2.0
// Errors of operations as users read them: `permute (model.py:12 in block): argument 'dims', element 1: expected an
// int, got str; operands: Float [?, 4]`.
#include "def_op.h"
#include "nvfuser/ops/operand.h"

namespace nvfuser::python {
namespace {

/// The user's line at present, as messages have it: ` (model.py:12 in block)`.
[[gnu::cold]] std::string at_user_line() {
  const std::shared_ptr<const Location> line = user_line();
  return line == nullptr ? "" : " (" + line->text() + ")";
}

/// Such as `; operands: Float [?, 4], Int scalar`.
[[gnu::cold]] std::string operands_text(const nb::handle* arguments, size_t count) {
  std::vector<Val*> operands;
  for (size_t k = 0; k < count; ++k) {
    if (nb::isinstance<ValRef>(arguments[k])) {
      Val* const val = nb::inst_ptr<ValRef>(arguments[k])->get();
      if (val->is_tensor() || val->is_scalar()) {
        operands.push_back(val);
      }
    }
  }
  return operands.empty() ? "" : "; operands: " + describe(operands);
}

/// Does a message end with a line already, such as that of the operand which it speaks of?
bool ends_with_line(const std::string& text) {
  const size_t open = text.rfind(" (");
  return text.ends_with(")") && open != std::string::npos && text.find(" in ", open) != std::string::npos;
}

}  // namespace

void rethrow_named(const char* op, const nb::handle* arguments, size_t count) {
  const std::string name = op;
  try {
    throw;
  } catch (const Error& error) {
    const std::string text = error.what();
    const bool named = text.starts_with(name + ":") || text.starts_with(name + " ");
    throw Error(error.kind(), (named ? text : name + ": " + text) + (ends_with_line(text) ? "" : at_user_line()));
  } catch (const nb::builtin_exception& error) {
    const std::string text = name + ": " + error.what() + operands_text(arguments, count) + at_user_line();
    PyErr_SetString(python_type(error), text.c_str());
    nb::raise_python_error();
  }
}

}  // namespace nvfuser::python
