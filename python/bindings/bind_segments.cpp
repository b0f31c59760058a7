// SPDX-License-Identifier: Apache-2.0
// A fusion as it will run, for drawings: rewritten and cut into groups.  Nothing is compiled, and no device is asked.
#include "bindings.h"
#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/fuse/segment.h"

namespace nvfuser::python {
namespace {

[[gnu::cold]] nb::tuple segments_of(const std::shared_ptr<Fusion>& fusion) {
  verify(*fusion);
  const std::shared_ptr<Fusion> rewritten = rewrite(fusion);
  nb::list groups;
  for (const Group& group : segment(*rewritten)) {
    groups.append(nb::make_tuple(wrap_all(group.inputs), wrap_all(group.outputs)));
  }
  return nb::make_tuple(rewritten, groups);
}

}  // namespace

void bind_segments(nb::module_& m) {
  m.def("segments_of", &segments_of, "fusion"_a,
        nb::sig("def segments_of(fusion: Fusion) -> tuple[Fusion, list[tuple[list[TensorView], list[TensorView]]]]"),
        "The fusion as it will run, and for each kernel the tensors that it reads and stores.");
}

}  // namespace nvfuser::python
