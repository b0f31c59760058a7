# SPDX-License-Identifier: Apache-2.0
"""The compiler of the fuzzers, a script around the machine's: results that have one value on every machine, and units
that compile in a third of the time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Without fused multiply-add, which AVX-512 has too, and without functions of constants folded at compile time, which
# round otherwise than the mathematical library.
EXACT = "-mno-fma -mno-avx512f -frounding-math"

PLAIN = """#!/bin/sh
exec {compiler} "$@" {flags}
"""

# One level of optimisation less (the last one given holds), and the device headers precompiled when the first unit of a
# flavor comes; units that come before that is done parse them.
QUICK = """#!/bin/sh
headers='' options='' level='' include='' before=''
for word in "$@"; do
  case "$before $word" in
    '-I '*) headers=$word ;;
    '-o '* | *' -I' | *' -o' | *' -shared' | *.cpp) ;;
    *' -O3') level=-O1 ;;
    *' -O1') level=-O0 ;;
    *) options="$options $word" ;;
  esac
  before=$word
done
if [ -n "$headers" ]; then
  made={folder}/$(basename "$headers")
  if mkdir "$made" 2>/dev/null; then
    for name in types convert math memory; do echo "#include \\"rt/$name.h\\""; done > "$made/all.h"
    {compiler} $options {flags} $level -I "$headers" -x c++-header "$made/all.h" -o "$made/all.tmp" &&
      mv "$made/all.tmp" "$made/all.h.gch"
  fi
  [ -e "$made/all.h.gch" ] && include="-include $made/all.h"
fi
exec {compiler} "$@" {flags} $level $include
"""


def write_compiler(folder: str, *, exact: bool, quick: bool) -> str:
    """Path of a script in that folder which compiles with the flags that the library gives it, changed so."""
    compiler = os.environ.get("NVFUSER_CXX") or shutil.which("c++") or shutil.which("g++") or "clang++"
    script = Path(folder) / ("quick" if quick else "plain")
    text = (QUICK if quick else PLAIN).replace("{compiler}", compiler).replace("{folder}", folder)
    # Processes that share the folder write the same; none sees a part of it.
    draft = script.with_suffix(f".{os.getpid()}")
    draft.write_text(text.replace("{flags}", EXACT if exact else ""))
    draft.chmod(0o755)
    draft.rename(script)
    return str(script)
