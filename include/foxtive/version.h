// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The version of the library. It stands here alone: what is built and installed takes it from this
// file. Before 1.0 another minor version may be another API and ABI; from then on, another major.

#ifndef FOXTIVE_VERSION_H_
#define FOXTIVE_VERSION_H_

#include <string_view>

#define FOXTIVE_VERSION_MAJOR 0
#define FOXTIVE_VERSION_MINOR 1
#define FOXTIVE_VERSION_PATCH 0

// "major.minor.patch", once the macros are replaced by their numbers.
#define FOXTIVE_INTERNAL_QUOTED(text) #text
// NOLINTNEXTLINE(bugprone-macro-parentheses): they would become part of the text.
#define FOXTIVE_INTERNAL_DOTTED(major, minor, patch) FOXTIVE_INTERNAL_QUOTED(major.minor.patch)

namespace foxtive {

inline constexpr std::string_view kVersion =
    FOXTIVE_INTERNAL_DOTTED(FOXTIVE_VERSION_MAJOR, FOXTIVE_VERSION_MINOR, FOXTIVE_VERSION_PATCH);

}  // namespace foxtive

#undef FOXTIVE_INTERNAL_DOTTED
#undef FOXTIVE_INTERNAL_QUOTED

#endif  // FOXTIVE_VERSION_H_
