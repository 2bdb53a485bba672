#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   log_shipper_test.sh <log_shipper> <log_sink>
#
# The demonstration, with logs made here; that it fails if a line is missing and another doubled;
# that it leaves nothing behind when it is interrupted; and ends of the shipper that it does not
# show. Nothing here depends on how fast anything is.
set -euo pipefail

readonly shipper="$1" sink="$2"
demo="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/demo.sh"
work="$(mktemp -d)"
readonly demo work
readonly output="$work/output"
pids=()

clean_up() {
  local pid
  for pid in "${pids[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $*; the output was:" >&2
  cat "$output" >&2
  exit 1
}

expect() { grep -Eq -- "$1" "$output" || fail "no line matches '$1'"; }

# wait_for <regular expression>: until a line of the output matches.
wait_for() {
  local end=$((SECONDS + 60))
  until grep -Eqs -- "$1" "$output"; do
    ((SECONDS < end)) || fail "no line matches '$1'"
    sleep 0.05
  done
}

# make_log <lines>, all of one length.
make_log() {
  local i
  for ((i = 0; i < $1; ++i)); do
    printf '2026-01-31 09:%02d:%02d status installed package-%05d:amd64 1.0\n' \
      $((i / 60 % 60)) $((i % 60)) "$i"
  done >"$work/log"
}

# start <program...>: sets `pid`; what it says goes to the output.
start() {
  "$@" >>"$output" 2>&1 &
  pid=$!
  pids+=("$pid")
}

# expect_end <process> <exit status>
expect_end() {
  local status=0
  wait "$1" || status=$?
  ((status == $2)) || fail "the exit status is $status, not $2"
}

test_demonstration() {
  make_log "$1"
  "$demo" "$shipper" "$sink" "$work/log" 1 >"$output" 2>&1 || fail "the demonstration failed"
  cat "$output"
  expect "SIGKILL to the sink: $((($1 + 1) / 3)) of $(($1 + 1)) lines"
  expect "SIGKILL to the sink: $((($1 + 1) * 2 / 3)) of $(($1 + 1)) lines"
  expect 'sink: +cut [0-9]+ bytes of an unfinished line'
  expect 'shipper: attempt [0-9]+ failed: recv: Connection reset by peer'
  expect 'shipper: attempt [0-9]+ failed: connect to port [0-9]+: Connection refused'
  expect 'shipper: attempt [0-9]+ begins, after a pause of [0-9]+ ms'
  expect 'shipper: attempt [0-9]+ threw: this line is no text: "torn'
  expect 'shipper: stopped .* lines shipped raw: 1$'
  expect "PASSED: every one of $(($1 + 1)) lines is there"
}

# A sink that, when it is started for the third time, has the first line of its file once more
# instead of the one that would follow.
test_doubled_and_missing_lines_are_found() {
  local status=0
  cat >"$work/doubling_sink" <<END
#!/bin/bash
copy="\${1#--file=}"
echo started >>"$work/starts"
if ((\$(wc -l <"$work/starts") == 3)); then
  head -n "\$(wc -l <"\$copy")" "\$copy" >"$work/doubled"
  head -n 1 "\$copy" >>"$work/doubled"
  cp "$work/doubled" "\$copy"
fi
exec "$(realpath "$sink")" "\$@"
END
  chmod +x "$work/doubling_sink"
  make_log 30
  "$demo" "$shipper" "$work/doubling_sink" "$work/log" 1 >"$output" 2>&1 || status=$?
  ((status == 1)) || fail "the exit status is $status, not 1"
  expect '31 of 31 lines: 1 missing, 1 doubled'
  expect 'FAILED'
}

test_interrupted_demonstration_leaves_nothing() {
  : >"$output"
  make_log 300
  mkdir "$work/tmp"
  TMPDIR="$work/tmp" start "$demo" "$shipper" "$sink" "$work/log" 60
  wait_for 'attempt 1: connected'
  kill -TERM "$pid"
  expect_end "$pid" 143
  [[ -z "$(ls -A "$work/tmp")" ]] || fail "files are left: $(ls -A "$work/tmp")"
  ! grep -ls --text "$work/[t]mp" /proc/[0-9]*/cmdline || fail "processes are left"
}

# While it waits in `recv` for a sink that hangs.
test_stop_in_recv() {
  : >"$output"
  start "$sink" --file="$work/copy" --port_file="$work/port" --hang_at=20
  wait_for 'listens'
  start "$shipper" --source="$work/log" --port_file="$work/port"
  wait_for 'hangs'
  kill -TERM "$pid"
  expect_end "$pid" 0
  expect 'shipper: stopped after 1 attempts'
}

# While it waits for its next attempt.
test_stop_in_backoff() {
  : >"$output"
  start "$shipper" --source="$work/log" --port_file="$work/none"
  wait_for 'attempt 2 failed: no port'
  kill -TERM "$pid"
  expect_end "$pid" 0
  expect 'shipper: stopped after'
}

test_failing_setup() {
  : >"$output"
  start "$shipper" --source="$work/none" --port_file="$work/port"
  expect_end "$pid" 1
  expect 'shipper: ended by itself: .*No such file'
}

test_demonstration 300
test_demonstration 3
test_doubled_and_missing_lines_are_found
test_interrupted_demonstration_leaves_nothing
test_stop_in_recv
test_stop_in_backoff
test_failing_setup
echo "PASSED"
