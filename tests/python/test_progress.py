# SPDX-License-Identifier: Apache-2.0
"""The line that long compiles show: on a terminal, erased, turned off by an option; no thread outlives the compile."""

import os
import shutil
import subprocess
import sys
import threading

import pytest

PROGRAM = """
import os
import numpy as np
from nvfuser import FusionDefinition

with FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1], contiguity=[True])
    fd.add_output(fd.ops.tanh(x) * 3.0)
fd.execute([np.ones(8, np.float32)], target="host")
print(len(os.listdir("/proc/self/task")), "threads", flush=True)
"""


def run_on_terminal(tmp_path, program=PROGRAM, **environment):
    """What a program prints and what its error stream, a terminal, shows; a compile there takes two seconds."""
    script = tmp_path / "compiler"
    if not script.exists():
        script.write_text(f'#!/bin/sh\ncase "$*" in *.cpp*) sleep 2;; esac\nexec {shutil.which("c++") or "g++"} "$@"\n')
        script.chmod(0o755)
    variables = os.environ | {"NVFUSER_CXX": str(script), "NVFUSER_CACHE": "0", "NVFUSER_THREADS": "1"} | environment
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=variables, stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    shown = bytearray()

    def read():
        while True:
            try:
                shown.extend(os.read(ours, 4096))
            except OSError:  # the other end is closed
                return

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=120)
    reader.join()
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    return out, shown.decode()


def screen(text):
    """What a line of a terminal holds after it was written to."""
    line = []
    at = 0
    for c in text:
        if c == "\r":
            at = 0
        else:
            line[at : at + 1] = [c]
            at += 1
    return "".join(line).rstrip()


def test_long_compiles_show_and_erase_a_line(tmp_path):
    out, shown = run_on_terminal(tmp_path)
    assert "\rnvfuser: compiling nvf_tanh_mul_0 (host), " in shown
    assert screen(shown) == ""
    assert out == run_on_terminal(tmp_path, NVFUSER_PROGRESS="0")[0]  # as many threads as without the line


def test_an_option_turns_it_off(tmp_path):
    assert run_on_terminal(tmp_path, NVFUSER_PROGRESS="0")[1] == ""


def test_no_line_where_no_terminal_is(tmp_path):
    script = tmp_path / "compiler"
    script.write_text(f'#!/bin/sh\ncase "$*" in *.cpp*) sleep 2;; esac\nexec {shutil.which("c++") or "g++"} "$@"\n')
    script.chmod(0o755)
    variables = os.environ | {"NVFUSER_CXX": str(script), "NVFUSER_CACHE": "0"}
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, timeout=120
    )
    assert (process.returncode, process.stderr) == (0, "")


FORKING = (
    PROGRAM.replace('fd.execute([np.ones(8, np.float32)], target="host")', "")
    + """
import signal, threading, time
def compile_here():
    fd.execute([np.ones(8, np.float32)], target="host")
thread = threading.Thread(target=compile_here)
thread.start()
time.sleep(1.6)  # the line is on the terminal
child = os.fork()
if child == 0:
    with FusionDefinition() as other:
        x = other.define_tensor(shape=[-1], contiguity=[True])
        other.add_output(other.ops.exp(x) * 5.0)
    (got,) = other.execute([np.zeros(8, np.float32)], target="host")
    os._exit(0 if got.tolist() == [5.0] * 8 and len(os.listdir("/proc/self/task")) == 1 else 1)
_, status = os.waitpid(child, 0)
thread.join()
print("child", status)
"""
)


@pytest.mark.filterwarnings("ignore")
def test_a_child_forked_meanwhile_has_a_line_of_its_own(tmp_path):
    out, shown = run_on_terminal(tmp_path, FORKING)
    assert out.endswith("child 0\n")
    assert "nvf_tanh_mul_0 (host), " in shown and "nvf_exp_mul_0 (host), " in shown
    assert screen(shown) == ""
