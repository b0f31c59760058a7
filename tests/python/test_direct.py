# SPDX-License-Identifier: Apache-2.0
"""The name of nvFuser's direct API: what programs written for it meet under `import nvfuser_direct`."""

import importlib
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from child import output_of, run_python

import nvfuser
import nvfuser_direct
from nvfuser.absent import ABSENT, ABSENT_MEMBERS
from nvfuser_direct import DataType, FusionDefinition
from nvfuser_direct.nvfuser_direct_version import NvfuserVersion, Version
from nvfuser_direct.pytorch_utils import (
    get_device_properties,
    python_scalar_to_nvfuser_dtype,
    retry_on_oom_or_skip_test,
    torch_dtype_to_nvfuser_dtype,
)

# Everything that the API has at its top level, of which the operations are tested with the operations.
FUNCTIONS = """
translate_fusion compute_tensor_descriptor define_tensor define_scalar validate_with_auto_inferred_outputs
get_val_tolerances get_fusion_profile reset_profiler execute_with_dtensors version LruFusionCache
"""
CLASSES = """
Statement Val Expr IterDomain TensorDomain TensorView Split Merge BroadcastOp ReshapeOp SqueezeOp Fusion FusionGuard
FusionExecutorCache KernelExecutor CompileParams LaunchParams HeuristicParams PointwiseParams ReductionParams
MatmulParams GemmTile MatMulTileOptions CircularBufferOptions SupportedVectorization ClusterDims MmaMacroEncode MmaMacro
KernelProfile FusionProfile PythonProfiler LRUCache FusionDefinition
"""
ENUMS = """
DataType ParallelType SchedulerType LoadStoreOpType MemoryType CacheOp CommunicatorBackend IdMappingMode
MatmulTilingStrategy MatmulBufferingLoopLevel MatmulCircularBufferingStrategy MatmulTileRasterizationOrder MmaMacroArch
"""
SUBMODULES = "ops schedule multidevice idm nvf_cutlass benchmark_utils"
NAMES = (FUNCTIONS + CLASSES + ENUMS + SUBMODULES).split()
MEMBERS = """
ops sched fusion define_tensor define_scalar define_vector add_output from_pytorch execute manual_execute
validate_definition validate manual_validate last_repro_script repro_script_for _get_device_index fec ke
""".split()  # noqa: SIM905


def program():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(fd.ops.mul(x, 2.0))
    return fd


@pytest.mark.parametrize("package", [nvfuser, nvfuser_direct], ids=lambda package: package.__name__)
def test_every_name_is_there_or_says_why_not(package):
    present = [name for name in NAMES if hasattr(package, name)]
    assert not set(present) & set(ABSENT) and set(NAMES) - set(present) <= set(ABSENT)
    assert set(ABSENT) <= set(NAMES) and {"Fusion", "FusionDefinition", "ops"} < set(present)
    print(f"{package.__name__}: {len(present)} of {len(NAMES)} names")
    for name in ABSENT:
        with pytest.raises(AttributeError, match="in this version|of this version|for each dtype|chooses"):
            getattr(package, name)
        with pytest.raises(ImportError, match=name):
            exec(f"from {package.__name__} import {name}")
        assert not hasattr(package, name)
    with pytest.raises(AttributeError, match="has no attribute 'Scalar'$"):
        _ = package.Scalar
    with pytest.raises(ImportError):
        importlib.import_module(f"{package.__name__}.schedule")


def test_members_are_there_or_say_why_not():
    fd = program()
    for name in MEMBERS:
        assert (name in ABSENT_MEMBERS) != hasattr(fd, name)
    with pytest.raises(AttributeError, match="by hand"):
        fd.manual_execute([torch.ones(3)])
    with pytest.raises(AttributeError, match="first execute"):
        _ = fd.fec
    with pytest.raises(AttributeError, match="'typo'$"):
        _ = fd.typo


def test_the_same_classes_and_all_of_them():
    assert set(nvfuser.__all__) == set(nvfuser_direct.__all__)
    own = {"FusionDefinition", "FusionExecutorCache", "LRUCache", "version", "__version__"}
    for name in set(nvfuser.__all__) - own:
        assert getattr(nvfuser, name) is getattr(nvfuser_direct, name)
    for name in own - {"version", "__version__"}:
        assert issubclass(getattr(nvfuser_direct, name), getattr(nvfuser, name))


def test_submodules():
    from nvfuser import ir, ops, runtime
    from nvfuser.ir import TensorView
    from nvfuser.ops import add
    from nvfuser.runtime import LRUCache

    assert TensorView is nvfuser.TensorView and LRUCache is nvfuser.LRUCache and add is nvfuser.ops.add
    assert nvfuser_direct.ops is ops is FusionDefinition.ops
    for module in (ir, runtime):
        assert all(hasattr(module, name) for name in module.__all__)


def test_version():
    assert nvfuser_direct.version() == nvfuser_direct.__version__ == "0.2.36"
    assert isinstance(nvfuser_direct.version(), str)
    assert str(nvfuser_direct.version()) == "0.2.36"
    texts = ["0.2.36", "0.2.36+git12ab", "0.2.36.dev3", "0.2.36rc1", "0.2.36.post1", "0.2.4", "0.10", "1", "1.0.0"]
    for a in texts:
        for b in texts:
            known = (Version(a.partition("+")[0]), Version(b.partition("+")[0]))
            version = NvfuserVersion(a)
            assert (version < b, version <= b, version == b, version > b, version >= b, version != b) == (
                known[0] < known[1],
                known[0] <= known[1],
                known[0] == known[1],
                known[0] > known[1],
                known[0] >= known[1],
                known[0] != known[1],
            )
            assert (version < Version(b)) == (known[0] < Version(b)) or "+" in b
    assert NvfuserVersion("0.2.36") >= (0, 2, 34) and NvfuserVersion("0.2.36") != "main"
    assert hash(NvfuserVersion("1.0")) == hash(NvfuserVersion("1"))
    with pytest.raises(ValueError, match="main"):
        _ = NvfuserVersion("0.2.36") < "main"


def test_importing_loads_no_torch_and_no_packaging():
    program = """
        import sys
        import nvfuser_direct
        from nvfuser_direct.nvfuser_direct_version import NvfuserVersion
        print("torch" in sys.modules, "packaging" in sys.modules, nvfuser_direct.__version__ < "0.2.37")
    """
    assert output_of(program).split() == ["False", "False", "True"]


def test_another_nvfuser_imported_first():
    program = """
        import sys, types
        sys.modules["nvfuser"] = types.ModuleType("nvfuser")
        sys.modules["nvfuser"].__file__ = "/elsewhere/nvfuser/__init__.py"
        import nvfuser_direct
    """
    process = run_python(program)
    assert process.returncode == 1
    assert "ImportError: nvfuser_direct needs the package nvfuser beside it" in process.stderr
    assert "/elsewhere/nvfuser" in process.stderr
    assert (
        output_of("import warnings; warnings.simplefilter('error'); import nvfuser, nvfuser_direct; print(1)") == "1\n"
    )


def test_cpu_tensors_are_refused_as_examples():
    with FusionDefinition() as fd:
        for tensor in (torch.ones(3), np.ones((1, 1))):
            with pytest.raises(ValueError, match="unsupported device cpu, only scalar CPU or CUDA tensors"):
                fd.from_pytorch(tensor)
        scalar = fd.from_pytorch(torch.tensor(2.0, dtype=torch.float64))
        assert scalar.ndim == 0 and scalar.dtype() == DataType.Double
    assert "is_cpu=True" in repr(fd)
    assert "test_direct.py:" in scalar.location()  # the user's line, not this package's


def test_calls():
    fd = program()
    fd.note = "instances take attributes"
    assert fd.note and nvfuser.FusionDefinition().__dict__ is not None
    x = torch.arange(3.0)
    for inputs in ([x], (x,), iter([x])):
        assert fd.execute(inputs, target="evaluator")[0].tolist() == [0, 2, 4]
    options = {"_enable_options": ["fuse_matmul"], "_disable_options": ["matmul_expr_eval"]}
    assert fd.execute([x], device=0, target="evaluator", save_repro_inputs=None, **options)[0].tolist() == [0, 2, 4]
    with pytest.raises(AssertionError, match="save_repro_inputs"):
        fd.last_repro_script()
    fd.execute([x], target="evaluator", save_repro_inputs=True)
    script = fd.last_repro_script()
    assert "from nvfuser_direct import DataType, FusionDefinition" in script and "torch.randn((3,)" in script
    assert nvfuser_direct.translate_fusion(fd.fusion) == repr(fd) in script
    assert output_of(script + "\nprint(len(outputs))").strip() == "1"


def test_wrong_calls():
    fd, x = program(), torch.ones(3)
    with pytest.raises(RuntimeError, match="unknown option 'typo'; known: cutlass_scheduler"):
        fd.execute([x], _enable_options=["typo"])
    with pytest.raises(RuntimeError, match="fma changes results"):
        fd.execute([x], _disable_options=["fma"])
    with pytest.raises(AssertionError, match="CUDA device"):
        fd.execute([x], device="cpu")
    with pytest.raises(NotImplementedError, match="Fusion does not exist!"):
        FusionDefinition().execute([])
    with FusionDefinition() as empty:
        pass
    with pytest.raises(NotImplementedError, match="Fusion is empty!"):
        empty.execute([])
    assert fd._get_device_index(None) is None and fd._get_device_index(1) == 1


def test_executors():
    fd, x = program(), torch.arange(3.0)
    fd.execute([x])
    assert fd.fec.is_compiled([x], device=0) and not fd.fec.is_compiled([x.double()])
    assert fd.fec.fusion() is fd.fusion and fd.fec is fd.fec
    assert fd.fec.get_cuda_kernel([x]) == fd.kernel_text([x])
    with pytest.raises(nvfuser.DefinitionError, match="no kernel is there"):
        fd.fec.get_cuda_kernel([torch.ones(0)])
    cache = nvfuser_direct.LRUCache(4)
    executor = cache.cache_compile(program().fusion)
    assert type(executor) is nvfuser_direct.FusionExecutorCache and cache.num_fusions() == 1
    out = executor.execute((x,), target="evaluator", _enable_options=[])
    assert out[0].tolist() == [0, 2, 4]
    with pytest.raises(nvfuser.ScheduleError, match="by hand"):
        nvfuser_direct.FusionExecutorCache(fd.fusion, auto_schedule=False)


def test_copies_are_of_the_same_package():
    for package in (nvfuser, nvfuser_direct):
        with package.FusionDefinition() as fd:
            fd.add_output(fd.ops.neg(fd.define_tensor(shape=[2], contiguity=True)))
        copy = pickle.loads(pickle.dumps(fd))
        assert type(copy) is package.FusionDefinition and copy.fusion == fd.fusion


def test_dtypes_of_torch_and_python():
    assert torch_dtype_to_nvfuser_dtype(torch.float8_e5m2) == DataType.Float8_e5m2
    assert torch_dtype_to_nvfuser_dtype(bool) == DataType.Bool
    assert [python_scalar_to_nvfuser_dtype(v) for v in (True, 1, 1.0, 1j)] == [
        DataType.Bool,
        DataType.Int,
        DataType.Double,
        DataType.ComplexDouble,
    ]
    with pytest.raises(TypeError, match="quint8"):
        torch_dtype_to_nvfuser_dtype(torch.quint8)
    with pytest.raises(TypeError, match="str"):
        python_scalar_to_nvfuser_dtype("1")


def test_device_properties(monkeypatch):
    from nvfuser_direct import pytorch_utils

    assert (pytorch_utils.DEVICE_PROPERTIES is None) == (not torch.cuda.is_available())
    h200 = SimpleNamespace(
        name="NVIDIA H200",
        major=9,
        minor=0,
        total_memory=1,
        multi_processor_count=132,
        shared_memory_per_block=49152,
        clock_rate=1980000,
        L2_cache_size=62914560,
        memory_clock_rate=3201000,
        memory_bus_width=6016,
        max_threads_per_multi_processor=2048,
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: h200)
    get_device_properties.cache_clear()
    found = get_device_properties()
    get_device_properties.cache_clear()
    assert len(found) == 14 and found["gpu_name"] == "NVIDIA H200" and found["gpu_sm_count"] == 132
    assert found["gpu_peak_bandwidth_gbps"] == pytest.approx(4814.3, abs=0.1)


def test_a_test_out_of_memory_runs_again_or_is_skipped():
    calls = []

    @retry_on_oom_or_skip_test
    def fails(times):
        calls.append(times)
        if len(calls) <= times:
            raise torch.OutOfMemoryError

    fails(1)
    assert len(calls) == 2
    calls.clear()
    with pytest.raises(pytest.skip.Exception):
        fails(2)
