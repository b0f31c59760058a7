# SPDX-License-Identifier: Apache-2.0
"""A compiler that tells that it has begun and goes on only when it is told to: compiles as long as a test wants."""

import shutil
import time


class SlowCompiler:
    """`path` is a program for NVFUSER_CXX; files in `folder` are its signals."""

    def __init__(self, folder):
        self.path, self.begun, self.go = folder / "slow-c++", folder / "begun", folder / "go"
        real = shutil.which("c++") or shutil.which("g++")
        self.path.write_text(
            f'#!/bin/sh\ncase " $* " in *" -dM "*) ;; *)\necho $$ >> {self.begun}\n'
            f'while [ ! -e {self.go} ]; do sleep 0.01; done;; esac\nexec {real} "$@"\n'
        )
        self.path.chmod(0o755)

    def runs(self):
        """Process numbers of the compiles that have begun."""
        return [int(line) for line in self.begun.read_text().split()] if self.begun.exists() else []

    def wait(self):
        """Until a compile has begun; its process number.  Fails where none begins."""
        end = time.monotonic() + 200
        while not self.runs():
            assert time.monotonic() < end, "no compile has begun"
            time.sleep(0.005)
        return self.runs()[0]
