// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A picture of how cost grows with size, in SVG: a panel for each measure that has two sizes at
// least, both axes logarithmic, a line through the medians of each who, and the spread as a bar. A
// size of 0 stands one decade in front of the others.
//
// Thread safety: all is pure. Blocking, errors: none.

#ifndef FOXTIVE_BENCHMARKS_REPORT_PICTURE_H_
#define FOXTIVE_BENCHMARKS_REPORT_PICTURE_H_

#include <string>

#include "benchmarks/report/samples.h"

namespace foxtive::benchmarks {

std::string SvgPicture(const Samples& samples);

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_REPORT_PICTURE_H_
