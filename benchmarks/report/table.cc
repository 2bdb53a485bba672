// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "benchmarks/report/table.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/report/statistics.h"

namespace foxtive::benchmarks {
namespace {

constexpr char kHead[] =
    "| workload | size | unit | who | median | least–most | Foxtive to it | to its least size |\n"
    "|---|---|---|---|---|---|---|---|\n";
constexpr char kNothing[] = "–";

std::string ReadableRange(const Range& range) {
  return Readable(range.low) + "–" + Readable(range.high);
}

// One line's place: a who, at one size.
struct Cell {
  const Measure& measure;
  const std::string& who;
  const Sizes& sizes;
  int64_t size;
  const Repetitions& repetitions;
};

std::string NameOf(const Cell& cell) {
  return absl::StrCat(cell.measure.workload.text, "/", cell.who, "/", cell.size);
}

// Of ours at the same size to this; empty where there is nothing to compare.
absl::StatusOr<std::string> RatioText(const Cell& cell, const Repetitions* ours) {
  if (ours == nullptr || ours == &cell.repetitions) return "";
  if (ours->size() != cell.repetitions.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        NameOf(cell), " was measured ", cell.repetitions.size(), " times, and ", kOurs, " ",
        ours->size(), " times (", cell.measure.counter, "): they can't be compared"));
  }
  const std::optional<Ratio> ratio = PairedRatio(*ours, cell.repetitions);
  if (!ratio.has_value()) return kNothing;
  return Readable(ratio->median) + " × (" + ReadableRange(ratio->interval) + ")";
}

std::string GrowthText(const Cell& cell) {
  const auto& [least_size, least] = *cell.sizes.begin();
  if (cell.size == least_size || Median(least) <= 0) return "";
  return Readable(Median(cell.repetitions) / Median(least)) + " ×";
}

absl::Status AddLine(const Cell& cell, const Sizes* ours, int64_t our_size, std::string& table) {
  const Repetitions* our_repetitions = nullptr;
  if (ours != nullptr) {
    if (const auto found = ours->find(our_size); found != ours->end()) {
      our_repetitions = &found->second;
    }
  }
  const absl::StatusOr<std::string> ratio = RatioText(cell, our_repetitions);
  if (!ratio.ok()) return ratio.status();
  const std::string who = cell.size == our_size ? cell.who : absl::StrCat(cell.who, "/", cell.size);
  absl::StrAppend(&table, "| ", cell.measure.workload.text, " | ", our_size, " | ");
  absl::StrAppend(
      &table, cell.measure.counter, " | ", who, " | ", Readable(Median(cell.repetitions)), " | ",
      ReadableRange(Spread(cell.repetitions)), " | ", *ratio, " | ", GrowthText(cell), " |\n");
  return absl::OkStatus();
}

// The sizes at which a line of `who` is wanted: its own, or, if it has one alone, all of ours.
std::vector<int64_t> SizesToShow(const Sizes& sizes, const Sizes* ours) {
  std::vector<int64_t> result;
  const bool is_ours_everywhere = sizes.size() == 1 && ours != nullptr;
  for (const auto& [size, repetitions] : is_ours_everywhere ? *ours : sizes) {
    result.push_back(size);
  }
  return result;
}

absl::Status AddMeasure(const Measure& measure, const Whos& whos, std::string& table) {
  const auto found = whos.find(kOurs);
  const Sizes* const ours = found == whos.end() ? nullptr : &found->second;
  std::map<int64_t, std::vector<const Whos::value_type*>> lines;
  if (ours != nullptr) {
    for (const auto& [size, repetitions] : *ours) lines[size].push_back(&*found);
  }
  for (const auto& who : whos) {
    if (who.first == kOurs) continue;
    for (const int64_t size : SizesToShow(who.second, ours)) lines[size].push_back(&who);
  }
  for (const auto& [size, line] : lines) {
    for (const Whos::value_type* const who : line) {
      const auto own = who->second.contains(size) ? who->second.find(size) : who->second.begin();
      const Cell cell{measure, who->first, who->second, own->first, own->second};
      if (absl::Status status = AddLine(cell, ours, size, table); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string Readable(double value) {
  if (value == 0) return "0";
  const double magnitude = std::floor(std::log10(std::abs(value)));
  if (magnitude < 2) return absl::StrFormat("%.*f", static_cast<int>(2 - magnitude), value);
  std::string digits = absl::StrFormat("%.0f", value);
  for (size_t i = digits.size(); i > 3 && digits[i - 4] != '-'; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

absl::StatusOr<std::string> MarkdownTable(const Samples& samples) {
  std::string table = kHead;
  for (const auto& [measure, whos] : samples) {
    if (absl::Status status = AddMeasure(measure, whos, table); !status.ok()) return status;
  }
  return table;
}

}  // namespace foxtive::benchmarks
