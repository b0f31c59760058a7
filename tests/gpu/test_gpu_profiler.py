# SPDX-License-Identifier: Apache-2.0
"""Profiles by CUDA events, kernels compiled ahead and scripts that repeat calls, on a GPU."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from nvfuser import FusionDefinition, PythonProfiler, TensorSpec  # noqa: E402
from nvfuser._C import compiler_runs  # noqa: E402


def two_kernels():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        y = fd.ops.segment_set(fd.ops.exp(x))
        fd.add_output(y + x)
    return fd


def test_events_time_kernels():
    """A large copy takes longer than a small one and moves at most what the memory can."""
    fd = two_kernels()
    large, small = torch.randn(8192, 8192, device="cuda"), torch.randn(16, 16, device="cuda")
    with PythonProfiler() as prof:
        for _ in range(3):
            fd.execute([large])
    profile = prof.profile
    assert profile.segments == 2 and profile.compile_time_ms == 0
    assert (profile.input_bytes, profile.output_bytes) == (large.nbytes, large.nbytes)
    first, second = profile.kernel_profiles
    assert (first.input_bytes, first.output_bytes) == (large.nbytes, large.nbytes)
    assert (second.input_bytes, second.output_bytes) == (2 * large.nbytes, large.nbytes)
    for kernel in (first, second):
        assert 30 < kernel.percentage_peak_bandwidth < 105
        assert kernel.registers > 0 and kernel.block_str != "[1, 1, 1]"
    with PythonProfiler() as other:
        for _ in range(3):
            fd.execute([small])
    assert other.profile.kernel_time_ms < profile.kernel_time_ms
    assert 0 < profile.percentage_peak_bandwith < profile.kernel_profiles[0].percentage_peak_bandwidth


def test_events_agree_with_torchs():
    """Ten calls between two events of torch take ten times a kernel's time, gaps aside."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(x * 2.0)
    data = torch.randn(1 << 27, device="cuda")
    out = torch.empty_like(data)
    fd.execute([data], out=[out])
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    for _ in range(10):
        fd.execute([data], out=[out])
    end.record()
    torch.cuda.synchronize()
    with PythonProfiler() as prof:
        for _ in range(3):
            fd.execute([data], out=[out])
    assert prof.profile.kernel_time_ms == pytest.approx(begin.elapsed_time(end) / 10, rel=0.15)
    assert torch.equal(out, data * 2)


def test_streams_and_captures_smallest():
    """The profile waits when it is read; a captured call has no time and leaves the capture usable."""
    fd, x = two_kernels(), torch.randn(256, 256, device="cuda")
    want = x.exp() + x
    fd.execute([x])
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream), PythonProfiler() as prof:
        (got,) = fd.execute([x])
    assert prof.profile.kernel_profiles[0].stream == stream.cuda_stream
    assert prof.profile.kernel_time_ms > 0
    torch.cuda.synchronize()
    torch.testing.assert_close(got, want)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph), PythonProfiler() as captured:
        (again,) = fd.execute([x])
    again.zero_()
    graph.replay()
    torch.cuda.synchronize()
    torch.testing.assert_close(again, want)
    assert captured.profile.kernel_time_ms == 0 and captured.profile.segments == 2


def test_compiled_ahead_smallest():
    fd = two_kernels()
    fd.prepare([[(33, 65)], [TensorSpec((128, 512), device="cuda:0")]])
    runs, plans = compiler_runs(), fd.executor.plan_count
    for shape in [(33, 65), (128, 512)]:
        x = torch.randn(shape, device="cuda")
        torch.testing.assert_close(fd.execute([x])[0], x.exp() + x)
    assert (compiler_runs(), fd.executor.plan_count) == (runs, plans)


def test_scripts_smallest(tmp_path):
    fd, x = two_kernels(), torch.randn(40, 50, device="cuda")
    want = fd.execute([x], save_repro_inputs=tmp_path / "values")[0]
    script = fd.last_repro_script() + f"\ntorch.save(outputs, {str(tmp_path / 'results.pt')!r})\n"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)
    (got,) = torch.load(tmp_path / "results.pt")
    assert got.device.type == "cuda" and torch.equal(got, want)
    assert "cuda:0: " + torch.cuda.get_device_name(0) in script
