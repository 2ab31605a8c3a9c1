#!/usr/bin/env bash
# The deeper checks of `make check`, after `make test`: format, clang-tidy and clang's warnings,
# ASan+UBSan, TSan. Each prints what it found; the first that fails ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}

step() { printf '\n== %s\n' "$*"; }

step "format"
git ls-files '*.cc' '*.h' | xargs clang-format-19 --dry-run --Werror

step "clang-tidy"
cmake --preset tsan >/dev/null
# The files of a module together, as they are compiled: most of its time goes into their headers.
together=$(find build/tsan/src -name 'unity_*.cxx')
alone=$(git ls-files 'src/*.cc' | grep -v '_test\.cc$' |
  while read -r file; do grep -qF "/$file\"" $together || echo "$file"; done)
printf '%s\n' $together $alone | xargs -P "$jobs" -n 1 clang-tidy-19 -p build/tsan --quiet --warnings-as-errors='*'

step "fuzz: a minute of each target"
cmake --preset fuzz >/dev/null
targets=$(basename -s .cc tests/fuzz/fuzz_*.cc)
cmake --build build/fuzz -j "$jobs" --target $targets
printf '%s\n' $targets | sed s/^fuzz_// | xargs -P "$jobs" -I{} tools/fuzz.sh {} 60

# tsan is built by clang: its warnings and its thread-safety analysis end the build.
for sanitizer in asan tsan; do
  step "$sanitizer"
  cmake --preset "$sanitizer" >/dev/null
  cmake --build "build/$sanitizer" -j "$jobs"
  # The crash audit counts kills and the overload what is refused, not memory errors; the plain build runs them.
  # A sanitizer has a malloc of its own, which cannot be made to fail. As many suites at once as there are
  # processors: most wait more than they compute, and none measures time.
  CHRONOS_CRASHES=10 CHRONOS_CALL_KILLS=17 CHRONOS_CALL_ERRORS=8 CHRONOS_ALLOCATIONS=0 CHRONOS_WORKER_CRASHES=5 \
    ctest --test-dir "build/$sanitizer" -j "$jobs" --output-on-failure --timeout 3000 -E '^overload$'
done
echo "check: all passed"
