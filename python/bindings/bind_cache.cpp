// SPDX-License-Identifier: Apache-2.0
// Executors shared by equal fusions.
#include "bindings.h"
#include "nvfuser/runtime/fusion_cache.h"

namespace nvfuser::python {

void bind_cache(nb::module_& m) {
  nb::class_<FusionCache>(m, "FusionCache",
                          "Executors by the structure of their fusions; the least recently used goes first.")
      .def(nb::init<int64_t>(), "max_fusions"_a)
      .def(
          "get", [](FusionCache& self, const std::shared_ptr<Fusion>& fusion) { return self.get(fusion); }, "fusion"_a,
          "The executor of an equal fusion, or a new one.  The fusion must not change afterwards.")
      .def("__len__", &FusionCache::size)
      .def("__repr__",
           [](const FusionCache& self) { return repr_text("FusionCache", std::to_string(self.size()) + " fusions"); })
      .def("clear", &FusionCache::clear, "Forgets all executors; those in use stay alive.")
      .def(
          "stats", [](const FusionCache& self) { return self.stats(); },
          "A report: capacity, use, hits in the order of last use.");
}

}  // namespace nvfuser::python
