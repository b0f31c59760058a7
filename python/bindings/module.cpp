// SPDX-License-Identifier: Apache-2.0
// The compiled module, in the order in which its parts need each other.
#include "bindings.h"

NB_MODULE(_C, m) {
  using namespace nvfuser::python;
  m.doc() = "The compiled part of nvfuser.";
  // What is alive at the end of the process is mostly held by others (caches, profilers, tools that end it early), of
  // which users can do nothing; the tests ask for the report.
  nb::set_leak_warnings(false);
  m.def(
      "report_leaks", [](bool report) { nb::set_leak_warnings(report); }, "report"_a,
      "Whether the end of the process lists wrappers that are still alive; off at first.");
  bind_errors(m);
  bind_events(m);
  bind_enums(m);
  bind_options(m);
  bind_memory(m);
  bind_ir(m);
  bind_fusion(m);
  bind_define(m);
  nb::module_ ops = m.def_submodule("ops", "Operations: each builds an expression of the fusion of its operands.");
  bind_ops(ops);
  bind_runtime(m);
  bind_call(m);
  bind_lent(m);
  bind_cache(m);
  bind_profiler(m);
  bind_prepare(m);
  bind_segments(m);
}
