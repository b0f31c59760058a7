# SPDX-License-Identifier: Apache-2.0
"""Builds the two columns: the sources of python/bindings/ against nanobind and, unchanged but for the casters, against
pybind11.

Both link the same whole core library with the same flags; a third module holds the core alone.  Nothing is taken from a
cache of compiles; build times are processor time.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nanobind
import pybind11

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMPILER = os.environ.get("CXX", "g++")
FLAGS = (
    "-std=c++20 -O2 -DNDEBUG -flto -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -fno-stack-protector"
)
LINK = "-O2 -flto=1 -fPIC -shared -s -static-libstdc++ -Wl,--as-needed"
# The backend of the split mode is what the product uses; older_glibc.cpp names symbols in assembler, which LTO loses.
OF_NANOBIND = ["-DNB_BACKEND_MODULE=nanobind_backend", "-DNB_BACKEND_PYPI=nanobind-backend", "-DNB_DOMAIN=nvfuser"]
OF_NANOBIND.append("-DPy_LIMITED_API=0x30a0000")
LEFT_OUT = {"older_glibc"}
COLUMNS = ("nanobind", "pybind11")


def timed(command: list[str]) -> float:
    """Runs a command; seconds of processor time that it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def copy_sources(column: str, work: Path) -> list[Path]:
    """The product's binding sources; for the twin with its casters, and its header in place of nanobind's."""
    folder = work / column / "bindings"
    shutil.copytree(ROOT / "python/bindings", folder)
    if column == "pybind11":
        shutil.copy(HERE / "casters.h", folder)
        named = {
            name for path in folder.iterdir() for name in re.findall(r"#include <(nanobind/[^>]+)>", path.read_text())
        }
        for name in named:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text('#include "over_pybind11.h"\n')
    shutil.copy(HERE / "probe.cpp", folder)
    return [path for path in sorted(folder.glob("*.cpp")) if path.stem not in LEFT_OUT]


def include_flags(column: str, work: Path) -> list[str]:
    common = [f"-I{sysconfig.get_path('include')}", f"-I{ROOT / 'src'}", '-DNVFUSER_VERSION="0"']
    if column == "nanobind":
        return [*OF_NANOBIND, f"-I{nanobind.include_dir()}", *common]
    return [f"-I{work / column / 'bindings'}", f"-I{HERE}", f"-I{pybind11.get_include()}", *common]


def exports(work: Path) -> Path:
    script = work / "exports.map"
    script.write_text("{ global: PyInit__C; nvfuser_line_ns; nvfuser_exchange_ns; local: *; };\n")
    return script


def link(objects: list[Path], module: Path, library: Path, work: Path) -> float:
    whole = ["-Wl,--whole-archive", str(library), "-Wl,--no-whole-archive", "-ldl"]
    script = f"-Wl,--version-script={exports(work)}"
    return timed([COMPILER, *LINK.split(), script, "-o", str(module), *map(str, objects), *whole])


def compile_all(column: str, work: Path) -> tuple[list[Path], float]:
    """Objects, and seconds of processor time of all compilers."""
    sources = copy_sources(column, work)
    objects = [work / column / f"{path.stem}.o" for path in sources]
    flags = [*FLAGS.split(), *include_flags(column, work)]
    commands = [[COMPILER, *flags, "-c", str(s), "-o", str(o)] for s, o in zip(sources, objects, strict=True)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: subprocess.run(command, check=True), commands))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return objects, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def build(library: Path, work: Path) -> dict[str, dict[str, float]]:
    """Modules as packages in work/site-<column>; their sizes and the seconds that they took."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    core = work / "core.so"
    timed([COMPILER, *FLAGS.split(), "-c", str(HERE / "core.cpp"), "-o", str(work / "core.o")])
    core_link = link([work / "core.o"], core, library, work)
    figures = {}
    for column in COLUMNS:
        package = work / f"site-{column}" / "nvfuser"
        shutil.copytree(ROOT / "python/nvfuser", package, ignore=shutil.ignore_patterns("__pycache__"))
        started = time.monotonic()
        objects, seconds = compile_all(column, work)
        suffix = ".abi3.so" if column == "nanobind" else sysconfig.get_config_var("EXT_SUFFIX")
        linking = link(objects, package / f"_C{suffix}", library, work)
        figures[column] = {
            "extension_bytes": (package / f"_C{suffix}").stat().st_size,
            "core_bytes": core.stat().st_size,
            "compile_seconds": seconds,
            "link_seconds": linking,
            "core_link_seconds": core_link,
            "wall_seconds": time.monotonic() - started,
        }
    return figures
