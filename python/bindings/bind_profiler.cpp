// SPDX-License-Identifier: Apache-2.0
// Profiles of calls under the names that users of nvFuser know.
#include "bindings.h"
#include "docs_profiler.h"
#include "nvfuser/runtime/descriptions.h"

namespace nvfuser::python {
namespace {

void bind_kernel_profile(nb::module_& m) {
  nb::class_<KernelProfile>(m, "KernelProfile", docs::kKernelProfile)
      .def_ro("name", &KernelProfile::name, "Name of the kernel in its text.")
      .def_ro("segment_id", &KernelProfile::segment, "Place among the kernels of the call.")
      .def_ro("device", &KernelProfile::device, "Ordinal of the device.")
      .def_ro("stream", &KernelProfile::stream, "The driver's handle of the stream; 0 on the CPU.")
      .def_ro("correlation_id", &KernelProfile::correlation, "Counts the kernels that were profiled in this process.")
      .def_ro("compile_time_ms", &KernelProfile::compile_ms,
              "Its equal share of the compile that this call waited for; 0 without one.")
      .def_ro("time_ms", &KernelProfile::time_ms,
              "Milliseconds on the device (CUDA events), or from launch to return (CPU); 0 in a captured stream.")
      .def_ro("effective_bandwidth_gbs", &KernelProfile::bandwidth_gbs, "Bytes read and written by time, in GB/s.")
      .def_ro("percentage_peak_bandwidth", &KernelProfile::peak_percent,
              "The kernel's percentage of the memory's data-sheet bandwidth; 0 where that is not known (CPUs).")
      .def_prop_ro(
          "grid_str", [](const KernelProfile& self) { return list_text(self.grid); }, "Blocks: [x, y, z].")
      .def_prop_ro(
          "block_str", [](const KernelProfile& self) { return list_text(self.block); },
          "Threads of a block: [x, y, z].")
      .def_prop_ro(
          "cluster_str", [](const KernelProfile& self) { return list_text(self.cluster); },
          "Blocks of a cluster: [x, y, z].")
      .def_prop_ro(
          "shared_mem_str",
          [](const KernelProfile& self) { return list_text(std::array{self.dynamic_shared, self.static_shared}); },
          "Bytes of shared memory of a block: [dynamic, static].")
      .def_ro("registers", &KernelProfile::registers, "Registers of a thread; 0 where that is not known (CPUs).")
      .def_ro("input_bytes", &KernelProfile::input_bytes, "Bytes read: distinct elements of the tensors read.")
      .def_ro("output_bytes", &KernelProfile::output_bytes, "Bytes written.")
      .def_ro("scheduler", &KernelProfile::scheduler, "Family of the schedule, or \"user\".")
      .def("__repr__", [](const KernelProfile& self) { return description_of(self); });
}

void bind_fusion_profile(nb::module_& m) {
  nb::class_<FusionProfile>(m, "FusionProfile", docs::kFusionProfile)
      .def_prop_ro(
          "verbose", [](const FusionProfile&) { return false; }, "Always False: nothing is printed by itself.")
      .def_ro("fusion_id", &FusionProfile::fusion_id, "As given to FusionExecutorCache; 0 otherwise.")
      .def_prop_ro(
          "segments", [](const FusionProfile& self) { return self.kernels.size(); }, "Number of kernels.")
      .def_ro("cuda_evt_time_ms", &FusionProfile::event_ms,
              "Milliseconds from the start of the first kernel to the end of the last.")
      .def_ro("host_time_ms", &FusionProfile::host_ms, "Milliseconds from the call to its return, compiles included.")
      .def_ro("compile_time_ms", &FusionProfile::compile_ms,
              "Milliseconds for the plan: rewrites, schedules and compiles; 0 where it was there.")
      .def_ro("kernel_time_ms", &FusionProfile::kernel_ms, "Sum of the kernels' times.")
      .def_ro("effective_bandwidth_gbs", &FusionProfile::bandwidth_gbs,
              "Bytes of the fusion's inputs and outputs by kernel_time_ms, in GB/s.")
      .def_ro("percentage_peak_bandwith", &FusionProfile::peak_percent,
              "The call's percentage of the memory's data-sheet bandwidth; 0 where that is not known (CPUs).")
      .def_ro("input_bytes", &FusionProfile::input_bytes, "Bytes of the inputs' distinct elements.")
      .def_ro("output_bytes", &FusionProfile::output_bytes, "Bytes of the outputs.")
      .def_ro("kernel_profiles", &FusionProfile::kernels, "The kernels in the order of their launches.")
      .def("__repr__", [](const FusionProfile& self) { return description_of(self); });
}

[[gnu::cold]] FusionProfile finished(const std::shared_ptr<CallProfile>& call) {
  check(call != nullptr, ErrorKind::definition, "nothing was profiled: no call returned while the profiler was on");
  nb::gil_scoped_release release;  // the device may be busy
  return call->profile();
}

}  // namespace

void bind_profiler(nb::module_& m) {
  bind_kernel_profile(m);
  bind_fusion_profile(m);
  nb::class_<Profiler>(m, "Profiler", "Profiles the calls of one thread.")
      .def(nb::init<std::string>(), "scheduler"_a = "")
      .def("start", &Profiler::start, "Begins with this thread's next call; an error where one is on already.")
      .def("stop", &Profiler::stop, "Ends; does nothing when it is off.")
      .def("__repr__",
           [](const Profiler& self) {
             return repr_text("Profiler", self.last() ? "a call was profiled" : "nothing was profiled");
           })
      .def(
          "profile", [](const Profiler& self) { return finished(self.last()); },
          "The last call that returned while it was on; waits for the device.");
  m.def("get_fusion_profile", [] { return finished(Profiler::last_of_thread()); }, docs::kGetFusionProfile);
  m.def("reset_profiler", &Profiler::reset_thread, docs::kResetProfiler);
}

}  // namespace nvfuser::python
