# SPDX-License-Identifier: Apache-2.0
"""Holds a built wheel against what it promises: its tag, size, files and libraries; then installs it for every CPython
found from 3.10 on and runs a fusion there.  Says which versions are not on this machine.  Status 1 on any finding."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

MAX_BYTES = 5_000_000
TAG = re.compile(r"nvfuser-[\d.]+-cp310-abi3-manylinux_(\d+)_(\d+)_(x86_64|aarch64)\.whl")
FILES = re.compile(
    r"nvfuser/(\w+\.py|py\.typed|_C\.abi3\.so|_C/(__init__|ops)\.pyi)"
    r"|nvfuser_direct/(\w+\.py|py\.typed)|nvfuser-[\d.]+\.dist-info/.*"
)
REQUIRED = {f"nvfuser/{name}" for name in ("__init__.py", "py.typed", "_C.abi3.so", "_C/__init__.pyi", "_C/ops.pyi")}
REQUIRED |= {f"nvfuser_direct/{name}" for name in ("__init__.py", "py.typed")}
LIBRARIES = re.compile(r"(libc|libm|libgcc_s|libpthread|libdl|ld-linux[-\w]*)\.so\.\d+")
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

PROGRAM = """
import sys
import numpy as np
import nvfuser

with nvfuser.FusionDefinition() as fd:
    fd.add_output(fd.ops.relu(fd.define_tensor(shape=[-1], contiguity=True) * 2.0))
(y,) = fd.execute([np.array([-1.0, 3.0], np.float32)])
assert y.tolist() == [0.0, 6.0], y

import nvfuser_direct

assert nvfuser_direct.Fusion is nvfuser.Fusion and nvfuser_direct.version() == "0.2.36"
try:
    fd.execute([np.zeros((2, 2), np.float32)])
except nvfuser.NvfError:
    pass
else:
    raise AssertionError("a wrong rank went through")
with open("/proc/self/maps") as maps:
    loaded = maps.read()
assert not [name for name in ("libcuda", "libnvrtc", "libtorch") if name in loaded], loaded
assert "torch" not in sys.modules
print(".".join(map(str, sys.version_info[:3])))
"""

TYPED_PROGRAM = """
import numpy as np
import nvfuser
from nvfuser import DataType, FusionDefinition, TensorView

with FusionDefinition() as fd:
    x: TensorView = fd.define_tensor(shape=[-1], contiguity=[True], dtype=DataType.Float)
    y: nvfuser.Val = fd.ops.relu(x + 1.0) * 2.0
    error: type[RuntimeError] = nvfuser.ShapeError
result: list[np.ndarray] = fd.execute([np.ones(3, np.float32), 2.0])
from nvfuser_direct import version

text: str = version()
"""


def output_of(*command: object, **variables: str) -> str:
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **variables})
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def file_findings(wheel: Path) -> list[str]:
    found = [] if TAG.fullmatch(wheel.name) else [f"{wheel.name}: not tagged cp310-abi3-manylinux"]
    if wheel.stat().st_size > MAX_BYTES:
        found.append(f"{wheel.name}: {wheel.stat().st_size} bytes, at most {MAX_BYTES}")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    found += [f"superfluous: {name}" for name in sorted(names) if not FILES.fullmatch(name)]
    return found + [f"missing: {name}" for name in sorted(REQUIRED - names)]


def library_findings(wheel: Path, folder: Path) -> list[str]:
    module = zipfile.ZipFile(wheel).extract("nvfuser/_C.abi3.so", folder)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-d", module))
    print("links to", ", ".join(needed))
    exported = [line.split()[-1] for line in output_of("nm", "-D", "--defined-only", module).splitlines()]
    found = [f"links to {name}" for name in needed if not LIBRARIES.fullmatch(name)]
    found += [f"exports {name}" for name in exported if name != "PyInit__C"]
    binary = Path(module).read_bytes()
    places = {str(Path.cwd()), str(Path.home()), sys.prefix} - {"/"}
    return found + [f"holds the path {place} of this machine" for place in places if place.encode() in binary]


def interpreters() -> dict[str, Path]:
    """Version -> CPython; this one first, then those of the path and of pyenv."""
    folders = [Path(sys.executable).parent, *(Path(entry) for entry in os.get_exec_path())]
    candidates = [folder / f"python{version}" for folder in folders for version in VERSIONS]
    candidates += sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python"), reverse=True)
    question = "import platform as p, venv; print(p.python_implementation(), *p.python_version_tuple()[:2])"
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": Path(sys.executable)}
    for candidate in candidates:
        if candidate.exists():
            done = subprocess.run([candidate, "-c", question], capture_output=True, text=True)
            words = done.stdout.split()
            if done.returncode == 0 and words[0] == "CPython":
                found.setdefault(".".join(words[1:]), candidate)
    return found


def run_on(python: Path, wheel: Path, folder: Path) -> str:
    output_of(python, "-m", "venv", "--without-pip", folder)
    own = folder / "bin" / "python"
    output_of(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", own, "install", "-q", wheel)
    return output_of(own, "-I", "-c", PROGRAM, NVFUSER_CACHE_DIR=str(folder / "cache")).strip()


def interpreter_findings(wheel: Path, folder: Path) -> list[str]:
    found, known = [], interpreters()
    for version in VERSIONS:
        if version not in known:
            print(f"CPython {version}: not on this machine")
            continue
        try:
            print(f"CPython {run_on(known[version], wheel, folder / version)}: installed, runs")
        except RuntimeError as error:
            found.append(f"CPython {version}: {error}")
    return found


def type_findings(folder: Path) -> list[str]:
    """mypy on a user's program, against the wheel installed for this Python."""
    program = folder / "program.py"
    program.write_text(TYPED_PROGRAM)
    own = folder / f"{sys.version_info[0]}.{sys.version_info[1]}" / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--config-file=",
        "--python-executable",
        own,
    ]
    try:
        output_of(*command, program)
    except RuntimeError as error:
        return [str(error)]
    print("mypy --strict on a user's program: clean")
    return []


def main() -> int:
    wheel = Path(sys.argv[1]).resolve()
    folder = Path(tempfile.mkdtemp(prefix="nvfuser-wheel-"))
    try:
        print(f"{wheel.name}: {wheel.stat().st_size} bytes")
        findings = file_findings(wheel) + library_findings(wheel, folder)
        findings += interpreter_findings(wheel, folder) + type_findings(folder)
    finally:
        shutil.rmtree(folder)
    for finding in findings:
        print(finding)
    print(f"wheel: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
