// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/failure_causes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace foxtive::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::string Masked(const std::string& message) {
  return MaskedMessage(absl::UnavailableError(message));
}

TEST(FailureCausesTest, MasksNumbersAndAddresses) {
  EXPECT_EQ(Masked(""), "");
  EXPECT_EQ(Masked("no route"), "no route");
  EXPECT_EQ(Masked("no route to 10.0.0.17:8080"), "no route to #.#.#.#:#");
  EXPECT_EQ(Masked("worker-12 after 3ms"), "worker-# after #ms");
  EXPECT_EQ(Masked("at 0x7f3a and 0X1"), "at # and #");
  EXPECT_EQ(Masked("id 9f86d081, uuid 123e4567-e89b-12d3-a456-426614174000"),
            "id #, uuid #-e#b-#d#-a#-#");
  EXPECT_EQ(Masked("1 22 333"), "# # #");
}

TEST(FailureCausesTest, LeavesWordsAlone) {
  EXPECT_EQ(Masked("deadbeef facade"), "deadbeef facade") << "no digit is in them";
  EXPECT_EQ(Masked("0x and 0xyz"), "#x and #xyz");
  EXPECT_EQ(Masked("sha256 utf8"), "sha# utf#");
  EXPECT_EQ(Masked("\xc3\xa4 \x01"), "\xc3\xa4 \x01");
}

TEST(FailureCausesTest, AFingerprintIsOfTheCodeAndTheMaskedMessage) {
  const uint64_t one = FingerprintOf(absl::UnavailableError("code 1"));
  EXPECT_EQ(one, FingerprintOf(absl::UnavailableError("code 22")));
  EXPECT_NE(one, FingerprintOf(absl::InternalError("code 1")));
  EXPECT_NE(one, FingerprintOf(absl::UnavailableError("codes 1")));
}

std::string Text(const FailureCauses::Cause& cause) {
  return absl::StrCat(cause.count, " ", cause.first_nanos, "-", cause.last_nanos, " ",
                      std::string(cause.first.message()));
}

TEST(FailureCausesTest, CountsByCause) {
  FailureCauses causes;
  for (int64_t i = 0; i < 10; ++i) {
    const absl::Status failure = i % 3 == 0
                                     ? absl::InternalError("disk full")
                                     : absl::UnavailableError(absl::StrCat("no answer in ", i));
    EXPECT_TRUE(causes.Count(failure, 100 + i).ok());
  }
  std::vector<std::string> texts;
  for (const FailureCauses::Cause& cause : causes.causes()) texts.push_back(Text(cause));
  EXPECT_THAT(texts, ElementsAre("4 100-109 disk full", "6 101-108 no answer in 1"));
  EXPECT_EQ(causes.others(), 0);
}

TEST(FailureCausesTest, TheRarestOneGivesWayAndOfThoseTheOldest) {
  FailureCauses causes;
  int64_t now = 0;
  const auto count = [&](const char* message) {
    return std::string(causes.Count(absl::UnknownError(message), ++now).message());
  };
  for (const char* message : {"a", "b", "c", "d", "a", "c"}) EXPECT_EQ(count(message), "");
  EXPECT_EQ(count("e"), "b");
  EXPECT_EQ(count("f"), "d");
  EXPECT_EQ(count("e"), "");
  EXPECT_EQ(count("g"), "f") << "the frequent ones stay";
  std::vector<std::string> texts;
  for (const FailureCauses::Cause& cause : causes.causes()) texts.push_back(Text(cause));
  EXPECT_THAT(texts, UnorderedElementsAre("2 1-5 a", "2 3-6 c", "2 7-9 e", "1 10-10 g"));
  EXPECT_EQ(causes.others(), 3);
}

TEST(FailureCausesTest, ACopyIsASnapshot) {
  FailureCauses causes;
  EXPECT_TRUE(causes.Count(absl::UnknownError("a"), 1).ok());
  const FailureCauses copy = causes;
  EXPECT_TRUE(causes.Count(absl::UnknownError("a"), 2).ok());
  EXPECT_EQ(copy.causes()[0].count, 1);
  EXPECT_EQ(causes.causes()[0].count, 2);
}

}  // namespace
}  // namespace foxtive::internal
