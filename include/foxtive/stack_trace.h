// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StackTrace: where a worker was, innermost call first. See TaskHandle::CaptureStack.
//
// Lifetime: a value. Thread safety: as a value. Blocking: none. Errors: printing may throw
// `std::bad_alloc`.

#ifndef FOXTIVE_STACK_TRACE_H_
#define FOXTIVE_STACK_TRACE_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace foxtive {

struct StackFrame {
  uintptr_t address = 0;      // of the instruction, or of the one behind the call
  std::string function{};     // demangled; empty if nothing says what is there
  std::string module_file{};  // of the program or library
  uintptr_t offset = 0;       // of `address` in it, for addr2line
};

struct StackTrace {
  std::vector<StackFrame> frames{};
  bool cut = false;       // there were more
  std::string missing{};  // of an event: why there are none
};

// For people, a line for each frame: `#0 poll (/lib/x86_64-linux-gnu/libc.so.6+0x10a1f0)`.
std::string ToString(const StackTrace& stack);
std::ostream& operator<<(std::ostream& out, const StackTrace& stack);
template <typename Sink>
void AbslStringify(Sink& sink, const StackTrace& stack) {
  sink.Append(ToString(stack));
}

}  // namespace foxtive

#endif  // FOXTIVE_STACK_TRACE_H_
