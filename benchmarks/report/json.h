// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// As much of JSON as Google Benchmark writes: everything but escapes for single code units (\u....)
// in strings. No number is anything but finite.
//
// Thread safety: none. Blocking: none. Errors: what is wrong, and in which line.

#ifndef FOXTIVE_BENCHMARKS_REPORT_JSON_H_
#define FOXTIVE_BENCHMARKS_REPORT_JSON_H_

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace foxtive::benchmarks {

struct Json {
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json>;

  // Null if it is no such thing.
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&value);
  }
  // The member of an object; null if it is none, or has none of that name.
  const Json* Find(const std::string& name) const;
  // The text of a member; empty if there is none.
  std::string Text(const std::string& name) const;

  std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value;
};

absl::StatusOr<Json> ParseJson(const std::string& text);

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_REPORT_JSON_H_
