#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Prints the version that include/foxtive/version.h says, "0.1.0", and after a blank the part of it
# that changes when programs have to be built anew: "0.1", from 1.0 on the first number alone.
#
#   version.sh version.h
set -euo pipefail

numbers=()
for part in MAJOR MINOR PATCH; do
  [[ "$(<"$1")" =~ $'\n#define FOXTIVE_VERSION_'$part' '([0-9]+)$'\n' ]] || {
    echo "version.sh: $1 does not say what FOXTIVE_VERSION_$part is" >&2
    exit 1
  }
  numbers+=("${BASH_REMATCH[1]}")
done

abi="${numbers[0]}"
((abi > 0)) || abi+=".${numbers[1]}"
echo "${numbers[0]}.${numbers[1]}.${numbers[2]} $abi"
