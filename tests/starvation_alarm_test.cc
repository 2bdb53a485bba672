// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// SupervisorOptions::starvation_alarm: who waits for a lane for too long, and who holds the lanes;
// on simulated time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"

namespace foxtive {
namespace {

using foxtive::testing::EventRecorder;
using foxtive::testing::RecordedEvent;
using foxtive::testing::SimulatedTime;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kNano = absl::Nanoseconds(1);
constexpr absl::Duration kAlarm = absl::Seconds(10);

class StarvationAlarmTest : public ::testing::Test {
 protected:
  void Create(int lanes, absl::Duration alarm = kAlarm) {
    supervisor_ = *Supervisor::Create({.max_concurrency = lanes,
                                       .starvation_alarm = alarm,
                                       .listener = events_,
                                       .clock = time_.clock(),
                                       .seed = 1});
  }
  TaskHandle Hold(std::string name, absl::Duration duration) {
    return *supervisor_->Submit(std::move(name),
                                [duration](TaskContext& context) { context.SleepFor(duration); });
  }
  std::vector<std::string> Alarms() const {
    std::vector<std::string> lines;
    for (const RecordedEvent& event : events_->events()) {
      if (event.kind != EventKind::kStarving) continue;
      lines.push_back(absl::StrCat(absl::FormatDuration(event.uptime), " ", event.text));
    }
    return lines;
  }

  SimulatedTime time_;
  const std::shared_ptr<EventRecorder> events_ = std::make_shared<EventRecorder>();
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(StarvationAlarmTest, IsRaisedAtItsTimeAndOnce) {
  Create(2);
  Hold("a", absl::Hours(1));
  time_.AdvanceBy(absl::Seconds(5));
  Hold("b", absl::Hours(1));
  Hold("c", absl::ZeroDuration());
  time_.AdvanceBy(absl::Seconds(1));
  Hold("d", absl::ZeroDuration());
  time_.AdvanceBy(absl::Seconds(9) - kNano);
  EXPECT_THAT(Alarms(), IsEmpty());
  time_.AdvanceBy(kNano);
  EXPECT_THAT(Alarms(), ElementsAre("15s task 'c' waits for a lane: it has waited for 10s, 2 tasks "
                                    "wait; 2 lanes are held, by 'a' for 15s, 'b' for 10s"));
  time_.AdvanceBy(absl::Minutes(30));
  EXPECT_EQ(Alarms().size(), 1u);
}

TEST_F(StarvationAlarmTest, IsNotRaisedIfTheQueueMoves) {
  Create(1);
  for (int i = 0; i < 100; ++i) Hold(absl::StrCat("task-", i), absl::Milliseconds(99));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(Alarms(), IsEmpty());
}

TEST_F(StarvationAlarmTest, IsRaisedAnewWhenItComesToThatAgain) {
  Create(1);
  for (const char* name : {"a", "c"}) {
    Hold(name, kAlarm + kNano);
    Hold(absl::StrCat("after ", name), absl::ZeroDuration());
    time_.AdvanceBy(absl::Minutes(1));
  }
  EXPECT_THAT(Alarms(),
              ElementsAre(HasSubstr("10s task 'after a'"), HasSubstr("1m10s task 'after c'")));
}

// The longest first, and no more than a line has room for.
TEST_F(StarvationAlarmTest, NamesThoseThatHaveHeldLongest) {
  Create(8);
  for (int i = 0; i < 8; ++i) {
    Hold(absl::StrCat("task-", i), absl::Hours(1));
    time_.AdvanceBy(absl::Seconds(1));
  }
  Hold("waits", absl::ZeroDuration());
  time_.AdvanceBy(kAlarm);
  EXPECT_THAT(Alarms(), ElementsAre(EndsWith("8 lanes are held, by 'task-0' for 18s, 'task-1' for "
                                             "17s, 'task-2' for 16s, 'task-3' for 15s, 'task-4' "
                                             "for 14s and 3 more")));
}

TEST_F(StarvationAlarmTest, SaysWhoIsStopping) {
  Create(1);
  const TaskHandle deaf = *supervisor_->Submit("deaf", [this] {
    Clock::Parker parker;
    time_.clock()->Park(parker,
                        time_.clock()->NowNanos() + absl::ToInt64Nanoseconds(absl::Minutes(1)));
  });
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_TRUE(deaf.RequestStop());
  Hold("waits", absl::ZeroDuration());
  time_.AdvanceBy(kAlarm);
  EXPECT_THAT(Alarms(), ElementsAre(HasSubstr("1 lane is held, by 'deaf', stopping, for 10s")));
}

TEST_F(StarvationAlarmTest, ATaskThatIsStoppedMeanwhileDoesNotWait) {
  Create(1);
  Hold("a", absl::Hours(1));
  const TaskHandle waits = Hold("waits", absl::ZeroDuration());
  time_.AdvanceBy(absl::Seconds(5));
  EXPECT_TRUE(waits.RequestStop());
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(Alarms(), IsEmpty());
}

// A lane that is on its way to a job is not held.
TEST_F(StarvationAlarmTest, ATaskThatFindsALaneAtRestDoesNotWait) {
  Create(1, absl::ZeroDuration());
  for (int i = 0; i < 10; ++i) {
    time_.AdvanceBy(absl::Minutes(1));
    Hold("a", absl::Seconds(1));
  }
  time_.AdvanceBy(absl::Minutes(1));
  EXPECT_THAT(Alarms(), IsEmpty());
}

TEST_F(StarvationAlarmTest, InfiniteIsNever) {
  Create(1, absl::InfiniteDuration());
  Hold("a", absl::Hours(1));
  Hold("waits", absl::ZeroDuration());
  time_.AdvanceBy(absl::Hours(2));
  EXPECT_THAT(Alarms(), IsEmpty());
}

TEST_F(StarvationAlarmTest, ZeroIsAtOnce) {
  Create(1, absl::ZeroDuration());
  Hold("a", absl::Hours(1));
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(Alarms(), IsEmpty());
  Hold("waits", absl::ZeroDuration());
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_EQ(Alarms().size(), 1u);
}

}  // namespace
}  // namespace foxtive
