// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/roll_call.h"

#include <algorithm>
#include <new>
#include <utility>

#include "foxtive/clock.h"
#include "lib/shell/engine.h"
#include "lib/shell/task_record.h"

namespace foxtive::internal {
namespace {

// Of the time to stop; what a worker does in it is worth more than what is said of it.
constexpr int kShareOfTime = 4;
constexpr absl::Duration kMostTime = absl::Milliseconds(500);
// A thread answers in microseconds once it is scheduled.
constexpr int64_t kLeastNanosOfOne = 1'000'000;

bool ComesBefore(const ShutdownReport::Task& a, const ShutdownReport::Task& b) {
  if (a.stuck() != b.stuck()) return a.stuck();
  return a.since_stop > b.since_stop;
}

}  // namespace

RollCall::~RollCall() {
  for (TaskRecord* record : records_) record->Unref();
}

void RollCall::Begin(absl::Duration timeout) {
  timeout_ = timeout;
  began_nanos_ = engine_.clock().NowNanos();
  try {
    records_ = engine_.table().TakeAll([this] { engine_.RefuseTasks(); });
  } catch (const std::bad_alloc&) {
    not_listed_ = engine_.table().unfinished_count();
  }
}

int64_t RollCall::time_to_ask_nanos() const {
  if (engine_.stack_signal() == 0 || !engine_.system().lanes_own_threads()) return 0;
  return absl::ToInt64Nanoseconds(
      std::clamp(timeout_ / kShareOfTime, absl::ZeroDuration(), kMostTime));
}

// In equal parts, of which most leave nearly all of theirs to the others.
void RollCall::AskWhere() {
  if (time_to_ask_nanos() == 0) return;
  const auto is_over = [](const TaskRecord* record) {
    return record->state() == TaskState::kFinished;
  };
  auto open = static_cast<int64_t>(records_.size()) -
              std::count_if(records_.begin(), records_.end(), is_over);
  const int64_t deadline = engine_.real_clock().NowNanos() + time_to_ask_nanos();
  for (TaskRecord* record : records_) {
    const int64_t left = deadline - engine_.real_clock().NowNanos();
    if (left <= 0) return;
    if (is_over(record)) continue;
    const int64_t part = std::max(left / std::max<int64_t>(open--, 1), kLeastNanosOfOne);
    try {
      record->AskWhere(absl::Nanoseconds(std::min(left, part)));
    } catch (const std::bad_alloc&) {
      return;
    }
  }
}

void RollCall::Fill(ShutdownReport& report) const {
  report = {.not_listed = not_listed_,
            .timeout = timeout_,
            .took = absl::Nanoseconds(engine_.clock().NowNanos() - began_nanos_)};
  try {
    report.tasks.reserve(records_.size());
    for (const TaskRecord* record : records_) report.tasks.push_back(record->AtShutdown());
  } catch (const std::bad_alloc&) {
    report.not_listed += records_.size() - report.tasks.size();
  }
  std::sort(report.tasks.begin(), report.tasks.end(), &ComesBefore);
}

}  // namespace foxtive::internal
