#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formatters and linters over the tracked sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
git ls-files '*.cpp' '*.h' | xargs -r clang-format --dry-run -Werror
ruff format --check python tests benchmarks examples tools
ruff check python tests benchmarks examples tools
python tools/check/layers.py
