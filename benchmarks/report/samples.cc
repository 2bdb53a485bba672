// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "benchmarks/report/samples.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace foxtive::benchmarks {
namespace {

using Json = nlohmann::json;

// Of a repetition, in Google Benchmark's JSON: the numbers that are not counters of the user's.
constexpr std::array kNoCounters = {
    "cpu_time",  "family_index", "iterations", "per_family_instance_index",
    "real_time", "repetitions",  "threads",    "repetition_index"};

absl::Status Invalid(const std::string& what) { return absl::InvalidArgumentError(what); }

// `name` may go on after the size: "/iterations:1/manual_time".
absl::Status Add(const std::string& name, const std::string& counter, double value,
                 Samples& samples) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  int64_t size = 0;
  if (parts.size() < 3 || parts[0].empty() || parts[1].empty() ||
      !absl::SimpleAtoi(parts[2], &size) || size < 0) {
    return Invalid("'" + name + "' is not <workload>/<who>/<size>");
  }
  if (!std::isfinite(value)) return Invalid(name + ": " + counter + " is not finite");
  samples[{{parts[0]}, counter}][parts[1]][size].push_back(value);
  return absl::OkStatus();
}

bool IsCounter(const std::string& member) {
  return std::find(kNoCounters.begin(), kNoCounters.end(), member) == kNoCounters.end();
}

// The text of a member; empty if there is none.
std::string Text(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

absl::Status AddRun(const Json& run, Samples& samples) {
  const std::string name = Text(run, "name");
  if (name.empty()) return Invalid("a benchmark without a name");
  if (Text(run, "run_type") == "aggregate") return absl::OkStatus();
  if (run.contains("error_occurred")) {
    return Invalid(name + " failed: " + Text(run, "error_message"));
  }
  size_t counters = 0;
  for (const auto& [member, value] : run.items()) {
    if (!value.is_number() || !IsCounter(member)) continue;
    ++counters;
    absl::Status status = Add(name, member, value.get<double>(), samples);
    if (!status.ok()) return status;
  }
  if (counters == 0) return Invalid(name + " has no counter");
  return absl::OkStatus();
}

absl::Status AddRuns(const Json& json, Samples& samples) {
  const auto runs = json.find("benchmarks");
  if (runs == json.end() || !runs->is_array()) return Invalid("there is no list of benchmarks");
  for (const Json& run : *runs) {
    if (absl::Status status = AddRun(run, samples); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadJson(const std::string& text, Samples& samples) {
  // Without exceptions the parser does not tell in which line it gave up.
  try {
    return AddRuns(Json::parse(text), samples);
  } catch (const Json::exception& error) {
    return Invalid(error.what());
  }
}

absl::Status ReadLines(const std::string& text, Samples& samples) {
  int number = 0;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (const std::string& line : lines) {
    ++number;
    if (line.empty()) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    double value = 0;
    if (words.size() != 3 || words[1].empty() || !absl::SimpleAtod(words[2], &value)) {
      return Invalid(absl::StrCat("line ", number, ", '", line,
                                  "', is not <workload>/<who>/<size> <counter> <value>"));
    }
    if (absl::Status status = Add(words[0], words[1], value, samples); !status.ok()) {
      return Invalid(absl::StrCat("line ", number, ": ", std::string(status.message())));
    }
  }
  return absl::OkStatus();
}

// "R10_Start" is {"R", 10, "_Start"}.
auto Parts(const std::string& name) {
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const auto number = std::find_if(name.begin(), name.end(), is_digit);
  const auto rest = std::find_if_not(number, name.end(), is_digit);
  int64_t value = 0;
  if (!absl::SimpleAtoi(std::string(number, rest), &value)) value = 0;
  return std::tuple(std::string(name.begin(), number), value, std::string(rest, name.end()));
}

}  // namespace

std::strong_ordering WorkloadName::operator<=>(const WorkloadName& other) const {
  const auto parts = Parts(text) <=> Parts(other.text);
  return parts != 0 ? parts : text <=> other.text;
}

absl::Status ReadSamples(const std::string& text, Samples& samples) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return Invalid("nothing was measured");
  return text[first] == '{' ? ReadJson(text, samples) : ReadLines(text, samples);
}

}  // namespace foxtive::benchmarks
