#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All fuzzers in turn: fuzz.sh --seconds SECONDS --seed SEED.  The defects in kernels are always the same and run once;
# random schedules and random graphs share what is left of the time, each at least one round.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=$2 seed=$4 failed=0 round=250
now() { date +%s; }
end=$(($(now) + seconds))

build/fuzz_mutants || failed=1
middle=$(($(now) + (end - $(now)) / 2)) first=$seed
while :; do
  build/fuzz_schedules --count $round --seed "$first" || failed=1
  first=$((first + round))
  [ "$(now)" -lt $middle ] || break
done
rest=$((end - $(now)))
.venv/bin/python tests/fuzz/graphs.py --seconds $((rest > 1 ? rest : 1)) --seed "$seed" || failed=1
exit $failed
