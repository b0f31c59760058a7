# SPDX-License-Identifier: Apache-2.0
"""Scripts that repeat calls run in a process of their own and give the results of the call."""

import sys

import numpy as np
import pytest
from child import output_of

from nvfuser import DataType, FusionDefinition, FusionExecutorCache, tensors
from nvfuser._C import set_option

torch = pytest.importorskip("torch")


def program(*examples, scalars=()):
    """The sum of all inputs in float64, and the first input doubled."""
    with FusionDefinition() as fd:
        values = [
            fd.define_tensor(
                shape=[1 if size == 1 else -1 for size in example.shape],
                contiguity=[None if size == 1 else False for size in example.shape],
                dtype=tensors.data_type_of(example.dtype),
            )
            for example in examples
        ]
        numbers = [fd.define_scalar(dtype=dtype) for dtype in scalars]
        total = fd.ops.cast(values[0], DataType.Double)
        for value in [*values[1:], *numbers]:
            total = total + fd.ops.cast(value, DataType.Double)
        fd.add_output(total)
        fd.add_output(values[0] + values[0])
    return fd


def as_numbers(outputs):
    return [np.asarray(torch.as_tensor(out).double()) for out in outputs]


def run_script(script, tmp_path):
    """The outputs of a script that runs in a process of its own."""
    path = tmp_path / "results.npz"
    save = (
        "\nimport numpy, torch\n"
        f"numpy.savez({str(path)!r}, *[numpy.asarray(torch.as_tensor(out).double()) for out in outputs])\n"
    )
    output_of(script + save)
    saved = np.load(path)
    return [saved[name] for name in saved.files]


def torch_inputs():
    base = torch.randn(3, 40)
    return [
        base[:, 1:31:3],  # strided, at an address that is aligned to its element alone
        torch.randn(10, 3, dtype=torch.float16).t(),
        torch.randn(1, 10, dtype=torch.bfloat16).expand(3, 10),
        torch.randint(-5, 5, (3, 10), dtype=torch.int32),
        torch.rand(3, 10) > 0.5,
        torch.rand(3, 10).to(torch.float8_e4m3fn),
        torch.tensor(2.5),
    ]


def numpy_inputs():
    base = np.random.default_rng(1).standard_normal((3, 40)).astype(np.float32)
    return [
        base[:, 31:1:-3],
        base.astype(np.float64)[::-1, 4:14],
        np.broadcast_to(base[0, :10], (3, 10)),
        np.arange(30, dtype=np.int64).reshape(3, 10),
        base[:, :10] > 0,
        np.float32([[1.5]]),
    ]


@pytest.mark.parametrize("target", [None, "emulator", "evaluator"])
@pytest.mark.parametrize("make", [torch_inputs, numpy_inputs])
def test_a_call_with_its_values(make, target, tmp_path):
    """The script's tensors are the call's: values, layouts, and so the kernel."""
    inputs = make()
    fd = program(*inputs)
    expected = fd.execute(inputs, target=target, save_repro_inputs=tmp_path / "values")
    script = fd.last_repro_script()
    for got, want in zip(run_script(script, tmp_path), as_numbers(expected), strict=True):
        np.testing.assert_array_equal(got, want)
    scope = {}
    exec(script, scope)
    assert scope["fd"].fusion.same_definition(fd.fusion)
    assert scope["fd"].plan_text(scope["inputs"], target=target) == fd.plan_text(inputs, target=target)
    for made, given in zip(scope["inputs"], inputs, strict=True):
        assert type(made) is type(given) and made.shape == given.shape and made.dtype == given.dtype


@pytest.mark.parametrize("make", [torch_inputs, numpy_inputs])
def test_a_call_described(make, tmp_path):
    """Values from a fixed seed; the same results here and there, with scalars that have no plain literal."""
    inputs = [*make(), float("inf"), 3]
    fd = FusionExecutorCache(program(*inputs[:-2], scalars=(DataType.Double, DataType.Int)).fusion)
    script = fd.repro_script_for(inputs)
    assert "saved" not in script and 'float("inf")' in script
    scope = {}
    exec(script, scope)
    results = run_script(script, tmp_path)
    for got, want in zip(results, as_numbers(fd.execute(scope["inputs"])), strict=True):
        np.testing.assert_array_equal(got, want)
    assert np.isfinite(results[1]).all()
    fd.execute(inputs)
    assert fd.is_compiled(inputs)
    plans = fd.executor.plan_count
    fd.execute(scope["inputs"])
    assert fd.executor.plan_count == plans  # equal in every fact


def test_the_last_call_may_have_failed():
    fd = program(np.ones((2, 3), np.float32))
    with pytest.raises(AssertionError, match="save_repro_inputs"):
        fd.last_repro_script()
    fd.execute([np.ones((2, 3), np.float32)], target="evaluator", save_repro_inputs=None)
    with pytest.raises(AssertionError, match="save_repro_inputs"):
        fd.last_repro_script()
    with pytest.raises(RuntimeError):
        fd.execute([np.ones((2, 3, 4), np.float32)], target="evaluator", save_repro_inputs=True)
    script = fd.last_repro_script()
    assert "rng.standard_normal((2, 3, 4)).astype(np.float32)" in script
    assert script.endswith('outputs = fd.execute(inputs, target="evaluator")\n')
    with pytest.raises(RuntimeError, match="rank"):
        exec(script, {})


def test_options_and_emulator_settings():
    fd = program(np.ones((2, 3), np.float32))
    set_option("withhold", "exact")
    try:
        script = fd.repro_script_for([np.ones((2, 3), np.float32)], target="emulator", schedule_for="A100")
    finally:
        set_option("withhold", "")
    assert "os.environ['NVFUSER_WITHHOLD'] = 'exact'" in script
    assert 'target="emulator", schedule_for="A100")' in script
    assert script.index("os.environ") < script.index("from nvfuser import")


def test_without_inputs():
    """The definition alone, which runs."""
    fd = program(np.ones((2, 3), np.float32))
    script = fd.repro_script_for()
    scope = {}
    exec(script, scope)
    assert scope["fd"].fusion.same_definition(fd.fusion)
    assert "execute" not in script
    assert script.startswith("# nvfuser ") and f"Python {sys.version.split()[0]}" in script
