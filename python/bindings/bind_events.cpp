// SPDX-License-Identifier: Apache-2.0
// What the library asks of the program and tells it while it works: signals that came, warnings.
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <memory>

#include "bindings.h"
#include "nvfuser/base/interrupt.h"
#include "nvfuser/base/warning.h"

namespace nvfuser::python {
namespace {

/// What a signal's handler raised, from where a compile is told to end to where it has ended.
std::unique_ptr<nb::python_error>& pending() {
  thread_local std::unique_ptr<nb::python_error> raised;
  return raised;
}

/// Runs the handlers of signals that have come.  Python runs them in its main thread only.
bool signal_raised() {
  if (getpid() != static_cast<pid_t>(syscall(SYS_gettid))) {
    return false;
  }
  nb::gil_scoped_acquire guard;
  if (PyErr_CheckSignals() == 0) {
    return false;
  }
  pending() = std::make_unique<nb::python_error>();
  return true;
}

void warn_in_python(const std::string& message) {
  nb::gil_scoped_acquire guard;
  if (PyErr_WarnEx(PyExc_RuntimeWarning, message.c_str(), 2) != 0) {
    PyErr_WriteUnraisable(nullptr);  // a warning that is made an error does not end a compile
  }
}

}  // namespace

void bind_events(nb::module_&) {
  set_interrupt_check(&signal_raised);
  set_warning_handler(&warn_in_python);
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Interrupted&) {
      if (pending()) {
        pending()->restore();
        pending().reset();
      } else {
        PyErr_SetNone(PyExc_KeyboardInterrupt);
      }
    }
  });
}

}  // namespace nvfuser::python
