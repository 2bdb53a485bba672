#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# The thread sanitizer, with what this project suppresses, reports the races of racy_workers, and
# nothing in the program that has none. In a build without the sanitizer there is nothing to check.
#
#   bazel test --config=tsan //tests:tsan_bites_test
#
#   tsan_bites_test.sh <racy_workers>
set -euo pipefail

readonly program="$1"
readonly sanitizer_found_something=66

# .bazelrc sets it for the sanitizer alone.
if [[ -z "${TSAN_OPTIONS-}" ]]; then
  echo 'not built with the thread sanitizer: use --config=tsan'
  exit 0
fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT

fail() {
  echo "tsan_bites_test.sh: $1; output:" >&2
  cat "$log" >&2
  exit 1
}

for race in between_workers with_the_caller in_a_hook in_cleanup in_on_shutdown; do
  status=0
  "$program" "$race" >"$log" 2>&1 || status=$?
  ((status == sanitizer_found_something)) || fail "$race ended with $status"
  grep -q 'data race.*WriteTogether' "$log" || fail "$race: another report than the one expected"
done

"$program" orderly >"$log" 2>&1 || fail "orderly ended with $?"
