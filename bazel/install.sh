#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs the library for programs that are not built with Bazel.
#
#   bazel run //bazel:install -- --prefix=DIR [--libdir=DIR] [--destdir=DIR]
#
#   --prefix=DIR   where the library will be used, such as /usr/local
#   --libdir=DIR   where below it the libraries go: lib, or for instance lib/x86_64-linux-gnu
#   --destdir=DIR  to put in front of the prefix, for those who make packages; $DESTDIR if not given
#
# Relative folders are relative to where you are. What is installed finds itself: its folder may be
# moved. Files of the same names are replaced, each at once; where anything can't be written,
# nothing is changed.
set -euo pipefail
# A & in a path is nothing else, also where newer shells would think so.
shopt -u patsub_replacement 2>/dev/null || true

readonly name=foxtive_supervisor
readonly package=foxtive-supervisor

fail() {
  echo "install: $*" >&2
  exit 1
}

# --- What there is: the words in front of "--", which come from the BUILD file.

headers=()
declare -A file  # the path of each file by its name
while [[ "$1" != -- ]]; do
  file["${1##*/}"]="$1"
  [[ "$1" != *.h ]] || headers+=("$1")
  shift
done
shift

read_facts() {
  version="$(bash "${file[version.sh]}" "${file[version.h]}")"
  abi_version="${version#* }"
  version="${version% *}"
  { read -r public_modules && read -r private_modules; } <"${file[$name.modules]}"
}

# --- What is wanted.

prefix=
libdir=lib
destdir="${DESTDIR:-}"

parse_options() {
  local option
  for option in "$@"; do
    case "$option" in
      --prefix=?*) prefix="${option#*=}" ;;
      --libdir=?*)
        libdir="${option#*=}"
        libdir="${libdir%/}"
        ;;
      --destdir=*) destdir="${option#*=}" ;;
      --help)
        sed -n '4,14s/^# \?//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
      --prefix | --prefix= | --libdir | --libdir= | --destdir)
        fail "${option%=} needs a folder: ${option%=}=DIR"
        ;;
      *) fail "there is no option '$option': --prefix=DIR, --libdir=DIR, --destdir=DIR, --help" ;;
    esac
  done
  [[ -n "$prefix" ]] || fail '--prefix=DIR is missing: where the library will be used'
  [[ "$prefix" != '~'* ]] || fail "--prefix='$prefix': write \$HOME, a ~ is not replaced there"
  [[ ! "/$libdir/" =~ //|/\.\.?/ ]] ||
    fail "--libdir='$libdir' is not a folder below the prefix, such as lib"
  [[ "$libdir" =~ ^[A-Za-z0-9._/+-]+$ ]] ||
    fail "--libdir='$libdir': only letters, digits and . _ / + - may be in it"
}

# The absolute path of $1, from where the user is.
absolute() { (cd "${BUILD_WORKING_DIRECTORY:-$PWD}" && realpath -ms -- "$1"); }

# --- The tree.

set_folders() {
  header_folder=include/foxtive
  pkgconfig_folder="$libdir/pkgconfig"
  cmake_folder="$libdir/cmake/$name"
  doc_folder="share/doc/$package"
  folders=("$header_folder" "$libdir" "$pkgconfig_folder" "$cmake_folder" "$doc_folder")
}

# Prints the template $1 with what differs from one installation to another.
render() {
  local text to_prefix targets
  to_prefix="${libdir//[^\/]/}"
  # The same libraries have other names for CMake.
  targets=" $public_modules | $private_modules "
  targets="${targets// absl_/ absl::}"
  targets="${targets// tbb / TBB::tbb }"
  text="$(<"${file[$1.in]}")"
  text="${text//@VERSION@/$version}"
  text="${text//@ABI_VERSION@/$abi_version}"
  text="${text//@TO_PREFIX@/..${to_prefix//\///..}}"
  text="${text//@PUBLIC_MODULES@/${public_modules// /, }}"
  text="${text//@PRIVATE_MODULES@/${private_modules// /, }}"
  text="${text//@PUBLIC_TARGETS@/${targets%|*}}"
  text="${text//@PRIVATE_TARGETS@/${targets#*|}}"
  echo "$text"
}

make_tree() (
  copy() { install --mode=644 -- "$@"; }
  copy "${headers[@]}" "$1/$header_folder"
  copy "${file[lib$name.a]}" "$1/$libdir"
  copy "${file[lib$name.so]}" "$1/$libdir/lib$name.so.$version"
  ln -s "lib$name.so.$version" "$1/$libdir/lib$name.so.$abi_version"
  ln -s "lib$name.so.$abi_version" "$1/$libdir/lib$name.so"
  render "$package.pc" >"$1/$pkgconfig_folder/$package.pc"
  render "$name-config.cmake" >"$1/$cmake_folder/$name-config.cmake"
  render "$name-config-version.cmake" >"$1/$cmake_folder/$name-config-version.cmake"
  copy "${file[LICENSE]}" "$1/$doc_folder"
)

# --- To where it belongs.

# Made beside its destination, so that in the end each file only has to be renamed.
stage=
# The first folder that has been made, which is not to stay if there is nothing in it.
new_folder=

clean_up() {
  [[ -z "$stage" ]] || rm -rf "$stage"
  [[ -z "$new_folder" ]] || find "$new_folder" -depth -type d -empty -delete
}
trap clean_up EXIT

refuse() { fail "--prefix='$prefix': $*"; }

# Sets `missing` to the first folder of the path $1 that is not there.
check_folders() {
  local folder path
  missing=
  for folder in '' "${folders[@]/#//}"; do
    path="$1$folder"
    while [[ ! -e "$path" && ! -L "$path" ]]; do
      [[ -n "$folder" ]] || missing="$path"
      path="${path%/*}"
      path="${path:-/}"
    done
    [[ -d "$path" ]] || refuse "$path is not a folder"
    [[ -w "$path" && -x "$path" ]] || refuse "$path cannot be written"
  done
}

# The names in the folder $1 of the tree that are not folders.
set_names() {
  local path
  names=()
  for path in "$stage/$1"/*; do
    [[ -d "$path" && ! -L "$path" ]] || names+=("${path##*/}")
  done
}

main() {
  local root folder path
  parse_options "$@"
  set_folders
  root="$(absolute "$prefix")"
  [[ -z "$destdir" ]] || root="$(absolute "$destdir")$root"
  root="${root%/}"
  check_folders "$root"
  read_facts

  umask 022
  new_folder="$missing"
  mkdir -p "$root/"
  stage="$(mktemp -d "$root/.$name.XXXXXX")"
  mkdir -p "${folders[@]/#/$stage/}"
  make_tree "$stage"
  for folder in "${folders[@]}"; do
    set_names "$folder"
    for path in "${names[@]/#/$root/$folder/}"; do
      [[ ! -d "$path" || -L "$path" ]] || refuse "$path is a folder"
    done
  done
  mkdir -p "${folders[@]/#/$root/}"
  for folder in "${folders[@]}"; do
    set_names "$folder"
    mv -f -t "$root/$folder" -- "${names[@]/#/$stage/$folder/}"
  done
  echo "installed $package $version in $root"
}

main "$@"
