#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Lets libFuzzer look for inputs that break what the fuzz targets promise, under the address and
# undefined-behaviour sanitizers.
#
#   tests/fuzz.sh [--seconds=N] [target...]      60 for each target by default, and all targets
#
# Each target begins with a copy of its corpus and another seed than the last time. Reports how many
# inputs were run, and how much of the code they have reached (libFuzzer's `cov`). A finding ends
# the target: its message, its input in base64, and how to run that again.
#
# Exit status 0: nothing was found.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

seconds=60
targets=()
for argument in "$@"; do
  case "$argument" in
    --seconds=*) seconds="${argument#--seconds=}" ;;
    -*) sed -n '4,13p' "$0"; exit 2 ;;
    *)
      [[ -d "tests/fuzz/corpus/$argument" ]] || { echo "there is no fuzz target '$argument'" >&2; exit 2; }
      targets+=("$argument")
      ;;
  esac
done
[[ "$seconds" =~ ^[0-9]+$ ]] && ((seconds > 0)) || { echo "--seconds: '$seconds' is no positive number" >&2; exit 2; }
((${#targets[@]} > 0)) || targets=(timer_wheel lifecycle api)

bash bazel/install_dependencies.sh build deep || exit 1

work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# As long as those of a corpus: what an input does grows with it.
readonly longest=300

fuzz_bazel() { bazel "$1" --config=fuzz --noshow_progress --color=no "${@:2}"; }

# tell <target> <finding>
tell() {
  echo "FOUND  $1, an input of $(stat --format=%s "$2") bytes:"
  grep -m 1 -A 25 -E '^(broken|foxtive): |ERROR: |runtime error: ' "$work/$1.log"
  echo "Run it again with"
  echo "  base64 -d >/tmp/finding <<<'$(base64 --wrap=0 "$2")'"
  echo "  bazel run --config=fuzz //tests:$1_fuzz -- /tmp/finding"
}

# fuzz <target>
fuzz() {
  local target="$1" corpus="$work/$1" log="$work/$1.log" start=$SECONDS status=0 found
  cp -r "tests/fuzz/corpus/$target" "$corpus" && chmod -R u+w "$corpus"
  mkdir "$work/$target.found"
  ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
    fuzz_bazel run --ui_event_filters=-info,-stdout,-stderr "//tests:${target}_fuzz" -- \
    "$corpus" -max_total_time="$seconds" -max_len="$longest" -len_control=0 -timeout=25 -rss_limit_mb=4096 \
    -print_final_stats=1 -artifact_prefix="$work/$target.found/" >"$log" 2>&1 || status=$?
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $((SECONDS - start)) s," \
    "$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1), $(find "$corpus" -type f | wc -l) worth keeping"
  ((status != 0)) || return 0
  found="$(find "$work/$target.found" -type f | head -n 1)"
  if [[ -n "$found" ]]; then tell "$target" "$found"; else tail -n 40 "$log"; fi
  return 1
}

labels=("${targets[@]/#///tests:}")
if ! fuzz_bazel build "${labels[@]/%/_fuzz}" >"$work/build.log" 2>&1; then
  tail -n 40 "$work/build.log"
  exit 1
fi
failures=0
for target in "${targets[@]}"; do
  fuzz "$target" || failures=$((failures + 1))
done
echo "$failures of ${#targets[@]} fuzz targets found something"
((failures == 0))
