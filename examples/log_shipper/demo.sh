#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Ships a snapshot of a log while everything goes wrong, and shows the timeline as it happens.
#
#   demo.sh <log_shipper> <log_sink> <log file> [seconds that the flow of the lines lasts]
#
# The sink hangs, is killed and comes back twice: with a third and with two thirds of the lines
# acknowledged, each time in the middle of the next line. The last line is one that cannot be read.
# Exit status 0 only if
#   - the sink's file is identical to the snapshot at the end: every line is there, none twice,
#   - the line that cannot be read made the worker throw, and was shipped raw and counted,
#   - SIGTERM ends the shipper while it waits in `recv`, with exit status 0, and the sink, in time.
set -euo pipefail

readonly max_snapshot_bytes=4000000
readonly shutdown_limit_ms=20000
readonly patience_seconds=60 # for anything that has to happen at all
readonly refusals=2          # how often the shipper has to meet a closed port before the sink is back
readonly unreadable_line='torn by a power cut: \0\0\0\0\0\0\0\0\n'

if (($# < 3 || $# > 4)); then
  echo "usage: $0 <log_shipper> <log_sink> <log file> [seconds]" >&2
  exit 2
fi
readonly shipper="$1" sink="$2" log="$3" flow_seconds="${4:-6}"

work="$(mktemp -d)"
readonly work
readonly source="$work/source.log" copy="$work/copy.log" port_file="$work/port"
readonly timeline="$work/timeline" differences="$work/differences"
lines=0 # of the snapshot
bytes=0
sink_pid=
shipper_pid=

now_ms() { echo $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# Puts the time since the start in front of each line, which is "who: what".
stamp() {
  local line ms start
  start=$(now_ms)
  while IFS= read -r line; do
    ms=$(($(now_ms) - start))
    printf '%4d.%03d  %-9s%s\n' $((ms / 1000)) $((ms % 1000)) "${line%%: *}:" "${line#*: }"
  done
}

# One pipe for this script and both programs, so that the timeline is in order. What is behind it
# must outlive a Ctrl-C, to show the end.
: >"$timeline"
exec > >(trap '' INT TERM && stamp | tee "$timeline") 2>&1
timeline_pid=$!

# Whatever happens, no process and no file is left behind, and all is shown.
clean_up() {
  local pid
  for pid in $shipper_pid $sink_pid; do
    kill -KILL "$pid" 2>/dev/null || true
  done
  exec >&- 2>&-
  wait "$timeline_pid" || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

say() { echo "demo: $*"; }

fail() {
  say "FAILED: $*"
  exit 1
}

is_over() { ! kill -0 "$1" 2>/dev/null; }

# wait_until <condition...>: until the command succeeds; for nothing if a program has ended.
wait_until() {
  local pid end=$((SECONDS + patience_seconds))
  until "$@"; do
    for pid in $shipper_pid $sink_pid; do
      ! is_over "$pid" || fail "process $pid has ended by itself"
    done
    ((SECONDS < end)) || fail "waited $patience_seconds s for: $*"
    sleep 0.05
  done
}

size_of() { if [[ -e "$1" ]]; then stat --format=%s "$1"; else echo 0; fi; }

lines_of() { wc -l <"$1"; }

copy_has() { (($(size_of "$copy") >= $1)); }

# How many lines of the timeline match.
count() { grep -Ec -- "$1" "$timeline" || true; }

counted() { (($(count "$1") >= $2)); }

# The newest lines of the log, and one that cannot be read.
take_snapshot() {
  local log_lines
  if (($(size_of "$log") > max_snapshot_bytes)); then
    tail -c "$max_snapshot_bytes" "$log" | tail -n +2 >"$source"
  else
    cp "$log" "$source"
  fi
  # A last line that is still being written counts as one.
  [[ -z "$(tail -c 1 "$source")" ]] || echo >>"$source"
  log_lines=$(lines_of "$source")
  ((log_lines >= 3)) || fail "$log has $log_lines lines, at least 3 are needed"
  printf '%b' "$unreadable_line" >>"$source"
  lines=$((log_lines + 1))
  bytes=$(size_of "$source")
  say "a snapshot of $log: $log_lines lines, and one that cannot be read; $bytes bytes"
}

# start_sink [offset at which it hangs]
start_sink() {
  "$sink" --file="$copy" --port_file="$port_file" \
    --bytes_per_second=$((bytes / flow_seconds + 1)) ${1:+--hang_at="$1"} &
  sink_pid=$!
}

start_shipper() {
  "$shipper" --source="$source" --port_file="$port_file" &
  shipper_pid=$!
}

# Where half of the line after the first $1 lines ends.
middle_after() {
  local begin end
  begin=$(head -n "$1" "$source" | wc -c)
  end=$(head -n $(($1 + 1)) "$source" | wc -c)
  echo $(((begin + end) / 2))
}

# kill_sink <lines> <their share> <offset at which it hangs>
kill_sink() {
  local refused
  wait_until copy_has "$3"
  refused=$(count 'shipper: .*Connection refused')
  say "SIGKILL to the sink: $1 of $lines lines are acknowledged, $2"
  kill -KILL "$sink_pid" || fail "the sink was gone"
  wait "$sink_pid" 2>/dev/null || true
  sink_pid=
  (($(lines_of "$copy") == $1)) || fail "the sink had $(lines_of "$copy") lines"
  wait_until counted 'shipper: .*Connection refused' $((refused + refusals))
  say "the sink comes back"
}

# By what the two files hold, not by what the programs say.
compare() {
  local missing doubled
  diff --text "$source" "$copy" >"$differences" || true
  missing=$(grep -c --text '^<' "$differences" || true)
  doubled=$(grep -c --text '^>' "$differences" || true)
  say "the sink's file has $(lines_of "$copy") of $lines lines: $missing missing, $doubled doubled"
  cmp "$source" "$copy" || fail "the sink's file differs from the snapshot"
}

# stop <name> <process> <expected exit status>
stop() {
  local status=0 begin
  begin=$(now_ms)
  say "SIGTERM to the $1"
  kill -TERM "$2" || fail "the $1 was gone"
  until is_over "$2"; do
    (($(now_ms) - begin < shutdown_limit_ms)) || fail "the $1 is still there"
    sleep 0.01
  done
  say "the $1 has ended, after $(($(now_ms) - begin)) ms"
  wait "$2" 2>/dev/null || status=$?
  ((status == $3)) || fail "the exit status of the $1 is $status, not $3"
}

main() {
  local third two_thirds
  take_snapshot
  third=$((lines / 3))
  two_thirds=$((lines * 2 / 3))

  start_sink "$(middle_after "$third")"
  wait_until test -e "$port_file"
  start_shipper
  kill_sink "$third" "a third" "$(middle_after "$third")"
  start_sink "$(middle_after "$two_thirds")"
  kill_sink "$two_thirds" "two thirds" "$(middle_after "$two_thirds")"
  start_sink

  wait_until copy_has "$bytes"
  wait_until counted "shipper: the sink has $lines of $lines lines" 1
  compare
  stop shipper "$shipper_pid" 0
  shipper_pid=
  stop sink "$sink_pid" 143 # it has no way to end but to be killed
  sink_pid=
  compare
  wait_until counted 'demo: +the sink has ended' 1 # and all before it is in the timeline
  counted 'shipper: .* threw' 1 || fail "no line made the worker throw"
  counted 'shipper: .*lines shipped raw: 1$' 1 || fail "not one line was shipped raw"
  say "PASSED: every one of $lines lines is there, none twice; two kills, one line shipped raw"
}

main
