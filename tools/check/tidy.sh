#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the library, on as many processors as JOBS says.  Prints findings alone.
set -uo pipefail
cd "$(dirname "$0")/../.."
findings=$(git ls-files -z 'src/*.cpp' |
  xargs -0 -P "${JOBS:-$(nproc)}" -n 4 clang-tidy -p build --quiet 2> /dev/null)
status=$?
[ -z "$findings" ] || printf '%s\n' "$findings"
[ $status = 0 ] && [ -z "$findings" ]
