# SPDX-License-Identifier: Apache-2.0
"""Profiles: what they count, whose calls they see, and that they go away.  Times are only held against each other."""

import threading

import numpy as np
import pytest

import nvfuser
from nvfuser import FusionDefinition, FusionExecutorCache, PythonProfiler, get_fusion_profile, reset_profiler
from nvfuser._C import compiler_runs

X = np.linspace(-1, 1, 12 * 256, dtype=np.float32).reshape(12, 256)
B = np.linspace(0, 1, 256, dtype=np.float32)


def two_kernels():
    with FusionDefinition() as fd:
        x, b = fd.from_pytorch(X), fd.from_pytorch(B)
        middle = fd.ops.segment_set(fd.ops.exp(x + b))
        fd.add_output(fd.ops.cast(middle * 2.0, nvfuser.DataType.Half))
    return fd


@pytest.mark.parametrize("target", ["host", "emulator"])
def test_kernels_and_bytes(target):
    fd = two_kernels()
    runs = compiler_runs()
    with PythonProfiler() as prof:
        fd.execute([X, B], target=target)
        cold = prof.profile
        fd.execute([X, B], target=target)
    assert compiler_runs() > runs
    profile = prof.profile
    assert (profile.input_bytes, profile.output_bytes) == (4 * (12 * 256 + 256), 2 * 12 * 256)
    assert profile.segments == 2 and profile.verbose is False
    first, second = profile.kernel_profiles
    assert (first.input_bytes, first.output_bytes) == (4 * (12 * 256 + 256), 4 * 12 * 256)
    assert (second.input_bytes, second.output_bytes) == (4 * 12 * 256, 2 * 12 * 256)
    assert [kernel.segment_id for kernel in (first, second)] == [0, 1]
    assert second.correlation_id == first.correlation_id + 1
    for kernel in (first, second):
        assert kernel.name in fd.kernel_text([X, B], target=target)
        assert kernel.scheduler in fd.plan_text([X, B], target=target)
        assert kernel.grid_str.startswith("[") and kernel.grid_str.count(", ") == 2
        assert kernel.cluster_str == "[1, 1, 1]" and kernel.shared_mem_str == "[0, 0]"
        assert kernel.time_ms > 0
        assert kernel.effective_bandwidth_gbs == pytest.approx(
            (kernel.input_bytes + kernel.output_bytes) / kernel.time_ms * 1e-6
        )
        assert kernel.percentage_peak_bandwidth == 0 and kernel.registers == 0
        assert (kernel.device, kernel.stream, kernel.compile_time_ms) == (0, 0, 0)
        assert f"name='{kernel.name}'" in repr(kernel) and repr(kernel) in repr(profile)
    if target == "emulator":
        assert first.block_str != "[1, 1, 1]"
    assert profile.kernel_time_ms == pytest.approx(first.time_ms + second.time_ms)
    assert profile.cuda_evt_time_ms == profile.kernel_time_ms < profile.host_time_ms
    assert profile.compile_time_ms == 0
    compiled = [kernel.compile_time_ms for kernel in cold.kernel_profiles]
    assert compiled[0] > 0 and sum(compiled) <= cold.compile_time_ms * (1 + 1e-9)
    assert cold.compile_time_ms < cold.host_time_ms


def test_expanded_elements_count_once():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x + 1.0)
    with PythonProfiler() as prof:
        fd.execute([np.broadcast_to(B, (12, 256))], target="evaluator")
    (whole,) = prof.profile.kernel_profiles
    assert (prof.profile.input_bytes, prof.profile.output_bytes) == (4 * 256, 4 * 12 * 256)
    assert (whole.name, whole.scheduler) == ("evaluator", "evaluator")
    assert (whole.input_bytes, whole.output_bytes) == (4 * 256, 4 * 12 * 256)


def test_whose_calls():
    fd = two_kernels()
    cache = FusionExecutorCache(two_kernels().fusion, fusion_id=11)
    reset_profiler()
    with pytest.raises(RuntimeError, match="nothing was profiled"):
        get_fusion_profile()
    with PythonProfiler(auto_scheduled=False) as prof:
        with pytest.raises(RuntimeError, match="profilers do not nest"), PythonProfiler():
            pass
        with pytest.raises(RuntimeError, match="nothing was profiled"):
            prof.profile  # noqa: B018
        cache.execute([X, B])
        with pytest.raises(TypeError):
            cache.execute([X, "b"])
        seen = []

        def other():
            fd.execute([X, B], target="evaluator")
            with PythonProfiler() as own:
                fd.execute([X, B], target="evaluator")
            seen.append(own.profile.fusion_id)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    fd.execute([X, B], target="evaluator")  # after the block
    assert seen == [0]
    assert prof.profile.fusion_id == get_fusion_profile().fusion_id == 11
    assert {kernel.scheduler for kernel in prof.profile.kernel_profiles} == {"user"}
    reset_profiler()
    with pytest.raises(RuntimeError, match="nothing was profiled"):
        get_fusion_profile()
    with PythonProfiler() as again:  # a block that failed or ended leaves the thread free
        pass
    with pytest.raises(RuntimeError, match="nothing was profiled"):
        again.profile  # noqa: B018


def test_a_profiler_that_was_never_left_ends_with_its_object():
    left = PythonProfiler()
    left.__enter__()
    del left
    with PythonProfiler() as prof:
        two_kernels().execute([X, B], target="evaluator")
    assert prof.profile.segments == 1


def test_threads_profile_at_once():
    """Each thread sees its own calls."""
    fd = two_kernels()
    fd.execute([X, B])
    found = {}

    def work(rows):
        with PythonProfiler() as prof:
            for _ in range(50):
                fd.execute([X[:rows], B])
                assert prof.profile.output_bytes == 2 * rows * 256
        found[rows] = prof.profile.output_bytes

    threads = [threading.Thread(target=work, args=(rows,)) for rows in range(5, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {rows: 2 * rows * 256 for rows in range(5, 13)}
