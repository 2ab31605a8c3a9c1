#!/usr/bin/env bash
# Runs a fuzz target that the preset `fuzz` has built: tools/fuzz.sh schedule 600. Starts from the known
# inputs; what it learns stays in build/fuzz/corpus. An input that breaks the target is kept in
# tests/fuzz/corpus, where every test run tries it from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?usage: tools/fuzz.sh TARGET [SECONDS]}
seconds=${2:-60}
learnt=build/fuzz/corpus/$target
known=tests/fuzz/corpus/$target
mkdir -p "$learnt" "$known"

# libFuzzer takes one input a file.
seeds=tests/fuzz/seeds/$target.txt
if [ -f "$seeds" ]; then
  split -l 1 -a 5 --filter='head -c -1 >"$FILE"' "$seeds" "$learnt/seed-"
fi
exec "build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$known/" "$learnt" "$known"
