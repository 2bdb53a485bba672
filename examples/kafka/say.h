// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A line for people, on the standard output, in one piece whichever thread says it.

#ifndef FOXTIVE_EXAMPLES_KAFKA_SAY_H_
#define FOXTIVE_EXAMPLES_KAFKA_SAY_H_

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace kafka_consumer {

inline void Say(absl::string_view what) {
  const std::string line = absl::StrCat(what, "\n");
  // Nothing sensible can be done about an output that takes nothing.
  [[maybe_unused]] const ssize_t ignored = ::write(STDOUT_FILENO, line.data(), line.size());
}

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_SAY_H_
