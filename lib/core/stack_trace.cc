// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/stack_trace.h"

#include <cstddef>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"

namespace foxtive {

std::string ToString(const StackTrace& stack) {
  std::string text = stack.missing;
  for (size_t i = 0; i < stack.frames.size(); ++i) {
    const StackFrame& frame = stack.frames[i];
    absl::StrAppend(&text, text.empty() ? "" : "\n", "#", i, " ",
                    frame.function.empty() ? "?" : frame.function);
    if (frame.module_file.empty()) {
      absl::StrAppend(&text, " (0x", absl::Hex(frame.address), ")");
    } else {
      absl::StrAppend(&text, " (", frame.module_file, "+0x", absl::Hex(frame.offset), ")");
    }
  }
  if (stack.cut) absl::StrAppend(&text, "\n...");
  return text;
}

std::ostream& operator<<(std::ostream& out, const StackTrace& stack) {
  return out << ToString(stack);
}

}  // namespace foxtive
