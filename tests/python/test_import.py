# SPDX-License-Identifier: Apache-2.0
"""Importing nvfuser loads no framework but NumPy, no GPU library, starts no thread and writes nothing."""

import child

REPORT = """
import sys, threading
import nvfuser
roots = {name.partition(".")[0] for name in sys.modules}
print(sorted(roots & {"torch", "cupy", "jax", "jaxlib", "ml_dtypes", "numba", "triton"}))
with open("/proc/self/maps") as maps:
    text = maps.read()
print([name for name in ("libcuda", "libnvrtc", "libcudart", "libnvidia", "libtorch", "libc10") if name in text])
with open("/proc/self/status") as status:
    print([line.split()[1] for line in status if line.startswith("Threads:")])
"""


def test_import_touches_nothing(tmp_path):
    cache = tmp_path / "cache"
    lines = child.output_of(REPORT, NVFUSER_CACHE_DIR=cache, OPENBLAS_NUM_THREADS=1, OMP_NUM_THREADS=1).splitlines()
    assert lines == ["[]", "[]", "['1']"]
    assert not cache.exists()


def test_numpy_calls_import_no_torch():
    program = """
        import sys
        import numpy as np
        import nvfuser
        with nvfuser.FusionDefinition() as fd:
            fd.add_output(fd.define_tensor(shape=[-1], contiguity=True) + 1.0)
        (result,) = fd.execute([np.ones(3, np.float32)])
        print(type(result).__name__, result.tolist(), fd.last_way.name, "torch" in sys.modules)
        with nvfuser.FusionDefinition() as fd:
            fd.add_output(nvfuser.ops.iota(3))
        print(type(fd.execute([], target="evaluator")[0]).__name__, "torch" in sys.modules)
        with open("/proc/self/maps") as maps:
            text = maps.read()
        print("libcuda" in text, "libnvrtc" in text)
    """
    lines = child.output_of(program).splitlines()
    assert lines == ["ndarray [2.0, 2.0, 2.0] host False", "ndarray False", "False False"]


def test_public_names():
    program = """
        import nvfuser
        print(all(hasattr(nvfuser, name) for name in nvfuser.__all__), nvfuser.__version__ == str(nvfuser.version()))
    """
    assert child.output_of(program).split()[0] == "True"
