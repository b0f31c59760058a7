#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds the machine against what a build needs beyond pip: Python 3.10 with venv and headers, g++ 12, and with the
# argument `gtest` GoogleTest.  Installs what is missing where apt-get and the rights for it are there; otherwise says how.
set -euo pipefail
python=${PYTHON:-python3} cxx=${CXX:-g++}
missing=()

if ! command -v "$python" > /dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "Python 3.10 or newer is needed: install it (Debian: apt-get install python3), or name one with PYTHON=..." >&2
  exit 1
fi
"$python" -c 'import ensurepip, venv' 2> /dev/null || missing+=(python3-venv)
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' ||
  missing+=(python3-dev)
command -v "$cxx" > /dev/null || missing+=(g++)
if [ "${1:-}" = gtest ]; then
  found=$(echo '#include <gtest/gtest.h>' | "$cxx" -E -x c++ - 2> /dev/null > /dev/null && echo yes || true)
  [ "$found" = yes ] || missing+=(libgtest-dev)
fi

if [ ${#missing[@]} -gt 0 ]; then
  echo "missing: ${missing[*]}"
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  if ! command -v apt-get > /dev/null || { [ "$(id -u)" != 0 ] && ! sudo -n true 2> /dev/null; }; then
    echo "install them first (Debian: apt-get install ${missing[*]})" >&2
    exit 1
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
if ! "$cxx" --version | grep -qi clang && [ "$("$cxx" -dumpversion | cut -d. -f1)" -lt 12 ]; then
  echo "g++ 12 or newer is needed, $cxx is $("$cxx" -dumpversion): install g++-12, then set CXX=g++-12" >&2
  exit 1
fi
