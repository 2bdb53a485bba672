#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   graceful_shutdown_test.sh <program>
#
# Each way in which the example ends: what it prints, and its exit code.
set -euo pipefail
readonly program="$1"
work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT

# Waits for a line of the output; the test's own time limit bounds it.
await_line() {
  until grep -qx "$1" "$work/out" 2>/dev/null; do read -rt 0.02 <> <(:) || true; done
}

expect() {  # what, wanted, actual
  [[ "$2" == "$3" ]] && return
  echo "graceful_shutdown_test.sh: $1: wanted '$2', got '$3'" >&2
  cat "$work/out" "$work/err" >&2
  exit 1
}

# Without the attempts: one that is stopped at once may have had none.
table_of() { awk 'NR > 2 { print $1, $2 }' "$work/out" | LC_ALL=C sort; }

stopped_by() {  # signal
  : >"$work/out"
  "$program" >"$work/out" 2>"$work/err" &
  local pid=$! code=0
  await_line up
  kill -s "$1" "$pid"
  wait "$pid" || code=$?
  expect "exit code after $1" 0 "$code"
  expect "table after $1" 'indexer kManuallyStopped
reader kManuallyStopped
sender kManuallyStopped' "$(table_of)"
}

stopped_by TERM
stopped_by INT

code=0
"$program" --break=indexer >"$work/out" 2>"$work/err" || code=$?
expect 'exit code if a task gives up' 1 "$code"
expect 'table if a task gives up' 'indexer kMaxAttemptsReached
reader kManuallyStopped
sender kManuallyStopped' "$(table_of)"
grep -qE '^indexer +kMaxAttemptsReached +3  DATA_LOSS: the index is corrupt$' "$work/out" || expect 'cause' 'named' 'missing'

code=0
"$program" --brake=indexer >"$work/out" 2>"$work/err" || code=$?
expect 'exit code of a wrong argument' 1 "$code"
