#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Looks for what one run of the tests does not show.
#
#   tests/deep.sh [--minutes=N]      20 by default
#
# First, whole and once: clang's analysis of the lock annotations, as errors; clang-tidy; the life
# of a million tasks, which leaves memory, threads and descriptors as they were; hostile hosts, and
# the limits of the kernel; the programs of others, for which the library is installed; and the
# hand-overs between threads, in all orders with up to three deviations. Then the time is shared by
#   sim    the simulator, with fresh seeds
#   fuzz   the fuzz targets, one after the other, each from its corpus on
#   asan   all tests with the address, leak and undefined-behaviour sanitizers
#   tsan   all tests with the thread sanitizer, and the proof that it still sees races
#   core   the tests with threads, all on one core
#   busy   the same beside a busy process per core
# each of which goes on until its share is used up; the last four run all their tests at least once.
#
# Reports how often each test ran, and the end of what failed. Exit status 0: nothing failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

minutes=20
for argument in "$@"; do
  case "$argument" in
    --minutes=*) minutes="${argument#--minutes=}" ;;
    *) sed -n '4,/^set/{/^#/p}' "$0"; exit 2 ;;
  esac
done
[[ "$minutes" =~ ^[0-9]+$ ]] && ((minutes > 0)) || { echo "--minutes: '$minutes' is no positive number" >&2; exit 2; }

bash bazel/install_dependencies.sh build deep || exit 1

readonly share=$((minutes * 60 / 6))
logs="$(mktemp -d)"
readonly logs
busy=()
failures=0

clean_up() {
  ((${#busy[@]} == 0)) || kill "${busy[@]}" 2>/dev/null
  rm -rf "$logs"
  bazel shutdown >/dev/null 2>&1
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# What has threads in it, and shares the machine with others; the rest gains nothing from being run
# again.
threaded_tests() {
  bazel query 'tests(//tests/... union //examples/... union //benchmarks/...)' 2>/dev/null |
    grep -vE '(backoff_|policy|lifecycle|timer_wheel|readme_test|house_rules|run_function|install_test|failure_fold|printing|simulator|fuzz|simulated|explorer|simulation|testing|stress_check|hostile_host|limits_test)'
}

# once <log> <option...>: one run of the tests, each anew; the stress test with fresh seeds, and more
# of them than in the gate. Other than 0: something failed.
once() {
  local log="$1"
  shift
  bazel test --test_env=FOXTIVE_STRESS=60 --nocache_test_results --noshow_progress --color=no --keep_going "$@" >"$log" 2>&1
}

count_runs() { grep -hoE '^//[^ ]+ +PASSED' "$logs/$1".* 2>/dev/null | awk '{n[$1]++} END {for (t in n) printf "  %4d x %s\n", n[t], t}' | sort -k3; }

# repeat <name> <option or target...>: again and again until the share of time is used up.
repeat() {
  local name="$1" start=$SECONDS round=0 failed=0
  shift
  while ((round == 0 || SECONDS - start < share)); do
    round=$((round + 1))
    if ! once "$logs/$name.$round" "$@"; then
      failed=$((failed + 1))
      echo "FAILED  $name, round $round:"
      grep -E 'FAIL|ERROR|Failure$|: error: |SUMMARY|WARNING: ThreadSanitizer' "$logs/$name.$round" | head -20
      grep -vE '^(Loading|Analyzing|INFO)' "$logs/$name.$round" | tail -60
      ((failed < 3)) || break
    fi
  done
  echo "$name: $round rounds, $failed failed, $((SECONDS - start)) s"
  count_runs "$name"
  ((failed == 0)) || failures=$((failures + 1))
}

echo "clang: thread-safety analysis"
if ! bazel build --config=clang --noshow_progress --color=no //lib/... //examples/... >"$logs/clang" 2>&1; then
  failures=$((failures + 1))
  grep -E 'error|note' "$logs/clang" | head -40
fi

echo 'tidy: clang-tidy'
if ! bash tests/tidy.sh >"$logs/tidy" 2>&1; then
  failures=$((failures + 1))
  head -40 "$logs/tidy"
fi

echo 'life: a million tasks'
if ! once "$logs/life" --test_env=FOXTIVE_LONG_LIFE=1000000 --test_output=all --test_timeout=3000 \
  //tests:long_life_test; then
  failures=$((failures + 1))
  grep -E 'Failure$|FAIL|ERROR|: error: ' "$logs/life" | head -20
fi
grep -E '^after [0-9]+ tasks: ' "$logs/life"

echo 'worst: hostile hosts, limits of the kernel'
if ! once "$logs/worst" //tests:hostile_host_test //tests:limits_test; then
  failures=$((failures + 1))
  grep -E 'Failure$|FAIL|ERROR|: error: ' "$logs/worst" | head -20
  tail -60 "$logs/worst"
fi

echo 'consumers: make, CMake and Bazel, elsewhere'
if ! bash tests/consumers.sh >"$logs/consumers" 2>&1; then
  failures=$((failures + 1))
  grep -A 40 FAILED "$logs/consumers" || tail -40 "$logs/consumers"
fi

echo 'orders: the hand-overs between threads'
if ! bazel run -c opt --ui_event_filters=-info,-stdout,-stderr --noshow_progress //tests:explorer -- --bound=3; then
  failures=$((failures + 1))
fi

echo 'sim: fresh seeds'
if ! bazel run -c opt --ui_event_filters=-info,-stdout,-stderr --noshow_progress //tests:simulator -- --seconds="$share"; then
  failures=$((failures + 1))
fi

echo 'fuzz: inputs that nobody has thought of'
if ! bash tests/fuzz.sh --seconds="$((share / 3))"; then
  failures=$((failures + 1))
fi

mapfile -t threaded < <(threaded_tests)
((${#threaded[@]} > 0)) || { echo 'no test was found' >&2; exit 1; }

repeat asan --config=asan //tests/... //examples/...
repeat tsan --config=tsan "${threaded[@]}"
core="$(taskset --cpu-list --pid $$ | sed 's/.*: *//; s/[-,].*//')"
repeat core --run_under="taskset --cpu-list $core" --local_test_jobs=2 "${threaded[@]}"
for _ in $(seq "$(nproc)"); do
  while :; do :; done &
  busy+=($!)
done
repeat busy "${threaded[@]}"

echo "$failures of 12 parts failed"
((failures == 0))
