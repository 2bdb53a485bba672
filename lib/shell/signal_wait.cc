// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/signal_wait.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "foxtive/clock.h"
#include "lib/shell/proc_status.h"
#include "lib/shell/real_time.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

int FirstNotBlocked(const sigset_t& signals, const ProcStatus& thread) {
  for (int signal = 1; signal <= 64; ++signal) {
    if (sigismember(&signals, signal) == 1 && !thread.Blocks(signal)) return signal;
  }
  return 0;
}

std::string NameOf(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat("signal ", signal);
}

}  // namespace

int TakeSignal(const sigset_t& signals, int64_t deadline_nanos) {
  while (true) {
    const int64_t left = deadline_nanos == Clock::kNever
                             ? Clock::kNever
                             : std::max<int64_t>(deadline_nanos - RealClock().NowNanos(), 0);
    const timespec limit = {.tv_sec = static_cast<time_t>(left / kNanosPerSecond),
                            .tv_nsec = static_cast<long>(left % kNanosPerSecond)};
    const int signal =
        sigtimedwait(&signals, nullptr, deadline_nanos == Clock::kNever ? nullptr : &limit);
    if (signal > 0) return signal;
    // Else another signal has been handled meanwhile.
    if (errno == EAGAIN && left == 0) return 0;
  }
}

std::string ThreadThatTakes(const sigset_t& signals) {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir("/proc/self/task"), &closedir);
  if (tasks == nullptr) return "";
  const std::string self = absl::StrCat(gettid());
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this stream.
  while (const dirent* const entry = readdir(tasks.get())) {
    const std::string id = entry->d_name;
    if (id[0] == '.' || id == self) continue;
    const ProcStatus thread = ReadThreadStatus(id);
    const int signal = FirstNotBlocked(signals, thread);
    if (thread.dead || signal == 0) continue;
    return absl::StrCat("thread '", thread.name, "' (", id, ") does not block ", NameOf(signal));
  }
  return "";
}

}  // namespace foxtive::internal
