#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   install_test.sh install.sh file...
#
# What the installer puts where, what the libraries have in them, and what it says to bad input.
# tests/consumers.sh builds programs with it.
set -euo pipefail

readonly installer="$1"
shift
readonly files=("$@")

failures=0
fail() {
  echo "install_test.sh: $*" >&2
  failures=$((failures + 1))
}

equal() { [[ "$1" == "$2" ]] || fail "$3: expected"$'\n'"$1"$'\n'"but it is"$'\n'"$2"; }

# The user stands in the folder $work.
install() { BUILD_WORKING_DIRECTORY="$work" bash "$installer" "${files[@]}" -- "$@"; }

tree() { (cd "$1" && find . -not -type d -printf '%P %l\n' | sed 's/ $//' | LC_ALL=C sort); }

expected_tree() {
  local libdir="$1" header
  # The testing kit is a target of Bazel.
  for header in include/foxtive/*.h; do [[ "$header" == */testing.h ]] || echo "$header"; done
  cat <<END
$libdir/cmake/foxtive_supervisor/foxtive_supervisor-config-version.cmake
$libdir/cmake/foxtive_supervisor/foxtive_supervisor-config.cmake
$libdir/libfoxtive_supervisor.a
$libdir/libfoxtive_supervisor.so libfoxtive_supervisor.so.$abi_version
$libdir/libfoxtive_supervisor.so.$abi_version libfoxtive_supervisor.so.$version
$libdir/libfoxtive_supervisor.so.$version
$libdir/pkgconfig/foxtive-supervisor.pc
share/doc/foxtive-supervisor/LICENSE
END
}

pkg_config() { PKG_CONFIG_PATH="$1/pkgconfig" pkg-config "${@:2}" foxtive-supervisor; }

# --- What is there.

# The compiler knows best what a header says.
number_of() {
  echo "FOXTIVE_VERSION_$1" | g++ -std=c++20 -x c++ -E -P -include include/foxtive/version.h - |
    tail -1
}

check_trees() {
  install --prefix="$work/plain" >"$work/output"
  equal "installed foxtive-supervisor $version in $work/plain" "$(<"$work/output")" 'the last word'
  equal "$(expected_tree lib)" "$(tree "$work/plain")" 'the tree'
  install --prefix='here & there' --libdir=lib/some-linux/ >"$work/output"
  equal "$(expected_tree lib/some-linux)" "$(tree "$work/here & there")" 'the tree with --libdir'
  install --prefix=/opt/foxtive --destdir=stage >"$work/output"
  equal "$(expected_tree lib)" "$(tree "$work/stage/opt/foxtive")" 'the tree with --destdir'
  DESTDIR="$work/other" install --prefix=/opt/foxtive >"$work/output"
  equal "$(expected_tree lib)" "$(tree "$work/other/opt/foxtive")" 'the tree with DESTDIR'
  diff -r --exclude=testing.h include/foxtive "$work/plain/include/foxtive" || fail 'the headers are not the same'
  if grep -rn '@[A-Z_]*@' "$work/plain/lib/cmake" "$work/plain/lib/pkgconfig"; then
    fail 'something has not been filled in'
  fi
  equal '' "$(find "$work/plain" -not -type l -not -perm -444)" 'what not all may read'
}

check_archive() {
  local archive="$work/plain/lib/libfoxtive_supervisor.a"
  equal "$(find lib/core lib/shell lib/facade -name '*.cc' -printf '%f\n' | sed 's/\.cc$//' | sort)" \
    "$(ar t "$archive" | sed 's/\.pic\.o$//' | sort)" 'the objects, by name'
  equal '!<arch>' "$(head -c 7 "$archive")" 'the archive begins with'
}

# What the library $1 (and options of nm) defines for others, with the letters of nm: all functions
# and data in namespace foxtive, and what stands for its classes.
public_names() {
  nm --demangle --defined-only "$@" | sed 's/^[0-9a-f]* //' | grep -v internal:: |
    grep -E '^[TDBR] .*foxtive::|^V (vtable|typeinfo|typeinfo name) for foxtive::' | sort -u
}

check_shared_library() {
  local archive="$work/plain/lib/libfoxtive_supervisor.a"
  local shared="$work/plain/lib/libfoxtive_supervisor.so" dynamic names
  dynamic="$(readelf --dynamic --wide "$shared")"
  grep -qF "soname: [libfoxtive_supervisor.so.$abi_version]" <<<"$dynamic" || fail "soname: $dynamic"
  grep -q 'NODELETE' <<<"$dynamic" || fail 'dlclose would take the code of its threads away'
  grep -q 'NEEDED.*\[libtbb\.so' <<<"$dynamic" || fail "it does not name oneTBB: $dynamic"
  names="$(public_names "$archive")"
  [[ "$names" == *foxtive::Supervisor::Submit* ]] || fail "these are the public names: $names"
  equal "$names" "$(public_names --dynamic "$shared")" 'the public names'
  names="$(nm --dynamic --demangle --defined-only "$shared" | grep -E ' [A-Zu] (foxtive::internal|absl)' || true)"
  equal '' "$names" 'what need not be seen'
}

check_pkg_config() {
  local lib flags
  mv "$work/here & there" "$work/moved"
  for lib in "$work/plain/lib" "$work/moved/lib/some-linux"; do
    equal "$version" "$(pkg_config "$lib" --modversion)" 'the version of pkg-config'
    pkg_config "$lib" --validate || fail 'pkg-config finds fault'
    [[ -f "$(pkg_config "$lib" --variable=includedir)/foxtive/supervisor.h" ]] || fail "headers: $lib"
    flags="$(pkg_config "$lib" --libs-only-L)"
    flags="${flags#-L}"
    equal "$(realpath "$lib")" "$(realpath "${flags% }")" 'where the libraries are'
    [[ " $(pkg_config "$lib" --libs) " == *' -lfoxtive_supervisor '*' -labsl_status '* ]] || fail "--libs: $lib"
    [[ " $(pkg_config "$lib" --libs) " != *' -ltbb '* ]] || fail 'programs need not know oneTBB'
    [[ " $(pkg_config "$lib" --static --libs) " == *' -ltbb '* ]] || fail "--static --libs: $lib"
  done
  echo "#include <foxtive/version.h>
    static_assert(foxtive::kVersion == \"$version\");" >"$work/version.cc"
  # shellcheck disable=SC2046
  g++ -std=c++20 $(pkg_config "$lib" --cflags) -fsyntax-only "$work/version.cc" ||
    fail 'kVersion is not the version'
}

check_old_standard() {
  echo '#include "foxtive/supervisor.h"' >"$work/old.cc"
  ! g++ -std=c++17 -Iinclude -fsyntax-only -fmax-errors=1 "$work/old.cc" 2>"$work/output" ||
    fail 'C++17 is accepted'
  grep -q 'error: #error.* needs C++20' "$work/output" || fail "C++17: $(<"$work/output")"
}

check_help() {
  local option
  install --help >"$work/output"
  for option in --prefix --libdir --destdir; do
    grep -q -e "^  $option=DIR " "$work/output" || fail "--help says nothing of $option"
  done
}

# --- What happens to what was there.

check_replacement() {
  local lib="$work/old/lib" old
  mkdir -p "$lib" "$work/old/include/foxtive"
  echo older >"$lib/libfoxtive_supervisor.so.0.0.9"
  echo older | tee "$lib/libfoxtive_supervisor.so.$version" >"$work/old/include/foxtive/clock.h"
  ln -s libfoxtive_supervisor.so.0.0.9 "$lib/libfoxtive_supervisor.so"
  exec 9<"$lib/libfoxtive_supervisor.so.$version"
  install --prefix=old >"$work/output"
  old="$(cat <&9)"
  exec 9<&-
  equal older "$old" 'what a running program has of the file that is replaced'
  equal older "$(<"$lib/libfoxtive_supervisor.so.0.0.9")" 'a library with another name'
  rm "$lib/libfoxtive_supervisor.so.0.0.9"
  install --prefix=old >"$work/output"
  equal "$(tree "$work/plain")" "$(tree "$work/old")" 'the tree after three installations'
  diff -r "$work/plain" "$work/old" || fail 'an older file is left'
}

# refused <message> <option...>: it ends with 1 and says so.
refused() {
  local message="$1" output status=0
  shift
  output="$(install "$@" 2>&1)" || status=$?
  equal 1 "$status" "the exit status of: $*"
  [[ "$output" == "install: $message" ]] || fail "said of $*: $output"
}

check_bad_input() {
  mkdir -p "$work"/bad/{full,taken}/lib/pkgconfig/foxtive-supervisor.pc "$work/bad/closed"
  echo text >"$work/bad/file"
  rm -r "$work/bad/taken/lib/pkgconfig"
  echo text >"$work/bad/taken/lib/pkgconfig"
  local bad="$work/bad" before
  before="$(find "$bad")"
  refused '--prefix=DIR is missing: where the library will be used'
  refused '--prefix=DIR is missing: where the library will be used' --libdir=lib
  refused '--prefix needs a folder: --prefix=DIR' --prefix=
  refused '--prefix needs a folder: --prefix=DIR' --prefix "$bad/new"
  refused "there is no option '--prefx=bad/new': --prefix=DIR, --libdir=DIR, --destdir=DIR, --help" --prefx=bad/new
  refused "there is no option 'bad/new': --prefix=DIR, --libdir=DIR, --destdir=DIR, --help" --prefix=bad/new bad/new
  refused "--prefix='~/new': write \$HOME, a ~ is not replaced there" '--prefix=~/new'
  refused "--libdir='/lib' is not a folder below the prefix, such as lib" --prefix=bad/new --libdir=/lib
  refused "--libdir='a/../../lib' is not a folder below the prefix, such as lib" --prefix=bad/new --libdir=a/../../lib
  refused "--libdir='a|b': only letters, digits and . _ / + - may be in it" --prefix=bad/new '--libdir=a|b'
  refused "--prefix='bad/file': $bad/file is not a folder" --prefix=bad/file
  refused "--prefix='bad/file/new': $bad/file is not a folder" --prefix=bad/file/new
  refused "--prefix='bad/taken': $bad/taken/lib/pkgconfig is not a folder" --prefix=bad/taken
  refused "--prefix='bad/full': $bad/full/lib/pkgconfig/foxtive-supervisor.pc is a folder" --prefix=bad/full
  # Root may write everywhere.
  chmod a-w "$bad/closed"
  [[ -w "$bad/closed" ]] || refused "--prefix='bad/closed/new': $bad/closed cannot be written" --prefix=bad/closed/new
  # As if the disk were full when all but the archive is there.
  mkdir "$work/bin"
  printf '%s\n' '#!/bin/bash' '[[ "$*" != *.a\ * ]] && exec /usr/bin/install "$@"' >"$work/bin/install"
  chmod +x "$work/bin/install"
  equal 'failed' "$(PATH="$work/bin:$PATH" install --prefix=bad/a/b 2>/dev/null || echo failed)" 'a full disk'
  equal "$before" "$(find "$bad")" 'what is there after all that'
}

work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT

version="$(number_of MAJOR).$(number_of MINOR).$(number_of PATCH)"
abi_version="${version%.*}"
[[ "$version" == 0.* ]] || abi_version="${version%%.*}"
readonly version abi_version

check_trees
check_archive
check_shared_library
check_pkg_config
check_old_standard
check_help
check_replacement
check_bad_input
((failures == 0))
