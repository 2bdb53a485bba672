// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a report says, from reading to the picture.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/report/picture.h"
#include "benchmarks/report/samples.h"
#include "benchmarks/report/statistics.h"
#include "benchmarks/report/table.h"

namespace foxtive::benchmarks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

std::string ErrorOf(const std::string& text) {
  Samples samples;
  return std::string(ReadSamples(text, samples).message());
}

Samples Read(const std::string& text) {
  Samples samples;
  EXPECT_EQ(ErrorOf(text), "");
  EXPECT_TRUE(ReadSamples(text, samples).ok());
  return samples;
}

// --- Statistics.

TEST(MedianTest, IsTheMiddleInAnyOrder) {
  EXPECT_EQ(Median({7}), 7);
  EXPECT_EQ(Median({9, 1, 5}), 5);
  EXPECT_EQ(Median({4, 1, 100, 2}), 3);
}

TEST(SpreadTest, IsTheLeastAndTheMost) {
  const Range spread = Spread({3, 1, 2});
  EXPECT_EQ(spread.low, 1);
  EXPECT_EQ(spread.high, 3);
}

// The k-th least and most of n for 95 %, from tables of the sign test.
TEST(MedianIntervalTest, LeavesOutWhatTheSignTestAllows) {
  const std::vector<std::pair<int, int>> count_and_left_out = {
      {1, 0}, {5, 0}, {6, 0}, {8, 0}, {9, 1}, {11, 1}, {12, 2}, {15, 3}, {20, 5}};
  for (const auto& [count, left_out] : count_and_left_out) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) values.insert(values.begin(), i);
    const Range interval = MedianInterval(values);
    EXPECT_EQ(interval.low, left_out) << count;
    EXPECT_EQ(interval.high, count - 1 - left_out) << count;
  }
}

TEST(PairedRatioTest, DividesWhatBelongsToOneRepetition) {
  // The machine was three times slower in the second repetition; the ratio does not see it.
  const auto ratio = PairedRatio({10, 30, 12}, {20, 60, 20});
  ASSERT_TRUE(ratio.has_value());
  EXPECT_EQ(ratio->median, 0.5);
  EXPECT_EQ(ratio->interval.low, 0.5);
  EXPECT_EQ(ratio->interval.high, 0.6);
}

TEST(PairedRatioTest, NothingIsDividedByZero) {
  EXPECT_FALSE(PairedRatio({1, 1}, {1, 0}).has_value());
}

// --- Reading.

constexpr char kJson[] = R"({
  "context": {"date": "2026-11-30", "caches": [{"type": "Data", "size": 32768}], "load_avg": []},
  "benchmarks": [
    {"name": "R1_Error/Foxtive/2000/iterations:1/manual_time", "run_type": "iteration",
     "repetition_index": 0, "threads": 1, "iterations": 1, "real_time": 2.1e+05, "cpu_time": 1,
     "time_unit": "ns", "ns_per_restart": 1.05e+02, "more": -3},
    {"name": "R1_Error/Foxtive/2000/iterations:1/manual_time", "run_type": "iteration",
     "ns_per_restart": 107},
    {"name": "R1_Error/Foxtive/2000/iterations:1/manual_time_median", "run_type": "aggregate",
     "ns_per_restart": 106}
  ]
})";

TEST(ReadSamplesTest, TakesCountersOfRepetitionsFromJson) {
  const Samples samples = Read(kJson);
  ASSERT_THAT(samples, SizeIs(2));
  EXPECT_THAT(samples.at({{"R1_Error"}, "ns_per_restart"}),
              ElementsAre(Pair("Foxtive", ElementsAre(Pair(2000, ElementsAre(105, 107))))));
  EXPECT_THAT(samples.at({{"R1_Error"}, "more"}),
              ElementsAre(Pair("Foxtive", ElementsAre(Pair(2000, ElementsAre(-3))))));
}

TEST(ReadSamplesTest, TakesLines) {
  const Samples samples = Read("A/Otp/7 ns 1.5\nA/Otp/7 ns 2e3\n\n");
  EXPECT_THAT(samples.at({{"A"}, "ns"}),
              ElementsAre(Pair("Otp", ElementsAre(Pair(7, ElementsAre(1.5, 2000))))));
}

TEST(ReadSamplesTest, WorkloadsAreInTheOrderOfTheirNumbers) {
  const Samples samples = Read("T1/a/1 ns 1\nR10/a/1 ns 1\nR9/a/1 ns 1\nR9_Z/a/1 ns 1\n");
  std::vector<std::string> names;
  for (const auto& [measure, whos] : samples) names.push_back(measure.workload.text);
  EXPECT_THAT(names, ElementsAre("R9", "R9_Z", "R10", "T1"));
}

TEST(ReadSamplesTest, SaysWhatIsWrongWithLines) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("nothing was measured"));
  EXPECT_THAT(ErrorOf(" \n"), HasSubstr("nothing was measured"));
  EXPECT_THAT(ErrorOf("A/b/1 ns 1\nA/b/1 ns\n"), HasSubstr("line 2, 'A/b/1 ns'"));
  EXPECT_THAT(ErrorOf("A/b/1 ns fast\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("A/b/1  ns\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("A/b ns 1\n"), HasSubstr("line 1: 'A/b' is not"));
  EXPECT_THAT(ErrorOf("A/b/c ns 1\n"), HasSubstr("'A/b/c' is not"));
  EXPECT_THAT(ErrorOf("A/b/-1 ns 1\n"), HasSubstr("'A/b/-1' is not"));
  EXPECT_THAT(ErrorOf("A//1 ns 1\n"), HasSubstr("'A//1' is not"));
  EXPECT_THAT(ErrorOf("A/b/1 ns inf\n"), HasSubstr("not finite"));
}

TEST(ReadSamplesTest, SaysWhatIsWrongWithJson) {
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("no list of benchmarks"));
  EXPECT_THAT(ErrorOf(R"({"benchmarks": {}})"), HasSubstr("no list of benchmarks"));
  EXPECT_THAT(ErrorOf(R"({"benchmarks": [3]})"), HasSubstr("without a name"));
  EXPECT_THAT(ErrorOf(R"({"benchmarks": [{"name": "A/b/1", "real_time": 1}]})"),
              HasSubstr("A/b/1 has no counter"));
  EXPECT_THAT(ErrorOf(R"({"benchmarks": [{"name": "A", "ns": 1}]})"), HasSubstr("'A' is not"));
  EXPECT_THAT(ErrorOf(R"({"benchmarks": [{"name": "A/b/1", "error_occurred": true,
                          "error_message": "no \"luck\""}]})"),
              HasSubstr("A/b/1 failed: no \"luck\""));
}

// A run that was cut short, at any character, is none.
TEST(ReadSamplesTest, RefusesEachPartOfAFile) {
  const std::string whole = kJson;
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(ErrorOf(whole.substr(0, length)), "") << length;
  }
  EXPECT_THAT(ErrorOf(whole + "}"), HasSubstr("parse error at line 12"));
  EXPECT_THAT(ErrorOf("{\n\"benchmarks\": [{\"ns\": NaN}]}"), HasSubstr("at line 2"));
  EXPECT_THAT(ErrorOf("{\"a\": " + std::string(100'000, '[')), HasSubstr("at line 1"));
  EXPECT_THAT(ErrorOf("{\"benchmarks\": [{\"ns\": 1e999}]}"), HasSubstr("1e999"));
}

// --- The table.

std::string TableOf(const std::string& text) {
  const auto table = MarkdownTable(Read(text));
  return table.ok() ? *table : "error: " + std::string(table.status().message());
}

TEST(TableTest, ComparesOursWithEachOtherAtTheSameSize) {
  const std::string table = TableOf(
      "R1/Foxtive/10 ns 100\nR1/Foxtive/10 ns 300\nR1/Foxtive/10 ns 110\n"
      "R1/Thread/10 ns 200\nR1/Thread/10 ns 600\nR1/Thread/10 ns 200\n"
      "R1/Foxtive/20 ns 1000\nR1/Foxtive/20 ns 1200\nR1/Foxtive/20 ns 1100\n"
      "R1/Thread/20 ns 100\nR1/Thread/20 ns 0\nR1/Thread/20 ns 100\n");
  EXPECT_THAT(table, HasSubstr("\n|---|---|---|---|---|---|---|---|\n"
                               "| R1 | 10 | ns | Foxtive | 110 | 100–300 |  |  |\n"
                               "| R1 | 10 | ns | Thread | 200 | 200–600 | 0.500 × (0.500–0.550) |  "
                               "|\n"
                               "| R1 | 20 | ns | Foxtive | 1,100 | 1,000–1,200 |  | 10.0 × |\n"
                               "| R1 | 20 | ns | Thread | 100 | 0–100 | – | 0.500 × |\n"));
}

TEST(TableTest, OneSizeStandsForAll) {
  const std::string table = TableOf("R4/Foxtive/0 us 4\nR4/Foxtive/1000 us 6\nR4/Thread/0 us 8\n");
  EXPECT_THAT(table, HasSubstr("| R4 | 0 | us | Thread | 8.00 | 8.00–8.00 | 0.500 × "));
  EXPECT_THAT(table, HasSubstr("| R4 | 1000 | us | Thread/0 | 8.00 | 8.00–8.00 | 0.750 × "));
}

TEST(TableTest, WithoutOursNothingIsCompared) {
  EXPECT_THAT(TableOf("R1/Otp/10 ns 1\n"),
              HasSubstr("| R1 | 10 | ns | Otp | 1.00 | 1.00–1.00 |  |"));
}

TEST(TableTest, UnequalRepetitionsAreAnError) {
  EXPECT_EQ(TableOf("R1/Foxtive/10 ns 1\nR1/Foxtive/10 ns 1\nR1/Thread/10 ns 1\n"),
            "error: R1/Thread/10 was measured 1 times, and Foxtive 2 times (ns): they can't be "
            "compared");
}

TEST(ReadableTest, HasThreeDigitsOrAllOfAnInteger) {
  EXPECT_EQ(Readable(0), "0");
  EXPECT_EQ(Readable(0.01234), "0.0123");
  EXPECT_EQ(Readable(1.2345), "1.23");
  EXPECT_EQ(Readable(58.34), "58.3");
  EXPECT_EQ(Readable(999), "999");
  EXPECT_EQ(Readable(1234), "1,234");
  EXPECT_EQ(Readable(1234567), "1,234,567");
  EXPECT_EQ(Readable(-123), "-123");
  EXPECT_EQ(Readable(-1234), "-1,234");
}

// --- The picture.

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(PictureTest, HasAPanelForWhatGrowsAndALineForEachWho) {
  const std::string svg =
      SvgPicture(Read("R1/Foxtive/10 ns 5\nR1/Foxtive/100 ns 50\nR1/Thread/10 ns 7\n"
                      "R2/Foxtive/10 ns 5\n"));
  EXPECT_EQ(Count(svg, "<polyline"), 2);
  EXPECT_THAT(svg, HasSubstr(">R1, ns</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("R2")));
  EXPECT_THAT(svg, HasSubstr(">Thread</text>"));
  EXPECT_THAT(svg, HasSubstr("</svg>\n"));
}

// Both axes are logarithmic: twice as far for a hundred times as much.
TEST(PictureTest, EqualFactorsAreEqualDistances) {
  const std::string svg =
      SvgPicture(Read("R1/Foxtive/1 ns 1\nR1/Foxtive/10 ns 10\nR1/Foxtive/100 ns 100\n"));
  EXPECT_THAT(svg, HasSubstr("points=\"58.0,260.0 191.0,166.0 324.0,72.0 \""));
}

TEST(PictureTest, ZerosHaveAPlace) {
  const std::string svg =
      SvgPicture(Read("R4/Foxtive/0 us 0\nR4/Foxtive/1000 us 1\nR7/a/0 us 0\nR7/a/1 us 0\n"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace foxtive::benchmarks
