// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the printed forms of the public types share with whoever else writes for people. Nothing
// here allocates. Thread safety: any thread.

#ifndef FOXTIVE_LIB_CORE_TEXT_H_
#define FOXTIVE_LIB_CORE_TEXT_H_

#include <array>
#include <string_view>

#include "foxtive/event_listener.h"
#include "foxtive/restart_policy.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_info.h"
#include "foxtive/task_spec.h"

namespace foxtive::internal {

// As the enumerator is written; empty for a value that has no name.
std::string_view NameOf(RestartOn restart_on);
std::string_view NameOf(OnStuck on_stuck);
std::string_view NameOf(SupervisionStatus status);
std::string_view NameOf(TaskState state);
std::string_view NameOf(TaskPhase phase);
std::string_view NameOf(EventKind kind);

// What tears a line, or does worse to a terminal.
inline bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Gives `append` the text piece by piece, control characters as `\x0a`.
template <typename Append>
void EscapeControls(std::string_view text, const Append& append) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char& c : text) {
    if (!IsControl(c)) {
      append(std::string_view(&c, 1));
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    const std::array<char, 4> hex = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    append(std::string_view(hex.data(), hex.size()));
  }
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_TEXT_H_
