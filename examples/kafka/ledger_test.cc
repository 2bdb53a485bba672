// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The check of the example must be able to fail: each thing that can go wrong is seen, and only
// that.

#include "examples/kafka/ledger.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace kafka_consumer {
namespace {

// All is well: three messages in two partitions, delivered, processed and committed.
TopicLedger ThreeProcessed() {
  TopicLedger ledger(3);
  ledger.Delivered(0, {0, 10});
  ledger.Delivered(1, {1, 20});
  ledger.Delivered(2, {0, 11});
  ledger.Processed(0, {0, 10});
  ledger.Processed(1, {1, 20});
  ledger.Processed(2, {0, 11});
  return ledger;
}

TEST(TopicLedgerTest, EachMessageProcessedOnceHolds) {
  TopicLedger ledger = ThreeProcessed();
  EXPECT_FALSE(ledger.complete());
  ledger.Committed(0, 12);
  EXPECT_FALSE(ledger.complete()) << "partition 1 is not committed";
  ledger.Committed(1, 21);
  EXPECT_TRUE(ledger.complete());

  const TopicVerdict verdict = ledger.Verdict();
  EXPECT_TRUE(verdict.holds());
  EXPECT_TRUE(verdict.all_processed());
  EXPECT_EQ(verdict.processed, 3);
  EXPECT_EQ(verdict.explained, 0);
}

TEST(TopicLedgerTest, AMessageThatTheGroupHasGonePastIsLost) {
  TopicLedger ledger(2);
  ledger.Delivered(0, {0, 10});
  ledger.Delivered(1, {0, 11});
  ledger.Processed(1, {0, 11});
  ledger.Committed(0, 12);
  EXPECT_TRUE(ledger.complete()) << "nothing more will come";

  const TopicVerdict verdict = ledger.Verdict();
  EXPECT_FALSE(verdict.holds());
  EXPECT_FALSE(verdict.all_processed());
  ASSERT_EQ(verdict.lost.size(), 1u);
  EXPECT_EQ(verdict.lost[0], (NumberedPosition{0, {0, 10}}));
}

TEST(TopicLedgerTest, TheLastMessageThatTheGroupHasGonePastIsLost) {
  TopicLedger ledger(1);
  ledger.Delivered(0, {0, 10});
  ledger.Committed(0, 10);
  EXPECT_TRUE(ledger.Verdict().lost.empty()) << "it is the next one";
  ledger.Committed(0, 11);
  EXPECT_EQ(ledger.Verdict().lost.size(), 1u);
}

TEST(TopicLedgerTest, AMessageThatIsStillToComeIsNotLost) {
  TopicLedger ledger(2);
  ledger.Delivered(0, {0, 10});
  ledger.Processed(0, {0, 10});
  ledger.Committed(0, 11);
  EXPECT_FALSE(ledger.complete()) << "number 1 was never delivered";
  ledger.Delivered(1, {0, 11});
  EXPECT_FALSE(ledger.complete()) << "number 1 is not committed";

  const TopicVerdict verdict = ledger.Verdict();
  EXPECT_TRUE(verdict.holds());
  EXPECT_FALSE(verdict.all_processed());
}

TEST(TopicLedgerTest, AMessageThatWasNeverDeliveredIsMissed) {
  TopicLedger ledger(2);
  ledger.Processed(0, {0, 10});
  ledger.Processed(1, {0, 11});
  ledger.Delivered(0, {0, 10});
  ledger.Committed(0, 12);
  EXPECT_FALSE(ledger.complete());
  EXPECT_FALSE(ledger.Verdict().all_processed());
}

TEST(TopicLedgerTest, ADuplicateWithoutACrashIsUnexplained) {
  TopicLedger ledger = ThreeProcessed();
  ledger.Processed(2, {0, 11});
  const TopicVerdict verdict = ledger.Verdict();
  EXPECT_FALSE(verdict.holds());
  EXPECT_EQ(verdict.explained, 0);
  ASSERT_EQ(verdict.unexplained.size(), 1u);
  EXPECT_EQ(verdict.unexplained[0], (NumberedPosition{2, {0, 11}}));
}

TEST(TopicLedgerTest, ADuplicateAfterACrashBeforeTheCommitIsExplained) {
  TopicLedger ledger = ThreeProcessed();
  ledger.LeftUncommitted({{0, 10}, {0, 11}});
  ledger.Processed(0, {0, 10});
  ledger.Processed(2, {0, 11});
  const TopicVerdict verdict = ledger.Verdict();
  EXPECT_TRUE(verdict.holds());
  EXPECT_TRUE(verdict.all_processed());
  EXPECT_EQ(verdict.processed, 3);
  EXPECT_EQ(verdict.explained, 2);
  EXPECT_EQ(verdict.unused_excuses(), 0);
}

TEST(TopicLedgerTest, ACrashExcusesOneDuplicate) {
  TopicLedger ledger = ThreeProcessed();
  ledger.LeftUncommitted({{0, 10}});
  ledger.Processed(0, {0, 10});
  ledger.Processed(0, {0, 10});
  EXPECT_EQ(ledger.Verdict().explained, 1);
  EXPECT_EQ(ledger.Verdict().unexplained.size(), 1u);
}

TEST(TopicLedgerTest, TwoCrashesExcuseTwoDuplicates) {
  TopicLedger ledger = ThreeProcessed();
  ledger.LeftUncommitted({{0, 10}});
  ledger.Processed(0, {0, 10});
  ledger.LeftUncommitted({{0, 10}});
  ledger.Processed(0, {0, 10});
  EXPECT_EQ(ledger.Verdict().explained, 2);
  EXPECT_TRUE(ledger.Verdict().holds());
}

TEST(TopicLedgerTest, ACrashExcusesNoOtherMessage) {
  TopicLedger ledger = ThreeProcessed();
  ledger.LeftUncommitted({{0, 10}});
  ledger.Processed(2, {0, 11});
  EXPECT_FALSE(ledger.Verdict().holds());
}

TEST(TopicLedgerTest, ACrashDoesNotExcuseTheSameNumberAtAnotherPlace) {
  TopicLedger ledger = ThreeProcessed();
  ledger.LeftUncommitted({{0, 10}});
  ledger.Processed(0, {1, 10});
  EXPECT_FALSE(ledger.Verdict().holds());
}

TEST(TopicLedgerTest, AnExcuseThatNobodyNeedsIsNoDuplicate) {
  TopicLedger ledger = ThreeProcessed();
  ledger.LeftUncommitted({{0, 10}});
  EXPECT_TRUE(ledger.Verdict().holds());
  EXPECT_EQ(ledger.Verdict().unused_excuses(), 1);
}

TEST(TopicLedgerTest, ANumberThatWasNeverSentIsUnexplained) {
  TopicLedger ledger = ThreeProcessed();
  ledger.Processed(3, {0, 12});
  ledger.Processed(-1, {0, 13});
  EXPECT_EQ(ledger.Verdict().unexplained.size(), 2u);
}

TEST(LedgerTest, TellsOnceWhenAllTopicsAreComplete) {
  int told = 0;
  Ledger ledger({"a", "b"}, 1, [&told] { ++told; });
  for (const char* topic : {"a", "b"}) {
    EXPECT_EQ(told, 0);
    ledger.Processed(topic, 0, {0, 5});
    ledger.Committed(topic, {{0, 6}});
    ledger.Delivered(topic, 0, {0, 5});
  }
  EXPECT_EQ(told, 1);
  ledger.Committed("b", {{0, 6}});
  EXPECT_EQ(told, 1);
}

TEST(LedgerTest, ATopicHasALedgerToItself) {
  Ledger ledger({"a", "b"}, 2, nullptr);
  ledger.Processed("a", 0, {0, 0});
  ledger.LeftUncommitted("b", {{0, 0}});
  EXPECT_DOUBLE_EQ(ledger.Progress(), 0.25);
  ledger.Processed("a", 0, {0, 0});
  EXPECT_DOUBLE_EQ(ledger.Progress(), 0.25) << "a duplicate is no progress";
  EXPECT_FALSE(ledger.Verdicts().at("a").holds());
  EXPECT_TRUE(ledger.Verdicts().at("b").holds());
  EXPECT_THROW(ledger.Processed("c", 0, {0, 0}), std::out_of_range);
}

}  // namespace
}  // namespace kafka_consumer
