#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds targets of the project with the tests among them: build.sh FOLDER JOBS TARGET... [-- CMAKE OPTION...].
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
folder=$1 jobs=$2 targets=()
shift 2
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  targets+=("$1")
  shift
done
options=("${@:2}" -DNVFUSER_TESTS=ON)
[ -e "$folder/CMakeCache.txt" ] || options+=(-G Ninja -DPython_EXECUTABLE="$(command -v python)")
mkdir -p "$folder"
cmake -S . -B "$folder" "${options[@]}" > "$folder/configure.log" || { cat "$folder/configure.log"; exit 1; }
cmake --build "$folder" -j "$jobs" --target "${targets[@]}"
