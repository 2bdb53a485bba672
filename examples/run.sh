#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs what is missing, builds, and shows the main example: the lines of a log are shipped to
# another process, which is killed twice on the way, and nothing is lost.
#
#   examples/run.sh [log file]
#
# Without an argument the log is /var/log/dpkg.log, or /var/lib/dpkg/status where that is missing or
# has next to nothing in it. The last line is the verdict; exit status 0: every line arrived once.
set -euo pipefail

readonly defaults=(/var/log/dpkg.log /var/lib/dpkg/status)
readonly min_lines=3
readonly package=examples/log_shipper

say() { echo "run.sh: $*" >&2; }

# Text, with some lines, and readable.
is_usable() {
  [[ -f "$1" && -r "$1" ]] && (($(head -n "$min_lines" -- "$1" | wc -l) == min_lines)) &&
    ! LC_ALL=C grep -q --text --perl-regexp '\x00' -- "$1"
}

# Prints the absolute path of the log to ship.
choose_log() {
  local candidate
  for candidate in "${@:-${defaults[@]}}"; do
    if is_usable "$candidate"; then
      realpath -- "$candidate"
      return
    fi
    say "$candidate is no readable text file of $min_lines lines or more"
  done
  return 1
}

# Without a word, unless it fails.
build() {
  local output
  output="$(bazel build "//$package:log_shipper" "//$package:log_sink" 2>&1)" && return
  echo "$output" >&2
  return 1
}

main() {
  local log bin
  if (($# > 1)); then
    say "usage: $0 [log file]"
    exit 2
  fi
  log="$(choose_log "$@")" || exit 2
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
  bash bazel/install_dependencies.sh examples
  say "building; the first time takes a minute"
  build
  bin="$(bazel info bazel-bin 2>/dev/null)/$package"
  exec bash "$package/demo.sh" "$bin/log_shipper" "$bin/log_sink" "$log"
}

main "$@"
