// SPDX-License-Identifier: Apache-2.0
// Docstrings of profiles.  The tests run the examples.
#pragma once

namespace nvfuser::python::docs {

inline constexpr const char* kKernelProfile = R"(One kernel of a profiled call.

See Also
--------
FusionProfile, PythonProfiler

Examples
--------
>>> with FusionDefinition() as fd:
...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
>>> with PythonProfiler() as profiler:
...     _ = fd.execute([np.ones(1024, np.float32)])
>>> profiler.profile.kernel_profiles[0].output_bytes
4096
)";

inline constexpr const char* kFusionProfile = R"(One profiled call.

See Also
--------
PythonProfiler, KernelProfile, get_fusion_profile

Examples
--------
>>> with FusionDefinition() as fd:
...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
>>> with PythonProfiler() as profiler:
...     _ = fd.execute([np.ones(1024, np.float32)])
>>> profiler.profile.segments
1
)";

inline constexpr const char* kGetFusionProfile = R"(The last call that was profiled in this thread.

Returns
-------
FusionProfile
    It waits for the device.

Raises
------
DefinitionError
    When no call was profiled.

See Also
--------
PythonProfiler, reset_profiler

Examples
--------
>>> with FusionDefinition() as fd:
...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
>>> with PythonProfiler():
...     _ = fd.execute([np.ones(1024, np.float32)])
>>> get_fusion_profile().input_bytes
4096
)";

inline constexpr const char* kResetProfiler = R"(Forgets the last profile of this thread.

See Also
--------
get_fusion_profile

Examples
--------
>>> reset_profiler()
>>> try:
...     _ = get_fusion_profile()
... except DefinitionError as error:
...     print(str(error).partition(":")[0])
nothing was profiled
)";

}  // namespace nvfuser::python::docs
