// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The table of a report, in Markdown: a line for each measure, size and who.
//
// A who that was measured at one size alone does not depend on it: it is compared at each size of
// ours.
//
// Thread safety: all is pure. Blocking: none. Errors: repetitions that can't be paired.

#ifndef FOXTIVE_BENCHMARKS_REPORT_TABLE_H_
#define FOXTIVE_BENCHMARKS_REPORT_TABLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "benchmarks/report/samples.h"

namespace foxtive::benchmarks {

absl::StatusOr<std::string> MarkdownTable(const Samples& samples);

// Three digits, or all of an integer's: "0.0123", "1.25", "58.3", "1,166".
std::string Readable(double value);

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_REPORT_TABLE_H_
