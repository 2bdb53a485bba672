// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Of what the printed forms of the public types are made. All of it allocates.

#ifndef FOXTIVE_LIB_CORE_TEXT_PARTS_H_
#define FOXTIVE_LIB_CORE_TEXT_PARTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "lib/core/text.h"

namespace foxtive::internal {

inline std::string Escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  EscapeControls(text, [&escaped](std::string_view piece) { escaped += piece; });
  return escaped;
}

// Exact. Settings like 60s and 90s are meant, and read, as seconds.
inline std::string DurationText(absl::Duration duration) {
  const bool in_seconds =
      duration < absl::Minutes(2) && duration % absl::Seconds(1) == absl::Duration();
  if (!in_seconds || duration < absl::Minutes(1)) return absl::FormatDuration(duration);
  return absl::StrCat(absl::ToInt64Seconds(duration), "s");
}

// Of a time that was measured: the digits that tell something.
inline std::string MeasuredText(absl::Duration duration) {
  const bool is_long = duration >= absl::Seconds(1);
  return DurationText(
      absl::Trunc(duration, is_long ? absl::Milliseconds(1) : absl::Microseconds(1)));
}

inline std::string Counted(int64_t count, const char* noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_TEXT_PARTS_H_
