#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# What is no worker does not compile, and whoever tries is told so by one message and little else:
# g++, and clang++ if it is there, has exactly one error for each line below. All that is one
# compiles, with every warning an error.
set -euo pipefail

# --- What may be written, and what not.

readonly no_worker='a worker takes a foxtive::TaskContext&, a std::stop_token or nothing, returns an absl::Status or nothing, and can be called more than once'
readonly not_kept='a worker is copied or moved into the task: std::move one that cannot be copied'
# What a compiler says of one line, the error included, in lines.
readonly most_output=10

readonly prelude='
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include "absl/status/statusor.h"
#include "foxtive/supervisor.h"
using namespace foxtive;
using Token = std::stop_token;
struct Anything { template <typename T> operator T() const { return T(); } };
struct OwnStatus { operator absl::Status() const { return absl::OkStatus(); } };
struct OnRequest { explicit operator absl::Status() const { return absl::OkStatus(); } };
struct OnceOnly { absl::Status operator()(TaskContext&) && { return absl::OkStatus(); } };
struct MoveOnly { MoveOnly(); MoveOnly(MoveOnly&&); void operator()(); };
struct Abstract { virtual void operator()(Token) = 0; };
struct Pinned { Pinned(); Pinned(Pinned&&) = delete; absl::Status operator()(TaskContext&); };
struct Private { private: void operator()(); };
struct Method { absl::Status Run(TaskContext&); int field; };
'

readonly no_workers='
// Results. A bool or an int is never a success.
RunFunction run([] { return 0; });
RunFunction run([] { return true; });
RunFunction run([](TaskContext&) { return 0; });
RunFunction run([](Token) { return false; });
int Main(TaskContext&); RunFunction run(Main);
RunFunction run(std::function<int()>([] { return 0; }));
RunFunction run{std::function<bool(const Token&)>()};
RunFunction run([] { return std::string("done"); });
RunFunction run([](TaskContext&) { return "done"; });
RunFunction run([] { return nullptr; });
RunFunction run([] { return absl::StatusOr<int>(1); });
RunFunction run([](TaskContext&) -> absl::StatusOr<std::string> { return "done"; });
RunFunction run([] { return std::optional<absl::Status>(); });
RunFunction run([] { return std::future<absl::Status>(); });
RunFunction run([] { return absl::StatusCode::kOk; });
RunFunction run([] { return std::make_error_code(std::errc()); });
RunFunction run([] { static absl::Status status; return &status; });
RunFunction run([] { return [] { return absl::OkStatus(); }; });
RunFunction run([] { return Anything(); });
RunFunction run([] { return OnRequest(); });
RunFunction run([](auto&&) { return 0; });
// Parameters.
RunFunction run([](int) { return absl::OkStatus(); });
RunFunction run([](TaskContext*) { return absl::OkStatus(); });
RunFunction run([](TaskContext&&) { return absl::OkStatus(); });
absl::Status Run(TaskContext); RunFunction run(Run);
RunFunction run([](Token&) { return absl::OkStatus(); });
RunFunction run([](std::stop_source) {});
RunFunction run([](TaskContext&, Token) { return absl::OkStatus(); });
RunFunction run(std::function<void(std::string)>([](std::string) {}));
RunFunction run(&Method::Run);
RunFunction run(&Method::field);
// Not to be called, or not again.
RunFunction run(1);
RunFunction run("run");
RunFunction run(absl::OkStatus());
RunFunction run(std::make_unique<MoveOnly>());
RunFunction run{Private()};
RunFunction run{OnceOnly()};
RunFunction run(absl::AnyInvocable<absl::Status() &&>([] { return absl::OkStatus(); }));
// Wherever a worker is given.
TaskSpec spec{.name = "task", .run = [](int) {}};
void Change(TaskSpec& spec) { spec.run = [] { return 0; }; }
void Start(Supervisor& all) { (void)all.Submit({.name = "a", .run = [] { return 0; }}); }
'

readonly not_to_be_kept='
void Keep(MoveOnly& worker) { RunFunction run(worker); }
void Keep(const MoveOnly& worker) { RunFunction run(std::move(worker)); }
void Keep(Abstract& worker) { RunFunction run(worker); }
void Keep(Pinned& worker) { RunFunction run(worker); }
RunFunction run{Pinned()};
'

readonly workers='
absl::Status Context(TaskContext&); void VoidContext(TaskContext&);
absl::Status ConstContext(const TaskContext&); void Stop(Token); absl::Status Quiet() noexcept;
RunFunction functions[] = {Context, &VoidContext, ConstContext, Stop, Quiet, nullptr, {}};
RunFunction wrapped[] = {std::function<void(const Token&)>(), absl::AnyInvocable<void()>()};
RunFunction lambdas[] = {[](TaskContext& context) { context.MarkHealthy(); }, [](Token) {},
                         [] { return absl::OkStatus(); }, [](auto&&) {}, [](auto&&...) {},
                         [count = 0]() mutable { ++count; }, [] { return OwnStatus(); }};
RunFunction bound(std::bind_front(&Method::Run, Method()));
TaskSpec spec{.name = "task", .run = [owned = MoveOnly()]() mutable { owned(); }};
void Keep(MoveOnly&& worker) { RunFunction run(std::move(worker)); }
void Refer(Abstract& worker, Pinned& pinned) { RunFunction run[] = {std::ref(worker), std::ref(pinned)}; }
void Change(TaskSpec& spec) { spec.run = [](std::stop_token) {}; spec.run = nullptr; }
'

# --- How it is tried.

failures=0
fail() {
  echo "run_function_compile_test.sh: $compiler: $1:" >&2
  cat "$work/output" >&2
  failures=$((failures + 1))
}

# The output is in a file; the result is the compiler's.
compile() {
  printf '%s\n' "$1" >"$work/snippet.cc"
  "$compiler" "${flags[@]}" -include "$work/prelude.h" -fsyntax-only "$work/snippet.cc" \
    >"$work/output" 2>&1
}

# The lines $1, each in a namespace of its own; without empty ones and comments.
apart() {
  grep -v -e '^//' -e '^$' <<<"$1" | awk '{ print "namespace n" NR " { " $0 " }" }'
}

# What is wrong with how the lines $1 are refused for the reason $2: as many errors as lines, all of
# them for that reason, and each line is named.
fault_of_refusals() {
  local lines count number
  lines="$(apart "$1")"
  count="$(wc -l <<<"$lines")"
  if compile "$lines"; then echo 'nothing is refused'; fi
  for ((number = 1; number <= count; ++number)); do
    grep -q "snippet\.cc:$number:" "$work/output" || echo "nothing is said of line $number"
  done
  if (($(grep -c 'error:' "$work/output") != count)); then echo "not exactly $count errors"; fi
  if grep 'error:' "$work/output" | grep -vF "$2"; then echo 'another error'; fi
  if (($(wc -l <"$work/output") > count * most_output)); then echo 'too much is said'; fi
}

refused() {
  local fault
  fault="$(fault_of_refusals "$1" "$2")"
  [[ -z "$fault" ]] || fail "$fault"
}

accepted() { compile "$1" || fail 'a worker does not compile'; }

# Would it be noticed? $1: what has to be said of the lines $2.
bites() {
  local fault
  fault="$(fault_of_refusals "$2" "$no_worker")"
  [[ "$fault" == *"$1"* ]] || fail "the test says '$fault', not '$1', of $2"
}

try_the_test() {
  bites 'nothing is refused' 'RunFunction run([] {});'
  bites 'of line 2' $'RunFunction run(1);\nRunFunction run([] {});\nRunFunction run("1");'
  bites 'not exactly 1 errors' 'RunFunction run(1), another("1");'
  bites 'another error' 'int number = "text";'
}

# Parsed once for all.
prepare() {
  printf '%s\n' "$prelude" >"$work/prelude.h"
  rm -f "$work/prelude.h.gch"
  "$compiler" "${flags[@]}" -x c++-header "$work/prelude.h" -o "$work/prelude.h.gch"
}

work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT

abseil="$(pkg-config --cflags absl_any_invocable absl_status absl_statusor absl_time)" || {
  echo 'if pkg-config has to be told where Abseil is: bazel test --test_env=PKG_CONFIG_PATH' >&2
  exit 1
}
export LC_ALL=C

for compiler in g++ clang++; do
  [[ "$compiler" == g++ ]] || command -v "$compiler" >/dev/null || continue
  read -ra flags <<<"-std=c++20 -Wall -Wextra -Werror -Iinclude $abseil"
  [[ "$compiler" == g++ ]] || flags+=(-ferror-limit=0)
  prepare
  try_the_test
  refused "$no_workers" "$no_worker"
  refused "$not_to_be_kept" "$not_kept"
  accepted "$workers"
done
((failures == 0))
