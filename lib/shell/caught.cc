// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/caught.h"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <typeinfo>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "foxtive/run_function.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::internal {
namespace {

const absl::Status& OutOfMemoryStatus() {
  // Leaked: lanes may use it while the process exits.
  static const auto& status =
      *new absl::Status(absl::StatusCode::kUnknown,
                        "std::bad_alloc, or another exception without the memory to say which");
  return status;
}

std::string Demangle(const std::type_info* type) {
  if (type == nullptr) return "unknown exception";
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &failed), &std::free);
  return failed == 0 && name != nullptr ? name.get() : type->name();
}

std::string_view Text(const char* what) {
  if (what == nullptr) return "(null)";
  return std::string_view(what, strnlen(what, kMaxWhatBytes));
}

absl::Status Describe(const std::string& type, const std::exception* exception) {
  if (exception == nullptr) return absl::UnknownError(type);
  return absl::UnknownError(absl::StrCat(type, ": ", std::string(Text(exception->what()))));
}

// What this thread has described last. A crash loop throws the same again and again, and both
// demangling and making a status take longer than to see that.
struct LastCaught {
  std::string mangled;  // a copy: its library may be unloaded
  std::string type;
  absl::Status status;

  bool HasType(const std::type_info* info) const {
    return info != nullptr && mangled == info->name();
  }

  void SetType(const std::type_info* info) {
    mangled.clear();  // if the rest throws, nothing fits
    type = Demangle(info);
    if (info != nullptr) mangled = info->name();
  }

  // Whether `status` is what `Describe` would make.
  bool Fits(const std::exception* exception) const {
    std::string_view rest(status.message().data(), status.message().size());
    if (!rest.starts_with(type)) return false;
    rest.remove_prefix(type.size());
    if (exception == nullptr) return rest.empty();
    return rest.starts_with(": ") && rest.substr(2) == Text(exception->what());
  }
};

LastCaught& LastOfThisThread() {
  thread_local LastCaught last;
  return last;
}

}  // namespace

absl::Status CaughtStatus(const std::exception* exception) noexcept {
  try {
    LastCaught& last = LastOfThisThread();
    const std::type_info* const type = abi::__cxa_current_exception_type();
    const bool same_type = last.HasType(type);
    if (!same_type) last.SetType(type);
    if (!same_type || !last.Fits(exception)) last.status = Describe(last.type, exception);
    // Else the lanes that this thread's exceptions have gone to share it.
    return kThreadSanitizer ? UnsharedCopy(last.status) : last.status;
  } catch (...) {
    return OutOfMemoryStatus();
  }
}

}  // namespace foxtive::internal

absl::Status foxtive::RunFunction::Caught(const std::exception* exception,
                                          std::exception_ptr& thrown) noexcept {
  thrown = std::current_exception();
  return internal::CaughtStatus(exception);
}

namespace foxtive::internal {

std::string_view WhatOf(const Failure& failure) {
  try {
    std::rethrow_exception(failure.exception);
  } catch (const std::exception& error) {
    return Text(error.what());  // which lives as long as the exception
  } catch (...) {
    return {failure.status.message().data(), failure.status.message().size()};
  }
}

absl::Status UnsharedCopy(const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status copy(static_cast<absl::StatusCode>(status.raw_code()), status.message());
  status.ForEachPayload([&copy](absl::string_view type, const absl::Cord& payload) {
    copy.SetPayload(type, absl::Cord(std::string(payload)));
  });
  return copy;
}

void ShareNothing(absl::Status& status) noexcept {
  try {
    status = UnsharedCopy(status);
  } catch (const std::bad_alloc&) {
  }
}

void PrepareOutOfMemoryStatus() { OutOfMemoryStatus(); }

}  // namespace foxtive::internal
