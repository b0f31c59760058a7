// SPDX-License-Identifier: Apache-2.0
// nvfuser::Error as Python exceptions: NvfError (a RuntimeError) with one subclass a kind.
#include <array>
#include <exception>

#include "bindings.h"

namespace nvfuser::python {
namespace {

struct Row {
  ErrorKind kind;
  const char* name;
  const char* doc;
};

constexpr std::array<Row, 8> kRows = {{
    {ErrorKind::definition, "DefinitionError",
     "A fusion that cannot be built or called: wrong operands, attributes, inputs."},
    {ErrorKind::shape, "ShapeError", "Ranks, extents, strides or axes that do not fit."},
    {ErrorKind::dtype, "DTypeError", "Element types that do not fit."},
    {ErrorKind::schedule, "ScheduleError", "A schedule without a meaning."},
    {ErrorKind::compile, "CompileError", "A kernel that a compiler refuses, or no compiler."},
    {ErrorKind::device, "DeviceError", "Drivers, libraries, memory, launches."},
    {ErrorKind::option, "OptionError", "An unknown or ill-typed option."},
    {ErrorKind::internal, "InternalError", "A broken invariant of the library: please report it."},
}};

/// Exception types by kind; they live as long as the interpreter.
std::array<PyObject*, kRows.size()>& types() {
  static std::array<PyObject*, kRows.size()> all{};
  return all;
}

}  // namespace

void bind_errors(nb::module_& m) {
  nb::object base = nb::steal(PyErr_NewExceptionWithDoc("nvfuser.NvfError", "Base of all errors that nvfuser raises.",
                                                        PyExc_RuntimeError, nullptr));
  m.attr("NvfError") = base;
  for (const Row& row : kRows) {
    const std::string name = std::string("nvfuser.") + row.name;
    nb::object type = nb::steal(PyErr_NewExceptionWithDoc(name.c_str(), row.doc, base.ptr(), nullptr));
    m.attr(row.name) = type;
    types()[static_cast<size_t>(row.kind)] = type.ptr();  // kept alive by the module
  }
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Error& error) {
      PyErr_SetString(types()[static_cast<size_t>(error.kind())], error.what());
    }
  });
}

}  // namespace nvfuser::python
