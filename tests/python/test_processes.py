# SPDX-License-Identifier: Apache-2.0
"""Processes: many on one empty cache, killed ones, forked ones at any moment, spawned ones, interrupted ones."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import child
import pytest
from slow_compiler import SlowCompiler

CROWD = Path(__file__).parents[1] / "crowd.py"
DEFINE = """
import os, sys, threading, time
import numpy as np
import nvfuser
from nvfuser._C import compiler_runs
def scaled(factor):
    with nvfuser.FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x * factor)
    return fd
def works(fd, factor):
    (got,) = fd.execute([np.ones(7, np.float32)])
    return got.tolist() == [factor] * 7 and fd.last_way.name == "host"
def forked(body):
    pid = os.fork()
    if pid == 0:
        import signal
        signal.alarm(100)
        os._exit(0 if body() else 1)
    return os.waitpid(pid, 0)[1]
"""


def crowd(mode, **arguments):
    """The report of tests/crowd.py."""
    options = [f"--{name}={value}" for name, value in arguments.items()]
    run = subprocess.run(
        [sys.executable, str(CROWD), mode, "--json", *options], capture_output=True, text=True, timeout=500, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def test_a_crowd_on_an_empty_cache():
    report = crowd("start", processes=16)
    assert report == {"processes": 16, "right": 16, "results": 1, "compiles": 1, "entries": 2, "left_over": []}


def test_killed_compiles():
    report = crowd("kill", times=8, seed=random.randrange(1 << 30))
    assert report["works"] and report["left_over"] == [], report
    print(f"seed {report['seed']}, killed while the compiler ran {report['compiling']} times of {report['times']}")


# ---- fork and spawn ----


def test_fork_after_import(tmp_path):
    program = DEFINE + "print(forked(lambda: works(scaled(3.0), 3.0)), works(scaled(4.0), 4.0))"
    assert child.output_of(program, NVFUSER_CACHE_DIR=tmp_path).split() == ["0", "True"]


def test_fork_after_calls(tmp_path):
    """The child makes its own worker threads, and its compiles and its parent's go on."""
    program = (
        DEFINE
        + """
fd = scaled(3.0)
large = np.ones(1 << 20, np.float32)
assert works(fd, 3.0) and fd.execute([large])[0].sum() == 3 << 20
def body():
    return works(fd, 3.0) and fd.execute([large])[0].sum() == 3 << 20 and works(scaled(5.0), 5.0)
print(forked(body), forked(lambda: forked(body) == 0), body())
"""
    )
    said = child.output_of(program, NVFUSER_CACHE_DIR=tmp_path, NVFUSER_THREADS=4)
    assert said.split() == ["0", "0", "True"]


def test_fork_while_threads_compile(tmp_path):
    """One thread compiles the program that the child then wants, in the parent's executor and in its own."""
    slow = SlowCompiler(tmp_path)
    program = (
        DEFINE
        + f"""
sys.path.append({str(Path(__file__).parent)!r})
from slow_compiler import SlowCompiler
from pathlib import Path
slow = SlowCompiler(Path({str(tmp_path)!r}))
fd, done = scaled(3.0), []
thread = threading.Thread(target=lambda: done.append(works(fd, 3.0)))
thread.start()
slow.wait()
def body():
    slow.go.touch()
    return works(fd, 3.0) and works(scaled(3.0), 3.0) and works(scaled(5.0), 5.0)
status = forked(body)
thread.join()
print(status, done, works(scaled(6.0), 6.0))
"""
    )
    said = child.output_of(program, NVFUSER_CACHE_DIR=tmp_path / "cache", NVFUSER_CXX=slow.path)
    assert said.strip() == "0 [True] True"


def test_fork_while_threads_call(tmp_path):
    """Children forked in the middle of other threads' calls and new plans find all locks free."""
    program = (
        DEFINE
        + """
fd, stop = scaled(3.0), []
assert works(fd, 3.0)
def call(seed):
    size = 1
    while not stop:
        size = size % 200 + 1 + seed
        assert fd.execute([np.ones(size, np.float32)])[0].sum() == 3 * size
threads = [threading.Thread(target=call, args=(k,)) for k in range(3)]
[thread.start() for thread in threads]
statuses = [forked(lambda: works(fd, 3.0) and fd.execute([np.ones(1000 + k, np.float32)])[0].sum() == 3 * (1000 + k))
            for k in range(20)]
stop.append(1)
[thread.join() for thread in threads]
print(statuses == [0] * 20)
"""
    )
    assert child.output_of(program, NVFUSER_CACHE_DIR=tmp_path).strip() == "True"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(tmp_path, method):
    script = tmp_path / "workers.py"
    script.write_text(
        DEFINE
        + f"""
import multiprocessing
def work(factor):
    return works(scaled(factor), factor)
if __name__ == "__main__":
    assert works(scaled(9.0), 9.0)
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(pool.map(work, [2.0, 3.0, 2.0, 9.0]))
"""
    )
    environment = {**os.environ, "NVFUSER_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, str(script)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[True, True, True, True]"


# ---- Ctrl-C ----

# A parent that runs in the background may have left the signal ignored.
INTERRUPTIBLE = "\nimport signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
INTERRUPTED = (
    INTERRUPTIBLE
    + DEFINE
    + """
fd = scaled(3.0)
try:
    fd.execute([np.ones(7, np.float32)])
    print("no interrupt")
except KeyboardInterrupt:
    print("KeyboardInterrupt", fd.last_way)
open(os.environ["GO"], "w").close()
print(works(fd, 3.0), works(scaled(3.0), 3.0), compiler_runs())
"""
)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def interrupted(tmp_path, program, ready=None):
    """Sends SIGINT when the compile has begun and the file `ready` is there; what the program printed, and the
    compiler's process number."""
    slow, temporary = SlowCompiler(tmp_path), tmp_path / "temporary"
    temporary.mkdir()
    environment = dict(NVFUSER_CACHE_DIR=tmp_path / "cache", NVFUSER_CXX=slow.path, GO=slow.go, TMPDIR=temporary)
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    command = [sys.executable, "-c", child.BOOKS + program]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            compiler = slow.wait()
            while ready is not None and not ready.exists():
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=200)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0
    assert list(temporary.iterdir()) == [] and list((tmp_path / "cache" / "v1" / "tmp").iterdir()) == []
    return said.splitlines(), compiler


def test_an_interrupt_ends_a_compile(tmp_path):
    """The compiler would wait for ever: the call ends, the compiler with it, and the next call compiles."""
    said, compiler = interrupted(tmp_path, INTERRUPTED)
    assert said == ["KeyboardInterrupt None", "True True 2"]
    assert not is_running(compiler)


def test_an_interrupt_reaches_who_waits_for_a_thread(tmp_path):
    """The main thread waits for the plan that another makes; that one goes on."""
    ready = tmp_path / "ready"
    program = INTERRUPTED.replace(
        "try:\n",
        "thread = threading.Thread(target=lambda: works(fd, 3.0))\nthread.start()\n"
        "try:\n    while not os.path.exists(os.environ['GO'][:-2] + 'begun'): time.sleep(0.005)\n"
        f"    open({str(ready)!r}, 'w').close()\n",
    )
    program += "thread.join()\n"
    said, _ = interrupted(tmp_path, program, ready)
    assert said == ["KeyboardInterrupt None", "True True 1"]


def test_a_handler_decides(tmp_path):
    """What a signal's handler raises comes out of the call; a handler that raises nothing lets it go on."""
    program = INTERRUPTED.replace(
        "try:\n",
        "import signal\nopen_go = lambda *_: open(os.environ['GO'], 'w').close()\n"
        "signal.signal(signal.SIGINT, open_go)\ntry:\n",
    )
    said, _ = interrupted(tmp_path, program)
    assert said == ["no interrupt", "True True 1"]


def test_an_interrupt_ends_nvrtc(tmp_path):
    """Whatever NVRTC is at; its front end would end the process.  What is half done is not kept."""
    lines = "".join(f"x = x * {k}.5f + sqrtf(x + {k}.25f);\\n" for k in range(60))
    program = f"""{INTERRUPTIBLE}
import os, signal, threading, time
from nvfuser._C import compile_cubin, compiler_runs
body = '''{lines}'''
text = "".join('extern "C" __global__ void k%d(float* p) {{ float x = p[0];\\n%s p[0] = x; }}\\n' % (k, body)
               for k in range(80))
def send(k):
    while compiler_runs() <= k:
        pass
    time.sleep(0.03 * k)
    os.kill(os.getpid(), signal.SIGINT)
for k in range(5):
    thread = threading.Thread(target=send, args=(k,))
    thread.start()
    try:
        compile_cubin(text + "// %d" % k, 90)
        print("no interrupt")
    except KeyboardInterrupt:
        print("KeyboardInterrupt")
    thread.join()
print(compile_cubin('extern "C" __global__ void k() {{}}', 90) > 0)
"""
    said = child.output_of(program, NVFUSER_CACHE_DIR=tmp_path)
    assert said.split() == ["KeyboardInterrupt"] * 5 + ["True"]
    assert len(list((tmp_path / "v1").glob("*.cubin"))) == 1
