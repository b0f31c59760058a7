#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the wheel in the build tree: wheel.sh FOLDER leaves FOLDER/wheel/nvfuser-*.whl.  Shows the steps of the build as
# they end, and all that was said when it fails (FOLDER/wheel.log).
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
folder=$1
rm -rf "$folder/wheel"
python -m pip --disable-pip-version-check wheel -v --no-build-isolation --no-deps -w "$folder/wheel" . 2>&1 |
  tee "$folder/wheel.log" | { grep --line-buffered -oE '^ *\[[0-9]+/[0-9]+\] .*' || true; } ||
  { grep -v '^ *\[' "$folder/wheel.log" | tail -60; exit 1; }
