// SPDX-License-Identifier: Apache-2.0
// nvfuser::Error as Python exceptions: NvfError (a RuntimeError) with one subclass a kind.
#include <array>
#include <exception>
#include <string>

#include "bindings.h"

namespace nvfuser::python {
namespace {

struct Row {
  ErrorKind kind;
  const char* name;
  const char* doc;
  const char* example;  ///< a statement that raises it; null where no line does
};

constexpr std::array<Row, 8> kRows = {{
    {ErrorKind::definition, "DefinitionError",
     "A fusion that cannot be built or called: wrong operands, attributes, inputs.",
     "FusionDefinition().define_tensor(shape=[-1])"},
    {ErrorKind::shape, "ShapeError", "Ranks, extents, strides or axes that do not fit.",
     "compute_tensor_descriptor([2], [-1])"},
    {ErrorKind::dtype, "DTypeError", "Element types that do not fit.", "ops.bitwise_not(1.5)"},
    {ErrorKind::schedule, "ScheduleError", "A schedule without a meaning.", nullptr},
    {ErrorKind::compile, "CompileError", "A kernel that a compiler refuses, or no compiler.", nullptr},
    {ErrorKind::device, "DeviceError", "Drivers, libraries, memory, launches.", nullptr},
    {ErrorKind::option, "OptionError", "An unknown or ill-typed option.", "LRUCache(0)"},
    {ErrorKind::internal, "InternalError", "A broken invariant of the library: please report it.", nullptr},
}};

/// Exception types by kind; they live as long as the interpreter.
std::array<PyObject*, kRows.size()>& types() {
  static std::array<PyObject*, kRows.size()> all{};
  return all;
}

/// The sections of an exception's docstring.
std::string docstring(const char* name, const char* doc, const char* example, const char* see) {
  std::string text = std::string(doc) + "\n\nSee Also\n--------\n" + see + "\n\nExamples\n--------\n";
  if (example == nullptr) {
    return text + ">>> issubclass(" + name + ", RuntimeError)\nTrue\n";
  }
  return text + ">>> try:\n...     _ = " + example + "\n... except " + name + " as error:\n" +
         "...     print(type(error).__name__)\n" + name + "\n";
}

}  // namespace

void bind_errors(nb::module_& m) {
  nb::object base = nb::steal(PyErr_NewExceptionWithDoc("nvfuser.NvfError",
                                                        docstring("NvfError", "Base of all errors that nvfuser raises.",
                                                                  nullptr, "DefinitionError, ShapeError, DTypeError")
                                                            .c_str(),
                                                        PyExc_RuntimeError, nullptr));
  m.attr("NvfError") = base;
  for (const Row& row : kRows) {
    const std::string name = std::string("nvfuser.") + row.name;
    nb::object type = nb::steal(PyErr_NewExceptionWithDoc(
        name.c_str(), docstring(row.name, row.doc, row.example, "NvfError").c_str(), base.ptr(), nullptr));
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
