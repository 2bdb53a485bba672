#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   legacy_embed_test.sh <service_before> <service_after>
#
# The change is the one that service.diff shows, and it is small. Before it the service has three
# troubles, after it none, and then its log says what happened to which device, and why.
set -euo pipefail

readonly before="$1" after="$2"
readonly max_added=29
# How long a stop may take. The one that hangs does so for ever; the other one ends at once.
readonly short_ms=100 long_ms=60000

here="$(dirname "${BASH_SOURCE[0]}")"
readonly here
output=

fail() {
  echo "FAILED: $*; the output was:" >&2
  echo "$output" >&2
  exit 1
}

expect() { grep -Eq -- "$1" <<<"$output" || fail "no line matches '$1'"; }

# run <exit status> <program> <ms>
run() {
  local status=0
  output="$("$2" "$3" 2>&1)" || status=$?
  ((status == $1)) || fail "the exit status is $status, not $1"
}

test_the_change_is_small() {
  local added
  output="$(diff -u --label service_before.cc --label service_after.cc \
    "$here/service_before.cc" "$here/service_after.cc" || true)"
  diff "$here/service.diff" - <<<"$output" || fail "service.diff shows another change"
  added=$(grep -c '^+' <<<"$output")
  added=$((added - 1)) # the name of the file
  ((added > 0 && added <= max_added)) || fail "$added lines are added, $max_added may be"
}

test_before() {
  run 1 "$before" "$short_ms"
  expect '^TROUBLE: 1 of 2 codes came from the scanner$'
  expect '^TROUBLE: the spare scanner, which is off, was called [0-9]+ times$'
  expect '^TROUBLE: the stop hung until the scale hung up$'
}

test_after() {
  run 0 "$after" "$long_ms"
  expect '^good: 2 of 2 codes came from the scanner$'
  expect '^good: the spare scanner, which is off, was called [0-9]+ times$'
  expect '^good: the stop ended by itself$'
  expect "^WARNING task 'scale' attempt 1 failed: .*: \"x3\?\" is no weight; next attempt in"
  expect "^WARNING task 'scale' attempt 2 failed: .*: recv: Connection reset by peer; next"
  expect "^WARNING task 'scanner' attempt 1 failed: UNAVAILABLE: it hung up; next attempt in"
  expect "^WARNING task 'spare scanner' attempt 1 failed: .*: connect: Connection refused"
  local name
  for name in scale scanner 'spare scanner'; do
    expect "^INFO task '$name' is over: kManuallyStopped"
  done
}

test_the_change_is_small
test_before
test_after
echo "PASSED"
