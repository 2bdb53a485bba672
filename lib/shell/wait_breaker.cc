// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/wait_breaker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "foxtive/clock.h"
#include "lib/shell/real_time.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// What ppoll may wait for, at least 0.
timespec TimeUntil(int64_t deadline_nanos) {
  const int64_t now = RealClock().NowNanos();
  const int64_t left = deadline_nanos > now ? deadline_nanos - now : 0;
  timespec time;
  time.tv_sec = static_cast<time_t>(left / kNanosPerSecond);
  time.tv_nsec = static_cast<int64_t>(left % kNanosPerSecond);
  return time;
}

absl::Status SystemRefused(const char* what) {
  return absl::ResourceExhaustedError(
      absl::StrCat(what, ": ", std::system_category().message(errno)));
}

absl::Status DescriptorError(int fd, const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("fd: ", fd, what));
}

}  // namespace

absl::Status StopCameError() { return absl::CancelledError("the task was asked to stop"); }

absl::Status WaitedTooLongError() {
  return absl::DeadlineExceededError("what was waited for did not come in time");
}

WaitBreaker::~WaitBreaker() {
  if (descriptor_ >= 0) close(descriptor_);
}

void WaitBreaker::Break() noexcept {
  broken_ = true;
  if (descriptor_ >= 0) Signal();
  source_.request_stop();
}

// The counter of an eventfd can't be full after so few writes, so none of them blocks or fails.
void WaitBreaker::Signal() const noexcept {
  const int saved_errno = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof(one));
  errno = saved_errno;
}

absl::Status WaitBreaker::Open() {
  if (descriptor_ >= 0) return absl::OkStatus();
  const int opened = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (opened < 0) {
    return SystemRefused("no descriptor could be created for the stop to end the wait by");
  }
  int none = -1;
  if (!descriptor_.compare_exchange_strong(none, opened)) {
    close(opened);  // another thread was faster
    return absl::OkStatus();
  }
  if (broken_) Signal();
  return absl::OkStatus();
}

absl::Status WaitBreaker::AwaitDescriptor(int fd, short events, int64_t deadline_nanos) {
  if (broken_) return StopCameError();
  if (fd < 0) return DescriptorError(fd, " is negative");
  if (absl::Status status = Open(); !status.ok()) return status;
  while (true) {
    std::array<pollfd, 2> both = {pollfd{.fd = descriptor_, .events = POLLIN, .revents = 0},
                                  pollfd{.fd = fd, .events = events, .revents = 0}};
    const timespec time = TimeUntil(deadline_nanos);
    const int ready =
        ppoll(both.data(), both.size(), deadline_nanos == Clock::kNever ? nullptr : &time, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return SystemRefused("ppoll failed");
    if (both[0].revents != 0) return StopCameError();
    if ((both[1].revents & POLLNVAL) != 0) return DescriptorError(fd, " is not open");
    if (both[1].revents != 0) return absl::OkStatus();
    if (ready == 0) return WaitedTooLongError();
  }
}

}  // namespace foxtive::internal
