#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   readme_test.sh README.md source...
#
# Every block of C++ in the page, and every diff, stands, but for its indentation, in the source that the
# line before it names; those are compiled and run as tests. And every file that the page links to is there.
set -euo pipefail
readonly page="$1"
shift

# Prints the blocks, each after a line "@ <source>", without indentation; "@ none" without a source.
blocks() {
  awk '
    /^<!-- from: .* -->$/ { source = $3; next }
    /^```(cpp|diff)$/ { print "@ " (source == "" ? "none" : source); inside = 1; next }
    /^```$/ { inside = 0; source = "" }
    inside { sub(/^ */, ""); print }
  ' "$page"
}

unindented() { sed 's/^ *//' "$1"; }

contains() {  # file, text: as whole lines, one after the other
  [[ $'\n'"$(unindented "$1")"$'\n' == *$'\n'"$2"$'\n'* ]]
}

count=0
check() {  # source, text
  [[ "$1" != none ]] || { echo "a block has no source: ${2:0:60}" >&2; exit 1; }
  [[ -f "$1" ]] || { echo "there is no $1" >&2; exit 1; }
  contains "$1" "$2" || { echo "not in $1: ${2}" >&2; exit 1; }
  count=$((count + 1))
}

source='' text=''
while IFS= read -r line; do
  if [[ "$line" == '@ '* ]]; then
    [[ -z "$source" ]] || check "$source" "${text%$'\n'}"
    source="${line#@ }" text=''
  else
    text+="$line"$'\n'
  fi
done < <(blocks)
check "$source" "${text%$'\n'}"
((count == 14)) || { echo "$count blocks were found, not 14" >&2; exit 1; }

while IFS= read -r link; do
  [[ -e "$link" ]] || { echo "the page links to $link, which is not there" >&2; exit 1; }
done < <(awk '/^```/ { code = !code } !code' "$page" | grep -o '](\([^)#]*\))' | sed 's/^](//; s/)$//')

# It bites: a changed line is found.
if contains examples/quickstart.cc 'int main() { return 0; }'; then exit 1; fi
