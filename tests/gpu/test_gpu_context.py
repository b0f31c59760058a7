# SPDX-License-Identifier: Apache-2.0
"""The current device and context are after every call what they were before; threads and processes with a GPU."""

import ctypes
import subprocess
import sys
import threading

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from nvfuser import FusionDefinition, NvfError  # noqa: E402

cuda = ctypes.CDLL("libcuda.so.1")
DEVICES = range(torch.cuda.device_count())


def current():
    """The driver's current context and torch's current device."""
    context = ctypes.c_void_p()
    assert cuda.cuCtxGetCurrent(ctypes.byref(context)) == 0
    return context.value, torch.cuda.current_device()


def scaled(factor):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x * factor)
    return fd


@pytest.mark.parametrize("chosen", DEVICES)
@pytest.mark.parametrize("device", DEVICES)
def test_current_device_and_context_stay(chosen, device):
    """A new plan, a warm call, `out`, and a call that is refused; tensors on the current device and on another."""
    torch.cuda.set_device(chosen)
    x = torch.arange(1000.0, device=f"cuda:{device}")
    out = torch.empty_like(x)
    torch.cuda.synchronize(device)
    before, fd = current(), scaled(3.0 + chosen)
    assert before[0] is not None and before[1] == chosen
    for _ in range(3):
        (got,) = fd.execute([x])
        assert current() == before
        assert got.device == x.device
    fd.execute([x], out=[out])
    assert current() == before
    with pytest.raises(NvfError):
        fd.execute([x], out=[torch.empty(7, device=x.device)])
    assert current() == before
    torch.cuda.synchronize(device)
    assert torch.equal(got, x * (3.0 + chosen)) and torch.equal(out, got)
    torch.cuda.set_device(0)


def test_a_context_of_the_callers_stays():
    """One that is no device's primary context, above which ours must not stay on the stack."""
    x = torch.arange(1000.0, device="cuda:0")
    out, fd = torch.empty_like(x), scaled(5.0)
    fd.execute([x], out=[out])
    torch.cuda.synchronize()
    primary = current()[0]
    own, popped = ctypes.c_void_p(), ctypes.c_void_p()
    assert cuda.cuCtxCreate_v2(ctypes.byref(own), 0, 0) == 0
    try:
        now = ctypes.c_void_p()
        for _ in range(3):
            fd.execute([x], out=[out])
            assert cuda.cuCtxGetCurrent(ctypes.byref(now)) == 0 and now.value == own.value
    finally:
        assert cuda.cuCtxPopCurrent_v2(ctypes.byref(popped)) == 0
        cuda.cuCtxDestroy_v2(own)
    assert popped.value == own.value and current()[0] == primary
    torch.cuda.synchronize()
    assert torch.equal(out, x * 5.0)


def test_threads_launch_on_devices_and_streams_of_their_own():
    """32 threads, 1,000 calls each, two programs, every device, a stream a thread."""
    programs = [(3.0, scaled(3.0)), (4.0, scaled(4.0))]
    errors = []

    def work(k):
        try:
            device = k % len(DEVICES)
            torch.cuda.set_device(device)
            x = torch.full((100 + k,), float(k), device=f"cuda:{device}")
            torch.cuda.synchronize()
            with torch.cuda.stream(torch.cuda.Stream()):
                before = current()
                for n in range(1000):
                    factor, fd = programs[(n + k) % 2]
                    (got,) = fd.execute([x])
                    if n % 100 == 0 and not torch.equal(got, x * factor):
                        errors.append((k, n))
                assert current() == before
                torch.cuda.current_stream().synchronize()
        except BaseException as error:
            errors.append((k, repr(error)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_spawned_workers_use_the_gpu(tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(
        "import multiprocessing, torch, nvfuser\n"
        "def work(factor):\n"
        "    with nvfuser.FusionDefinition() as fd:\n"
        "        fd.add_output(fd.define_tensor(shape=[-1], contiguity=True) * factor)\n"
        "    return fd.execute([torch.ones(5, device='cuda')])[0].tolist() == [factor] * 5\n"
        "if __name__ == '__main__':\n"
        "    assert work(9.0)\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(pool.map(work, [2.0, 3.0, 2.0]))\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0 and run.stdout.strip() == "[True, True, True]", run.stderr
