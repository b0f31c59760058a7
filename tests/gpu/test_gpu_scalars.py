# SPDX-License-Identifier: Apache-2.0
"""CPU tensors without axes in calls on a GPU: their values are kernel arguments."""

import re

import pytest

torch = pytest.importorskip("torch")

import nvfuser  # noqa: E402
from nvfuser import FusionDefinition, ops  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def scaled(is_cpu):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        s = fd.define_tensor(shape=[], is_cpu=is_cpu)
        fd.add_output(ops.exp(x) * s)
    return fd


@pytest.mark.parametrize("is_cpu", [True, False])
def test_the_value_is_read_at_the_call(is_cpu):
    fd = scaled(is_cpu)
    x, s = torch.rand(1000, device="cuda"), torch.tensor(2.0)
    for factor in (2.0, -3.0):
        s.fill_(factor)
        (got,) = fd.execute([x, s])
        s.fill_(77.0)  # after the launch
        assert got.device == x.device
        torch.testing.assert_close(got, x.exp() * factor)
    text = fd.kernel_text([x, s])
    assert re.search(r"rt::float32 s0\b", text) and not re.search(r"\bin1\b", text)


def test_one_fusion_takes_both():
    """Not defined as a CPU scalar: a tensor of the GPU is read through its pointer, one of the CPU comes by value."""
    fd = scaled(False)
    x = torch.rand(1000, device="cuda")
    for s in (torch.tensor(2.0), torch.tensor(3.0, device="cuda"), torch.tensor(4.0)):
        torch.testing.assert_close(fd.execute([x, s])[0], x.exp() * s.item())
    assert re.search(r"\bin1\b", fd.kernel_text([x, torch.tensor(3.0, device="cuda")]))


def test_no_copies():
    fd = scaled(False)
    x, s = torch.rand(1000, device="cuda"), torch.tensor(2.0)
    fd.execute([x, s])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        fd.execute([x, s])
        torch.cuda.synchronize()
    assert not [event.key for event in profile.key_averages() if "memcpy" in event.key.lower()]


def test_devices_are_named():
    x, s = torch.rand(10, device="cuda"), torch.tensor(2.0, device="cuda")
    with pytest.raises(
        nvfuser.DeviceError, match=r"Expected input 1, T1.*, on the cpu, .* on cuda:0 \(.*test_gpu_scal"
    ):
        scaled(True).execute([x, s])
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        s = fd.define_tensor(shape=[])
        fd.add_output(s + 1.0, s)
        fd.add_output(x * s)
    with pytest.raises(nvfuser.DeviceError, match="output 0, T2.*, cannot be written into input 1.* is on cpu"):
        fd.execute([torch.rand(10, device="cuda"), torch.tensor(2.0)])
