// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Makes one table and one picture of what all benchmarks have given.
//
//   report [--svg=<file>] <file>...
//
// Prints the table, and writes the picture. The files are read in their order, which has to be that
// of the repetitions; samples.h says what is in them. Exit status 1, and a word about why, if
// anything is not as it should be.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/report/picture.h"
#include "benchmarks/report/samples.h"
#include "benchmarks/report/table.h"

namespace foxtive::benchmarks {
namespace {

int Fail(const std::string& what) {
  std::cerr << "report: " << what << "\n";
  return 1;
}

std::string Words(const absl::Status& status) { return std::string(status.message()); }

int Run(int argc, char** argv) {
  constexpr std::string_view kSvgOption = "--svg=";
  Samples samples;
  std::string svg_file;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with(kSvgOption)) {
      svg_file = argument.substr(kSvgOption.size());
      continue;
    }
    std::ifstream input(argument);
    input.peek();  // an iterator throws if it can't read, as from a folder
    if (!input.is_open() || input.bad()) return Fail("can't read " + argument);
    const std::string text((std::istreambuf_iterator<char>(input)), {});
    const absl::Status status = ReadSamples(text, samples);
    if (!status.ok()) return Fail(argument + ": " + Words(status));
  }
  if (samples.empty()) return Fail("report [--svg=<file>] <file>...: nothing to report");
  const absl::StatusOr<std::string> table = MarkdownTable(samples);
  if (!table.ok()) return Fail(Words(table.status()));
  std::cout << *table;
  if (svg_file.empty()) return 0;
  std::ofstream output(svg_file);
  output << SvgPicture(samples) << std::flush;
  return output ? 0 : Fail("can't write " + svg_file);
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) { return foxtive::benchmarks::Run(argc, argv); }
