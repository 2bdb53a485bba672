// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/starvation_alarm.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "lib/shell/engine.h"
#include "lib/shell/real_time.h"
#include "lib/shell/task_record.h"

namespace foxtive::internal {
namespace {

// As many as fit a line of a log.
constexpr size_t kNamed = 5;

struct Holder {
  std::string_view name;
  TaskRecord::LaneUse use;
};

std::string ForSeconds(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(1)));
}

std::string TextOf(const Holder& holder) {
  const char* const stopping = holder.use.state == TaskState::kStopping ? ", stopping," : "";
  return absl::StrCat("'", std::string(holder.name), "'", stopping, " for ",
                      ForSeconds(holder.use.in_state_for));
}

// The longest first.
std::string TextOf(std::vector<Holder>& holders) {
  std::stable_sort(holders.begin(), holders.end(), [](const Holder& a, const Holder& b) {
    return a.use.in_state_for > b.use.in_state_for;
  });
  std::string text =
      absl::StrCat(holders.size(), holders.size() == 1 ? " lane is" : " lanes are", " held, by ");
  for (size_t i = 0; i < std::min(holders.size(), kNamed); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", TextOf(holders[i]));
  }
  if (holders.size() > kNamed) absl::StrAppend(&text, " and ", holders.size() - kNamed, " more");
  return text;
}

// The tasks of an engine that have no result, as long as this lives.
class Unfinished {
 public:
  explicit Unfinished(Engine& engine) : engine_(engine), records_(engine.table().Unfinished()) {}
  ~Unfinished() {
    for (TaskRecord* record : records_) engine_.UnrefElsewhere(*record);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::vector<TaskRecord*>& records() const { return records_; }

 private:
  Engine& engine_;
  const std::vector<TaskRecord*> records_;
};

}  // namespace

StarvationAlarm::StarvationAlarm(Engine& engine) : engine_(engine) {
  if (After(0, engine.starvation_alarm()) != Clock::kNever) engine.lanes().WatchQueue();
}

int64_t StarvationAlarm::Look() {
  if (look_at_ == Clock::kNever && !engine_.lanes().is_crowded()) return Clock::kNever;
  const int64_t now = engine_.clock().NowNanos();
  const bool first = look_at_ == Clock::kNever;
  if (!first && now < look_at_) return look_at_;
  const Executor::Waiting waiting = engine_.lanes().LookAtQueue(/*forget=*/!first);
  if (waiting.jobs == 0) {
    told_ = false;
    return look_at_ = first ? After(now, engine_.starvation_alarm()) : Clock::kNever;
  }
  const int64_t due = After(waiting.first_queued_at, engine_.starvation_alarm());
  if (now < due) {
    told_ = false;
    return look_at_ = due;
  }
  if (!std::exchange(told_, true)) Tell(now - waiting.first_queued_at, waiting.jobs);
  // A wait of its own even where the alarm is set to 0.
  constexpr absl::Duration kLeast = absl::Seconds(1);
  return look_at_ = After(now, std::max(engine_.starvation_alarm(), kLeast));
}

void StarvationAlarm::Tell(int64_t waiting_for_nanos, size_t waiting) try {
  if (engine_.events().silent()) return;
  const Unfinished unfinished(engine_);
  Notice notice{.kind = EventKind::kStarving, .reason = "all lanes are held"};
  std::vector<Holder> holders;
  absl::Duration longest = -absl::InfiniteDuration();
  for (TaskRecord* record : unfinished.records()) {
    const TaskRecord::LaneUse use = record->UseOfLane();
    if (use.held) holders.push_back({.name = record->name(), .use = use});
    if (use.state != TaskState::kQueued || use.in_state_for <= longest) continue;
    longest = use.in_state_for;
    notice.task = record;
  }
  if (holders.empty()) return;  // one has just been let go
  notice.text =
      absl::StrCat("it has waited for ", ForSeconds(absl::Nanoseconds(waiting_for_nanos)), ", ",
                   waiting, waiting == 1 ? " task waits; " : " tasks wait; ", TextOf(holders));
  engine_.events().Emit(std::move(notice));
} catch (const std::bad_alloc&) {
  engine_.events().Emit({.kind = EventKind::kStarving, .reason = "all lanes are held"});
}

}  // namespace foxtive::internal
