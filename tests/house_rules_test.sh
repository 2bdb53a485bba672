#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# The house rules that a program can keep: which way includes go, who may know the time, oneTBB or
# a thread, how long files and functions get, and what every file begins with. The rules are tried
# on planted violations first, then on the source tree, which Bazel puts around this test.
set -euo pipefail

# --- Who may what. Regular expressions of paths.

readonly may_use_onetbb='lib/shell/capacity_registry\.cc'  # the control and the arenas
# The Clock itself, and what tells the kernel or the standard library a time of it.
readonly may_read_clocks='(lib/shell/(clock|futex|wait_breaker)\.cc|include/foxtive/condition_wait\.h)'
# For what a Clock can't tell.
readonly may_wait='(lib/shell/(clock|futex|signal_wait|wait_breaker)\.cc|include/foxtive/condition_wait\.h)'
readonly may_be_long='none'                                # files, and those with long functions

readonly licence='Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT'

# What is not here when the test runs is not checked: some of each folder.
readonly must_be_here=(BUILD.bazel include/foxtive/supervisor.h lib/BUILD.bazel
  lib/core/lifecycle.h lib/shell/clock.cc lib/facade/supervisor.cc tests/BUILD.bazel
  tests/lifecycle_test.cc tests/support/manual_clock.h bazel/pkg_config.bzl
  benchmarks/restart.cc examples/quickstart.cc)

# --- The rules. Each one prints what breaks it, and why that is wrong.

# C++ lines as path:line:code, without comments and without what stands in literals.
code_of() {
  awk '
    { line = $0 }
    line !~ /^ *#/ {
      gsub(/\\./, "", line)
      gsub(/"[^"]*"/, "\"\"", line)
      gsub(/\047[^\047]\047/, "0", line)
    }
    { sub(/\/\/.*/, "", line); print FILENAME ":" FNR ":" line }' "$@"
}

# Code in the paths $1 that matches $2 and does not begin with $3; $4 says why not.
forbid() {
  { grep -E "^($1)[^:]*:[0-9]+:.*($2)" "$work/code" || true; } |
    { grep -vE "^($3)" || true; } | sed "s|\$|   <- $4|"
}

check_includes() {
  local any='none' from='#include "'
  forbid 'include/' '#include' '[^:]*:[0-9]*:#include ("(foxtive|absl)/|<[a-z_]+>)|include/foxtive/testing\.h' \
    'a public header includes only std, Abseil and foxtive/'
  forbid 'lib/core/' "${from}lib/(shell|facade|testing)/" "$any" 'this is above the core'
  forbid 'lib/shell/' "${from}lib/(facade|testing)/" "$any" 'this is above the shell'
  forbid 'lib/facade/' "${from}lib/testing/" "$any" 'this is above the facade'
  forbid 'lib/' "${from}(tests|benchmarks|examples)/" "$any" 'this is above the library'
  forbid 'examples/' "${from}(lib|tests)/" "$any" 'examples use the public headers'
  forbid '(include|lib)/' '#include .(oneapi/)?tbb' "$may_use_onetbb" 'not here'
}

check_time_and_threads() {
  local clocks='clock_gettime|gettimeofday|timespec_get|std::time\(|(steady|system|high_resolution)'
  clocks+='_clock|absl::Now|<(chrono|ctime|time\.h)>|absl/time/clock\.h'
  local sleeps='\b(u|nano|clock_nano)?sleep\(|\bsleep_(for|until)|absl::SleepFor'
  local waits='\b(wait|try_lock|try_acquire)_(for|until)\b|\b(p|epoll_)?poll\(|timedwait|SYS_futex'
  local threads='<(atomic|barrier|condition_variable|future|latch|mutex|pthread\.h|semaphore|'
  threads+='shared_mutex|stop_token|thread)>|std::(atomic|mutex|j?thread)|absl/synchronization|'
  threads+='foxtive/clock\.h|thread_local'
  forbid '(include|lib)/' "$clocks" "$may_read_clocks" 'time comes from a Clock'
  forbid '(include|lib)/' "$sleeps|$waits" "$may_wait" 'waits go through Clock::Park'
  forbid 'tests/' "$sleeps" none 'a test waits for a cause, not for a time'
  forbid 'lib/core/' "$threads" none 'the core has no thread, no lock, no atomic, no clock'
}

check_file_lengths() {
  local paths
  mapfile -t paths < <({ grep -E '\.(cc|h)$' "$work/files" || true; } |
    { grep -vE "^($may_be_long)$" || true; })
  awk '
    function end() { if (lines > limit) print path ": " lines " lines   <- " limit " at most" }
    FNR == 1 {
      end()
      path = FILENAME
      limit = path ~ /^include\// ? 200 : path ~ /^lib\// ? 350 : 500
    }
    { lines = FNR }
    END { end() }' /dev/null "${paths[@]}"
}

# A block in braces is a function (or a lambda, which is one too) unless what is before it says
# that it is a type, a namespace or an initialiser.
check_function_lengths() {
  { grep -vE "^($may_be_long):" "$work/code" || true; } | awk -v limit=60 '
    BEGIN { other = "(^|[^a-z_])(namespace|class|struct|union|enum|extern)[^a-z_]|= *$" }
    {
      match($0, /^[^:]*:[0-9]+:/)
      split($0, at, ":")
      text = substr($0, RLENGTH + 1)
      if (at[1] != file) { file = at[1]; depth = 0; head = "" }
      if (text ~ /^ *#/) next
      for (i = 1; i <= length(text); ++i) {
        c = substr(text, i, 1)
        if (c == "{") { is_function[++depth] = head !~ other; begin[depth] = head == "" ? at[2] : line }
        if (c == "}" && depth > 0) {
          lines = at[2] - begin[depth] + 1
          if (is_function[depth--] && lines > limit)
            print file ":" begin[depth + 1] ": " lines " lines   <- a function has at most " limit
        }
        if (c ~ /[{};]/) head = ""
        else if (head != "" || c != " ") { if (head == "") line = at[2]; head = head c }
      }
      if (head != "") head = head " "
    }'
}

check_text() {
  local sources='\.(cc|h|sh|bzl|py)$|(^|/)BUILD\.bazel$' texts builds
  mapfile -t texts < <(grep -E "$sources" "$work/files")
  mapfile -t builds < <(grep -E '(^|/)BUILD\.bazel$' "$work/files")
  awk -v licence="$licence" '
    function end() { if (path != "" && !found) print path ":1:   <- the copyright line is missing" }
    FNR == 1 { end(); path = FILENAME; found = 0 }
    FNR <= 2 && index($0, licence) { found = 1 }
    END { end() }' /dev/null "${texts[@]}"
  { grep -nHP '\t|\s$' /dev/null "${texts[@]}" || true; } |
    sed "s|\$|   <- a tab, or a blank at the end|"
  { grep -nHE '\bflaky *=' /dev/null "${builds[@]}" || true; } |
    sed "s|\$|   <- a flaky test is a bug found|"
}

# A plain `race:` hides whatever runs below a frame, and all workers run below frames of oneTBB.
check_suppressions() {
  local path=bazel/tsan_suppressions.txt
  [[ -f "$path" ]] || return 0
  { grep -nvE '^(#.*|race_top:.+|called_from_lib:.+|)$' "$path" || true; } |
    sed "s|^|$path:|; s|\$|   <- only race_top: and called_from_lib:|"
}

# Prints what breaks a rule in the tree $1.
check() (
  cd "$1"
  find -L . -path './bazel-*' -prune -o -type f -print | sed 's|^\./||' | LC_ALL=C sort >"$work/files"
  mapfile -t cpp < <(grep -E '^(include|lib|tests|benchmarks|examples)/.*\.(cc|h)$' "$work/files")
  code_of "${cpp[@]}" /dev/null >"$work/code"
  check_includes
  check_time_and_threads
  check_file_lengths
  check_function_lengths
  check_text
  check_suppressions
)

# --- Do they bite?

failures=0
fail() {
  echo "house_rules_test.sh: $1" >&2
  failures=$((failures + 1))
}

# Trees of planted files, all of which are checked at once: a file whose name is taken goes into the
# next tree. What each one has to be found fault with is kept until then; empty: with nothing.
declare -A wanted=()
trees=0

# The file $1 with the text $2, which breaks the rule that says $3.
plant() {
  local tree=1
  while [[ -e "$work/tree$tree/$1" ]]; do tree=$((tree + 1)); done
  mkdir -p "$work/tree$tree/$(dirname "$1")"
  printf '%b\n' "$2" >"$work/tree$tree/$1"
  wanted["$tree $1"]="$3"
  ((tree <= trees)) || trees=$tree
}

bites() { plant "$1" "// $licence\n$2" "$3"; }
passes() { plant "$1" "// $licence\n$2" ''; }

check_planted() {
  local tree key found
  for ((tree = 1; tree <= trees; ++tree)); do
    check "$work/tree$tree" >"$work/found$tree"
  done
  for key in "${!wanted[@]}"; do
    found="$(grep -F "${key#* }:" "$work/found${key%% *}" || true)"
    if [[ -z "${wanted[$key]}" ]]; then
      [[ -z "$found" ]] || fail "${key#* } should pass: $found"
    else
      [[ "$found" == *"${wanted[$key]}"* ]] ||
        fail "${key#* } is not found fault with ('${wanted[$key]}'): '$found'"
    fi
  done
}

lines() { printf '  Do();\\n%.0s' $(seq "$1"); }

try_the_rules() {
  bites include/foxtive/a.h '#include <tbb/task_arena.h>' 'only std'
  bites include/foxtive/a.h '#include "lib/core/a.h"' 'only std'
  passes include/foxtive/a.h '#include <string_view>\n#include "absl/time/time.h"'
  passes include/foxtive/a.h '#include "foxtive/clock.h"'
  bites lib/core/a.h '#include "lib/shell/a.h"' 'above the core'
  bites lib/shell/a.cc '#include "lib/facade/a.h"' 'above the shell'
  bites lib/facade/a.cc '#include "lib/testing/a.h"' 'above the facade'
  bites lib/facade/a.cc '#include "tests/a.h"' 'above the library'
  bites examples/a.cc '#include "lib/core/a.h"' 'public headers'
  passes lib/facade/a.cc '#include "lib/shell/a.h"\n#include "lib/core/a.h"'
  bites lib/shell/a.h '#include <tbb/info.h>' 'not here'
  bites lib/shell/a.h '#include "oneapi/tbb/info.h"' 'not here'
  passes lib/shell/capacity_registry.cc '#include <oneapi/tbb/info.h>'
  bites lib/shell/a.cc '  return std::chrono::steady_clock::now();' 'from a Clock'
  bites lib/facade/a.cc '  clock_gettime(CLOCK_REALTIME, &now);' 'from a Clock'
  passes lib/shell/clock.cc '  clock_gettime(CLOCK_MONOTONIC, &now);'
  bites lib/shell/a.cc '  std::this_thread::sleep_for(delay);' 'Clock::Park'
  bites lib/shell/a.cc '  usleep(10);' 'Clock::Park'
  bites lib/shell/a.cc '  changed_.wait_for(lock, limit);' 'Clock::Park'
  passes lib/shell/a.cc '  context.SleepFor(delay);  // does not sleep(1)'
  bites tests/a.cc '  absl::SleepFor(absl::Seconds(1));' 'for a cause'
  bites lib/core/a.h '#include <atomic>' 'no atomic'
  bites lib/core/a.cc '  std::mutex mutex;' 'no lock'
  bites tests/a.cc "$(lines 499)" '500 at most'
  bites lib/shell/a.cc "$(lines 349)" '350 at most'
  bites include/foxtive/a.h "$(lines 199)" '200 at most'
  passes lib/shell/a.cc "$(lines 348)"
  bites lib/shell/a.cc "int Long(int a,\n  int b) {\n$(lines 58)}" '61 lines'
  bites lib/shell/a.cc "class A {\n  int Long() {\n$(lines 59)  }\n};" '61 lines'
  passes lib/shell/a.cc "namespace {\nint Short() {\n$(lines 58)}\nchar b = '{';\n$(lines 9)}"
  bites lib/shell/a.cc 'int a;\t' 'a tab'
  bites lib/shell/a.cc 'int a; ' 'a blank'
  bites tests/BUILD.bazel '  flaky = True,' 'flaky'
  bites bazel/tsan_suppressions.txt 'race:tbb' 'only race_top'
  bites bazel/tsan_suppressions.txt 'called_from_lib:a.so\nthread:tbb' 'only race_top'
  plant lib/a.bzl 'a = 1' 'copyright line is missing'
  check_planted
}

# --- The test.

work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT

try_the_rules
for path in "${must_be_here[@]}"; do
  [[ -f "$path" ]] || fail "$path is not here"
done
found="$(check "$PWD")"
[[ -z "$found" ]] || fail "these lines break the house rules:"$'\n'"$found"
((failures == 0))
