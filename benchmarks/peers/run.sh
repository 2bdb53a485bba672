#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs what is missing, builds the programs beside this file, and runs each of their cases once,
# in random order, each in a process of its own.
#
#   benchmarks/peers/run.sh [--quick] [--filter=<regular expression>]
#
# --filter: only cases whose name, "<workload>/<who>/<size>", matches. --quick: the first size of
# each workload alone. Prints lines "<name> <counter> <value>". ../run.sh calls it in each round.
set -euo pipefail

# <who> <workload> <size>..., where sizes are as many as can be waited for: what a restart costs in
# OTP grows with the restarts in a second, so the largest sizes of R1 to R3 would take it minutes.
readonly cases='
Suture R1_Error 2000 20000 200000
Suture R2_Exception 2000 20000 200000
Suture R3_Errors 100 1000
Suture R3_Exceptions 100 1000
Suture R4_Lateness 1000 0 10000
Suture R5_OneShot 2000 20000 200000
Suture R6_Memory 1000 100000
Suture R8_Shutdown 10 100 1000
ErlangOtp R1_Error 2000 20000
ErlangOtp R2_Exception 2000 20000
ErlangOtp R3_Errors 100
ErlangOtp R3_Exceptions 100
ErlangOtp R4_Lateness 1000 0 10000
ErlangOtp R5_OneShot 2000 20000 200000
ErlangOtp R6_Memory 1000 100000
ErlangOtp R8_Shutdown 10 100 1000
'

say() { echo "peers/run.sh: $*" >&2; }

build() {
  # The packaged suture is where Go looked for packages before there were modules.
  GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$built/suture_peer" suture_peer.go
  erlc -o "$built" otp_peer.erl
}

run_Suture() { "$built/suture_peer" "$1" "$2"; }

# Twice as many processes as the largest case has.
run_ErlangOtp() { erl +P 262144 -noshell -pa "$built" -run otp_peer main "$1" "$2"; }

# One case a line: <who> <workload> <size>.
list_cases() {
  local who workload sizes size
  while read -r who workload sizes; do
    for size in $sizes; do
      [[ ! "$workload/$who/$size" =~ $filter ]] || echo "$who $workload $size"
      [[ "$quick" == no ]] || break
    done
  done <<<"$cases"
}

quick=no
filter=
for argument in "$@"; do
  case "$argument" in
    --quick) quick=yes ;;
    --filter=*) filter="${argument#*=}" ;;
    *)
      say "unknown: $argument"
      exit 1
      ;;
  esac
done
cd "$(dirname "${BASH_SOURCE[0]}")"
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
bash ../../bazel/install_dependencies.sh peers
built="$(mktemp -d)"
trap 'rm -rf "$built"' EXIT
build
mapfile -t chosen < <(list_cases | shuf)
for line in "${chosen[@]}"; do
  read -r who workload size <<<"$line"
  "run_$who" "$workload" "$size" </dev/null
done
