// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Fuzz target: TimerWheel against the sorted set. After every operation size and next deadline are
// compared, and every pop is. The first bytes say what time it is and how it ends.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "lib/core/timer_wheel.h"
#include "tests/fuzz/input.h"
#include "tests/support/timer_model.h"

namespace foxtive::test {
namespace {

using internal::TimerNode;
using internal::TimerWheel;

constexpr uint64_t kNever = TimerWheel::kNever;
// More than two slots of which each has more than kMaxScan.
constexpr size_t kTimers = 600;
// Drawn one by one; the others are for crowds. So few that one is often met again.
constexpr size_t kSingle = 16;

struct Timer : TimerNode {};

uint64_t Sum(uint64_t a, uint64_t b) { return a > kNever - b ? kNever : a + b; }

class Run {
 public:
  explicit Run(Input& input) : input_(input), start_(Start()), wheel_(start_), model_(start_) {}
  ~Run() {
    for (Timer& timer : timers_) wheel_.Cancel(timer);
  }

  void Operate();
  void CheckState() const;
  // Sleeps from deadline to deadline, as the monitor does, until nothing is left but kNever.
  void Drain() {
    while (model_.NextDeadline() != kNever) WakeUp();
  }
  void CheckEarlyWakeUps() const;

 private:
  // At both ends of the range, and in it.
  uint64_t Start() { return input_.Bool() ? kNever - input_.Number() : input_.Number(); }

  size_t Single() { return input_.Below(kSingle); }
  uint64_t Deadline();

  void Schedule(size_t id, uint64_t deadline) {
    if (timers_[id].scheduled()) Cancel(id);
    wheel_.Schedule(timers_[id], deadline);
    model_.Schedule(id, deadline);
    ++scheduled_;
  }

  void Cancel(size_t id) {
    const bool expected = model_.Cancel(id);
    Check(timers_[id].scheduled() == expected, "scheduled() is wrong");
    Check(wheel_.Cancel(timers_[id]) == expected, "Cancel() is wrong");
  }

  void CancelEarliest() {
    if (model_.size() > 0) Cancel(model_.Earliest());
  }

  bool Pop(uint64_t now) {
    TimerNode* const node = wheel_.PopDue(now);
    const int64_t id = node == nullptr ? -1 : static_cast<Timer*>(node) - timers_.data();
    const int64_t expected = model_.PopDue(now);
    Check(id == expected, [&] {
      return absl::StrCat("PopDue(", now, ") gave timer ", id, " instead of ", expected);
    });
    return node != nullptr;
  }

  void WakeUp() {
    const uint64_t now = wheel_.NextDeadline();
    Check(now <= model_.NextDeadline(), "it would be woken too late");
    early_wake_ups_ += now < model_.NextDeadline();
    Pop(now);
  }

  void ScheduleCrowd();
  void CancelFromCrowd();

  Input& input_;
  const uint64_t start_;
  std::array<Timer, kTimers> timers_;
  TimerWheel wheel_;
  TimerModel model_;
  size_t crowd_ = kSingle;  // which one is next
  int64_t scheduled_ = 0;
  int64_t early_wake_ups_ = 0;
};

// Far or near, at what another one has, or in the past.
uint64_t Run::Deadline() {
  switch (input_.Below(5)) {
    case 0:
      return Sum(model_.now(), input_.Number());
    case 1:
      return Sum(timers_[Single()].deadline_ticks(), input_.Below(3)) - 1;
    case 2:
      return model_.now() - std::min(model_.now(), input_.Number());
    case 3:
      return kNever - input_.Number();
    default:
      return Sum(model_.now(), input_.Below(256));
  }
}

// As many as one slot may be scanned for, and more, in one part of the range.
void Run::ScheduleCrowd() {
  const uint64_t first = Deadline();
  const uint64_t stride = input_.Number();
  size_t count = input_.Below(256) + 1;
  for (uint64_t deadline = first; count > 0; --count, deadline = Sum(deadline, stride)) {
    Schedule(crowd_, deadline);
    crowd_ = crowd_ + 1 < kTimers ? crowd_ + 1 : kSingle;
  }
}

void Run::CancelFromCrowd() {
  const size_t first = input_.Below(kTimers);
  const size_t count = input_.Below(64);
  for (size_t id = first; id < std::min(first + count, kTimers); ++id) Cancel(id);
}

void Run::Operate() {
  switch (input_.Below(10)) {
    case 0:
    case 1:
      return Schedule(Single(), Deadline());
    case 2:
      return Cancel(Single());
    case 3:
      return CancelEarliest();
    case 4:  // not too far: there is no way back
      Pop(Sum(model_.now(), input_.Number() >> 32));
      return;
    case 5:  // exactly when one is due, or one tick before
      Pop(model_.NextDeadline() - std::min(model_.NextDeadline(), uint64_t{input_.Bool()}));
      return;
    case 6: {
      const uint64_t now = Deadline();
      while (Pop(now)) {
      }
      return;
    }
    case 7:
      return ScheduleCrowd();
    case 8:
      return CancelFromCrowd();
    default:
      if (model_.NextDeadline() != kNever) WakeUp();
  }
}

void Run::CheckState() const {
  Check(wheel_.size() == model_.size(), "size() is wrong");
  const uint64_t next = wheel_.NextDeadline();
  const uint64_t expected = model_.NextDeadline();
  const bool exact = model_.size() <= TimerWheel::kMaxScan;
  Check(exact ? next == expected : next <= expected,
        [&] { return absl::StrCat("NextDeadline() is ", next, " instead of ", expected); });
}

void Run::CheckEarlyWakeUps() const {
  constexpr auto kPerTimers = static_cast<int64_t>(TimerWheel::kMaxScan) + 1;
  Check(early_wake_ups_ * kPerTimers <= (TimerWheel::kLevels - 1) * scheduled_,
        "more early wake-ups than are promised");
}

}  // namespace
}  // namespace foxtive::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  foxtive::test::Input input(data, size);
  const bool drains = input.Bool();
  foxtive::test::Run run(input);
  run.CheckState();
  while (!input.empty()) {
    run.Operate();
    run.CheckState();
  }
  if (drains) run.Drain();
  run.CheckEarlyWakeUps();
  return 0;
}
