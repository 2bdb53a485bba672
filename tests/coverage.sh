#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# How much of lib/ the tests run: lines and branches, of each file, each folder, and all.
#
#   tests/coverage.sh [--uncovered=path]... [--worlds=N]
#
#   --uncovered=lib/core     also each line and each branch there that nothing has run
#   --worlds=300             how many the simulator draws, from seed 1 on
#
# What runs is each *_test.cc of tests/, once, and the simulator. A test that fails is told, and
# makes the exit status 1, since the figures are then too low.
#
# What counts is clang's coverage of sources, compiled without optimisation: neither what the
# compiler adds nor calls that may throw are branches. A branch is one outcome, true or false, of
# one condition that is not constant, each operand of && and || by itself; a `case` has two, taken
# and passed over, and a `switch` without a default one, that no case fits. The instances of a
# template are counted together, and a header once. Processes that end by a signal or `_exit`, and
# children of a fork, count too (.bazelrc says how).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}" LC_ALL=C

worlds=300
uncovered=()
for argument in "$@"; do
  case "$argument" in
    --uncovered=?*) uncovered+=("${argument#*=}") ;;
    --worlds=*) worlds="${argument#*=}" ;;
    *) sed -n '4,19p' "$0"; exit 2 ;;
  esac
done
[[ "$worlds" =~ ^[0-9]+$ ]] || { echo "--worlds: '$worlds' is no number" >&2; exit 2; }

bash bazel/install_dependencies.sh build coverage

work="$(mktemp -d)"
readonly work status_file="$work/failed"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# One for each program, to which all its processes add.
export LLVM_PROFILE_FILE="$work/%c%m.profraw"
readonly quiet=(--config=coverage --noshow_progress --color=no --ui_event_filters=-info)

run_tests() {
  local targets
  mapfile -t targets < <(bazel query 'kind(cc_test, //tests:all) except attr(tags, manual, //tests:all)' 2>/dev/null)
  ((${#targets[@]} > 0)) || { echo 'no test was found' >&2; exit 1; }
  programs=("${targets[@]/#'//tests:'/tests/}" tests/simulator)
  if ! bazel test "${quiet[@]}" --keep_going --nocache_test_results \
    --test_env=LLVM_PROFILE_FILE="$LLVM_PROFILE_FILE" "${targets[@]}" >"$work/log" 2>&1; then
    touch "$status_file"
    cat "$work/log" >&2
  fi
  if ! bazel run "${quiet[@]}" //tests:simulator -- --first=1 --worlds="$worlds" >"$work/log" 2>&1; then
    touch "$status_file"
    cat "$work/log" >&2
  fi
}

# llvm_cov <command> <option...>: what it has to say of lib/.
llvm_cov() {
  local bin objects=() program
  bin="$(bazel info "${quiet[@]}" bazel-bin 2>/dev/null)"
  for program in "${programs[@]}"; do objects+=(-object "$bin/$program"); done
  # "Mismatched" are inline functions that one of the programs has, but does not use.
  llvm-cov "$@" -compilation-dir="$PWD" -instr-profile="$work/profile" "${objects[@]:1}" "$PWD/lib" \
    2> >(grep -vE 'functions have mismatched data' >&2)
}

# All counts as JSON, on one line; and the conditions that are constant, of which that says nothing.
collect() {
  llvm-profdata merge -o "$work/profile" "$work"/*.profraw
  llvm_cov export -skip-expansions -skip-functions >"$work/counts.json"
  llvm_cov show -use-color=0 -show-instantiations=0 -show-branches=count |
    grep -E '^/.*:$|^  \|  Branch .*\[Folded' >"$work/constants"
}

# What was missed under one of the paths in `only`, then the figures. Of each file come the branches,
# `[line, column, ., ., true, false, ...]`, its name, and the segments, `[line, column, count, counts,
# begins, gap]`: from there on, and up to the next one, the code has run so often.
report() {
  tr '[' '\n' <"$work/counts.json" | awk -v only="${uncovered[*]}" -v root="$PWD/" '
    function wanted(  i, n, paths) {
      n = split(only, paths, " ")
      for (i = 1; i <= n; ++i) if (index(file, paths[i]) == 1) return 1
      return 0
    }
    function count(what, hit,  folder) {
      folder = file
      sub(/\/[^\/]*$/, "", folder)
      if (!known[folder]++) folders[++n_folders] = folder
      ++all[file, what]; ++all[folder, what]; ++all["lib", what]
      ran[file, what] += hit; ran[folder, what] += hit; ran["lib", what] += hit
    }
    function miss(line, where, what) { if (wanted()) print file ":" where ": " what ":  " text[line] }
    function begin_file(  line) {
      files[++n_files] = file
      delete text
      for (line = 1; (getline text[line] < file) > 0; ++line) sub(/^ +/, "", text[line])
      close(file)
    }
    # Instances of one template have the same places.
    function end_branches(  i, side) {
      for (i = 1; i <= branches; ++i) for (side = 1; side >= 0; --side) {
        if ((file, places[i]) in constant) continue
        count("branches", taken[places[i], side] > 0)
        if (!taken[places[i], side]) miss(line_of[i], places[i], side ? "never true" : "never false")
      }
      branches = 0
      delete taken; delete seen; delete segments_of
    }
    # A line has run as often as what it begins in, or as what begins on it. In the gap after a
    # statement that may leave the function clang 14 counts 0; there, what follows the gap decides.
    function end_line(  runs) {
      runs = most
      if (at_start != "" && at_start > runs) runs = at_start
      if (runs == -1 && resumed != "") runs = resumed
      if (runs >= 0 && !skipped) {
        count("lines", runs > 0)
        if (runs == 0) miss(line, line, "never run")
      }
      most = -1
      at_start = state
      resumed = ""
      skipped = 0
    }
    function segment(to, n, counts, begins, gap) {
      for (; line < to; ++line) if (line) end_line()
      # A comment by itself, or a blank line.
      if (!segments_of[line]++ && counts == "false" && begins == "true") skipped = 1
      state = counts == "true" && gap != "true" ? n + 0 : ""
      if (state == "") return
      if (begins != "true") resumed = state
      else if (state > most) most = state
    }
    function figure(name, what) {
      if (!all[name, what]) return sprintf("%21s", "-")
      return sprintf("%6d of %4d %5.1f %%", ran[name, what], all[name, what], 100 * ran[name, what] / all[name, what])
    }
    function row(name) { printf "%-34s %s   %s\n", name, figure(name, "lines"), figure(name, "branches") }

    FNR == NR {
      if (match($0, /^\/.*:$/)) name = substr($0, length(root) + 1, length($0) - length(root) - 1)
      split($0, part, /[(:)]/)
      if (/Folded/) constant[name, part[2] ":" part[3]]
      next
    }
    /^[0-9]/ {
      split($0, part, /[],]/)
      if (mode == "branches") {
        place = part[1] ":" part[2]
        if (!seen[place]++) { places[++branches] = place; line_of[branches] = part[1] }
        taken[place, 1] += part[5]; taken[place, 0] += part[6]
      } else if (mode == "segments") {
        segment(part[1] + 0, part[3], part[4], part[5], part[6])
      }
    }
    match($0, /"filename":"[^"]*"/) {
      file = substr($0, RSTART + 12, RLENGTH - 13)
      sub("^" root, "", file)
      begin_file()
      end_branches()
      line = 0; most = -1; state = at_start = resumed = ""
    }
    match($0, /"(branches|segments)":$/) {
      if (mode == "segments") end_line()
      mode = substr($0, RSTART + 1, RLENGTH - 3)
    }
    END {
      end_line()
      if (!n_files) { print "llvm-cov has found no file of lib/" > "/dev/stderr"; exit 1 }
      if (only != "") print ""
      printf "%-34s %21s   %21s\n", "", "lines", "branches"
      for (i = 1; i <= n_files; ++i) row(files[i])
      print ""
      for (i = 1; i <= n_folders; ++i) row(folders[i])
      row("lib")
    }' "$work/constants" -
}

run_tests
collect
report
[[ ! -e "$status_file" ]]
