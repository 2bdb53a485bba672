// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#ifndef FOXTIVE_LIB_CORE_NUMBER_TEXT_H_
#define FOXTIVE_LIB_CORE_NUMBER_TEXT_H_

#include <charconv>
#include <iterator>
#include <string>

namespace foxtive::internal {

// The shortest text that reads back as `value`: absl::StrCat rounds to six digits, and 0.99999999
// must not be refused as "1".
inline std::string NumberText(double value) {
  char text[32];
  const std::to_chars_result result = std::to_chars(std::begin(text), std::end(text), value);
  return std::string(text, result.ptr);
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_NUMBER_TEXT_H_
