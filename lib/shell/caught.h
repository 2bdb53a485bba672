// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the user's code threw, as a status.

#ifndef FOXTIVE_LIB_SHELL_CAUGHT_H_
#define FOXTIVE_LIB_SHELL_CAUGHT_H_

#include <cstddef>
#include <exception>
#include <string_view>

#include "absl/status/status.h"

namespace foxtive::internal {

// The longest text kept of one exception: a `what()` may be as long as the worker's input.
inline constexpr size_t kMaxWhatBytes = size_t{64} * 1024;

// How user code failed; OK if it did not.
struct Failure {
  absl::Status status{};
  std::exception_ptr exception{};  // set if it threw
};

// kUnknown, "<demangled type>: <what()>"; without ": ..." for what is no std::exception. If there
// is no memory for that, a status made in advance that says so. Runs `what()`, the user's code.
// REQUIRES: called in the catch block that caught the exception, which is null for what is no
//   std::exception.
absl::Status CaughtStatus(const std::exception* exception) noexcept;

// Calls `function`, and catches what it throws.
template <typename Function>
Failure Guarded(Function&& function) noexcept {
  try {
    return {.status = function()};
  } catch (const std::exception& exception) {
    return {.status = CaughtStatus(&exception), .exception = std::current_exception()};
  } catch (...) {
    return {.status = CaughtStatus(nullptr), .exception = std::current_exception()};
  }
}

// What `on_exception` is told: `what()`, or the type of what is no std::exception. Part of
// `failure`: no memory is needed for it. Runs `what()`, the user's code.
//
// REQUIRES: failure.exception is set.
std::string_view WhatOf(const Failure& failure);

// What calls answer that find no memory: without a text, which would need some.
inline absl::Status NoMemory() { return absl::Status(absl::StatusCode::kResourceExhausted, ""); }

// One that shares nothing with `status`. For whoever is not of the library: the reference count of
// a status orders those who share it, but may lie in a library that the thread sanitizer does not
// see into, and then a user's last copy is reported as a race with a lane that has read it. Throws
// std::bad_alloc.
absl::Status UnsharedCopy(const absl::Status& status);

// Makes `status` such a copy, if there is memory for it. For what is handed to the user where
// memory may not be needed, under the thread sanitizer alone: whoever destroys the last copy would
// be reported, be it a worker or a host.
void ShareNothing(absl::Status& status) noexcept;

// Makes the status for the lack of memory; called once before the first attempt.
void PrepareOutOfMemoryStatus();

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_CAUGHT_H_
