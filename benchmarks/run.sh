#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs what is missing, builds with optimisation, runs all benchmarks round by round, and says in
# one table and one picture what came out; README.md says how to read them.
#
#   benchmarks/run.sh [option...]
#
#   --output=<folder>       where the files go: table.md, picture.svg, machine.txt, and raw/ with what
#                           each round gave. Default: a new one in the folder for temporary files
#   --repetitions=<n>       rounds; 9, and at least 5
#   --peers                 with the other event loops, thread pools and supervisors
#   --filter=<expression>   only benchmarks whose name matches this regular expression
#   --quick                 one round of as little as possible: to see that it works
#
# A round runs each benchmark once: the binaries in random order, and the benchmarks of a binary in
# random order. So what the machine does meanwhile hits all alike. The table goes to standard output,
# too. An hour or two with all of it; the machine should have nothing else to do.
set -euo pipefail

readonly least_repetitions=5
# Those whose versions belong to the figures, as Debian names them; what is not there is left out.
readonly libraries=(libtbb-dev libabsl-dev libbenchmark-dev libboost-dev libevent-dev libuv1-dev
  golang-github-thejerf-suture-dev golang-go erlang-base)

say() { echo "run.sh: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Without a word, unless it fails.
build() {
  local log
  log="$(mktemp)"
  bazel build -c opt "$@" >"$log" 2>&1 || { cat "$log" >&2 && fail "the build failed"; }
  rm -f "$log"
}

# The names of the binaries to run. One that is made with the peers takes the place of the one
# without.
list_binaries() {
  local all name
  all="$(bazel query 'kind(cc_binary, //benchmarks:all)' 2>/dev/null | sed 's/.*://')"
  for name in $all; do
    if [[ "$peers" == no ]]; then
      [[ "$name" == *_with_peers ]] || echo "$name"
    else
      grep -qx "${name}_with_peers" <<<"$all" || echo "$name"
    fi
  done
}

describe_machine() {
  echo "date: $(date --utc --iso-8601=minutes)"
  echo "commit: $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  echo "processors: $(nproc), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | sort -u | head -n 1)"
  echo "memory: $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
  echo "kernel: $(uname -sr)"
  echo "compiler: $(c++ --version | head -n 1)"
  dpkg-query --show --showformat='${Package}: ${Version}\n' "${libraries[@]}" 2>/dev/null || true
  echo "load before: $(cut -d' ' -f1-3 /proc/loadavg)"
}

# run_round <folder>
run_round() {
  local name options=(--benchmark_repetitions=1 --benchmark_enable_random_interleaving=true
    --benchmark_out_format=json)
  [[ "$quick" == no ]] || options+=(--quick)
  [[ -z "$filter" ]] || options+=(--benchmark_filter="$filter")
  mkdir -p "$1"
  for name in $(shuf -e "${binaries[@]}"); do
    "$bin/benchmarks/$name" "${options[@]}" --benchmark_out="$1/$name.json" >"$1/$name.log" 2>&1 ||
      { tail -n 20 "$1/$name.log" >&2 && fail "$name failed"; }
    # Where no benchmark matches.
    [[ -s "$1/$name.json" ]] || rm "$1/$name.json"
  done
  [[ "$peers" == yes ]] || return 0
  bash benchmarks/peers/run.sh "${peer_options[@]}" >"$1/peers.txt" || fail "the peers failed"
  [[ -s "$1/peers.txt" ]] || rm "$1/peers.txt"
}

output=
repetitions=9
peers=no
filter=
quick=no
peer_options=()
for argument in "$@"; do
  case "$argument" in
    --output=*) output="$(realpath -m "${argument#*=}")" ;;
    --repetitions=*) repetitions="${argument#*=}" ;;
    --peers) peers=yes ;;
    --filter=*) filter="${argument#*=}" ;;
    --quick) quick=yes ;;
    *) fail "unknown: $argument" ;;
  esac
done
if [[ ! "$repetitions" =~ ^[1-9][0-9]{0,3}$ ]] || ((repetitions < least_repetitions)); then
  fail "--repetitions has to be a number from $least_repetitions on: '$repetitions'"
fi
[[ -z "$filter" ]] || peer_options+=(--filter="$filter")
if [[ "$quick" == yes ]]; then
  repetitions=1
  peer_options+=(--quick)
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
groups=(build)
[[ "$peers" == no ]] || groups+=(peers)
bash bazel/install_dependencies.sh "${groups[@]}"
[[ -n "$output" ]] || output="$(mktemp -d -t foxtive-benchmarks-XXXXXX)"
# What another run left would be taken for this one's.
[[ ! -e "$output/raw" ]] || fail "$output/raw is there already"
mkdir -p "$output"

mapfile -t binaries < <(list_binaries)
((${#binaries[@]} > 0)) || fail "there are no benchmarks"
say "building"
build "${binaries[@]/#///benchmarks:}" //benchmarks/report
bin="$(bazel info -c opt bazel-bin 2>/dev/null)"
# A server that waits for work is no neighbour for a measurement.
bazel shutdown >/dev/null 2>&1

describe_machine >"$output/machine.txt"
for ((round = 1; round <= repetitions; ++round)); do
  say "round $round of $repetitions"
  # Names that sort in the order of the rounds.
  run_round "$output/raw/$(printf '%04d' "$round")"
done
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)" >>"$output/machine.txt"
mapfile -t files < <(find "$output/raw" -name '*.json' -o -name '*.txt' | LC_ALL=C sort)
((${#files[@]} > 0)) || fail "no benchmark has a name like '$filter'"
"$bin/benchmarks/report/report" --svg="$output/picture.svg" "${files[@]}" | tee "$output/table.md"
say "all of it is in $output"
