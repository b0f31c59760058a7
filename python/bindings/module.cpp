// SPDX-License-Identifier: Apache-2.0
// The compiled module, in the order in which its parts need each other.
#include "bindings.h"

NB_MODULE(_C, m) {
  using namespace nvfuser::python;
  m.doc() = "The compiled part of nvfuser.";
  bind_errors(m);
  bind_enums(m);
  bind_options(m);
  bind_memory(m);
  bind_ir(m);
  bind_fusion(m);
  bind_define(m);
  nb::module_ ops = m.def_submodule("ops", "Operations: each builds an expression of the fusion of its operands.");
  bind_ops(ops);
  bind_runtime(m);
}
