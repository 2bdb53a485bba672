#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Is the library of use to others? Installs it into a temporary folder, and builds and runs the
# programs of tests/consumers outside of this tree: with make and pkg-config, with CMake, with Bazel.
#
#   bash tests/consumers.sh
#
# Installs what is missing by name. A line for each check, with the end of what was said where one
# failed; the last line is "N passed, N failed", the exit status 0 if none failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
export LC_ALL=C
unset DESTDIR

bash bazel/install_dependencies.sh build consumers || exit 1

work="$(mktemp -d)"
readonly work repository="$PWD"
installed="$work/installed"
passed=0
failed=0

consumer_bazel() { (cd "$work/bazel" && bazel --output_user_root="$work/bazel_output" --max_idle_secs=60 "$@"); }

clean_up() {
  [[ ! -d "$work/bazel_output" ]] || consumer_bazel shutdown >/dev/null 2>&1
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# check <what> <command...>
check() {
  if "${@:2}" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $1"
  else
    failed=$((failed + 1))
    echo "FAILED  $1"
    tail -n 40 "$work/log" | sed 's/^/        /'
  fi
}

# The command fails, and says something like $1.
fails_with() {
  local output
  ! output="$("${@:2}" 2>&1)" || { echo "it works: ${*:2}"; return 1; }
  echo "$output"
  [[ "$output" =~ $1 ]] || { echo "it does not say '$1'"; return 1; }
}

# --- The programs.

# The folder $work/$1, with the build files of $2.
prepare() {
  cp -r "tests/consumers/$2" "$work/$1" && cp tests/consumers/*.cc examples/quickstart.cc "$work/$1/"
}

# All public headers that are installed are in border.cc.
names_all_headers() {
  diff <(cd include && printf '#include "%s"\n' foxtive/*.h | grep -v /testing.h) \
    <(grep '^#include "foxtive/' tests/consumers/border.cc)
}

# The two programs in the folder $1 say what they should.
they_work() {
  local quickstart='prices: 3 attempts, OK
trades: 2 attempts, UNKNOWN: std::runtime_error: trade 4711 has no price'
  [[ "$("$1/quickstart")" == "$quickstart" ]] && [[ "$("$1/border")" == "border: ok, $version" ]]
}

# The program $2 loads the library, or not.
is_linked() {
  local needed
  needed="$(readelf --dynamic --wide "$2" | grep NEEDED)" || return
  echo "$needed"
  case "$1" in
    shared) [[ "$needed" == *"[libfoxtive_supervisor.so.$abi_version]"* && "$needed" != *libtbb* ]] ;;
    static) [[ "$needed" != *libfoxtive* && "$needed" == *libtbb* ]] ;;
  esac
}

# --- make.

build_with_make() { PKG_CONFIG_PATH="$installed/lib/pkgconfig" make -C "$work/$1" "${@:2}"; }

check_make() {
  prepare make_shared make && prepare make_static make
  check 'make, shared: build' build_with_make make_shared
  LD_LIBRARY_PATH="$installed/lib" check 'make, shared: run' they_work "$work/make_shared"
  check 'make, shared: loads the library by its soname' is_linked shared "$work/make_shared/border"
  check 'make, static: build' build_with_make make_static STATIC=yes
  check 'make, static: run' they_work "$work/make_static"
  check 'make, static: does not load the library' is_linked static "$work/make_static/border"
  check 'make, C++17: is told what is missing' \
    fails_with 'error: #error "Foxtive Supervisor needs C\+\+20' \
    build_with_make make_shared -B quickstart CXXFLAGS=-std=c++17
}

# --- CMake.

configure() { cmake -S "$work/cmake" -B "$work/$1" -DCMAKE_PREFIX_PATH="$installed" "${@:2}"; }
build_with_cmake() { configure "$@" && cmake --build "$work/$1" --verbose; }

check_cmake() {
  local request
  prepare cmake cmake
  check 'CMake, shared: build' build_with_cmake cmake_shared
  check 'CMake, shared: run' they_work "$work/cmake_shared"
  check 'CMake, shared: loads the library by its soname' is_linked shared "$work/cmake_shared/border"
  check 'CMake, static: build' build_with_cmake cmake_static -DBUILD_SHARED_LIBS=OFF
  check 'CMake, static: run' they_work "$work/cmake_static"
  check 'CMake, static: does not load the library' is_linked static "$work/cmake_static/border"
  check 'CMake: supervisor_static by name' is_linked static "$work/cmake_shared/static"
  check 'CMake: supervisor_shared by name' is_linked shared "$work/cmake_static/shared"

  for request in '' 0.1 "$version" "$version;EXACT" 0.1...0.9; do
    check "CMake: find_package($request) is served" configure requests -DREQUEST="$request"
  done
  for request in 0 0.0.9 0.1.99 0.2 1.0 '0.1.1;EXACT' 0.2...0.9 "0.0.1...<$version"; do
    check "CMake: find_package($request) is refused" \
      fails_with "foxtive_supervisor-config.cmake, version: $version" configure requests -DREQUEST="$request"
  done
  check 'CMake: find_package(0.1;COMPONENTS;x) is refused' \
    fails_with 'it has no components' configure requests -DREQUEST='0.1;COMPONENTS;x'
}

# --- Bazel.

check_bazel() {
  prepare bazel bazel && ln -s "$repository" "$work/foxtive_supervisor"
  check 'Bazel: build' consumer_bazel build --noshow_progress --color=no //...
  check 'Bazel: run' they_work "$work/bazel/bazel-bin"
}

# --- All of it.

check 'border.cc includes every public header' names_all_headers
check 'install' bazel run --noshow_progress --color=no //bazel:install -- --prefix="$installed"
library="$(echo "$installed"/lib/libfoxtive_supervisor.so.*.*.*)"
version="${library##*.so.}"
abi_version="${version%.*}"
[[ "$version" == 0.* ]] || abi_version="${version%%.*}"
check 'install: says its version' [ "$version" != '*.*.*' ]
check_make
# What has been built so far is done with: from here on all is somewhere else.
mkdir "$work/else"
mv "$installed" "$work/else/where"
installed="$work/else/where"
check_cmake
check_bazel
echo "$passed passed, $failed failed"
((failed == 0))
