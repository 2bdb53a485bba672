// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "benchmarks/report/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/report/statistics.h"
#include "benchmarks/report/table.h"

namespace foxtive::benchmarks {
namespace {

constexpr int kPanelsInRow = 3;
constexpr double kPanelWidth = 340;
constexpr double kPanelHeight = 250;
constexpr double kLeft = 58;  // of the axes, within a panel
constexpr double kRight = 16;
constexpr double kTop = 32;
constexpr double kBottom = 30;
constexpr double kLegendLine = 20;
constexpr double kLegendWidth = 170;

// Of Okabe and Ito: these can be told apart by those who see few colours, too. Ours is black and
// bold; those who come after the last one begin again, dashed.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

struct Style {
  std::string colour = "#000000";
  double width = 2.5;
  std::string dashes = "none";
};
using Styles = std::map<std::string, Style>;

Styles StylesOf(const Samples& samples) {
  Styles styles;
  for (const auto& [measure, whos] : samples) {
    for (const auto& [who, sizes] : whos) styles[who];
  }
  size_t next = 0;
  for (auto& [who, style] : styles) {
    if (who == kOurs) continue;
    style.colour = kColours[next % kColours.size()];
    style.width = 1.5;
    if (next >= kColours.size()) style.dashes = next >= 2 * kColours.size() ? "1 3" : "6 3";
    ++next;
  }
  return styles;
}

// From values to where they stand.
class Axis {
 public:
  // `values` have a positive one, if any.
  Axis(const std::set<double>& values, double from, double to) : from_(from), to_(to) {
    const auto least = values.upper_bound(0);
    const double first = least == values.end() ? 1 : *least;
    const double last = least == values.end() ? 1 : *values.rbegin();
    has_zero_ = least != values.begin();
    low_ = std::floor(std::log10(first)) - (has_zero_ ? 1 : 0);
    high_ = std::max(std::ceil(std::log10(last)), low_ + 1);
  }
  double At(double value) const {
    const double decades = value > 0 ? std::log10(value) - low_ : 0;
    return from_ + (to_ - from_) * decades / (high_ - low_);
  }
  // The decades; of many only some.
  std::vector<double> Ticks() const {
    std::vector<double> ticks;
    const double step = std::ceil((high_ - low_) / 7);
    for (double decade = low_; decade <= high_; decade += step) {
      ticks.push_back(decade == low_ && has_zero_ ? 0 : std::pow(10, decade));
    }
    return ticks;
  }

 private:
  const double from_;
  const double to_;
  bool has_zero_ = false;
  double low_ = 0;
  double high_ = 1;
};

std::string Line(double x1, double y1, double x2, double y2, const std::string& attributes) {
  return absl::StrFormat("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2,
                         y2, attributes);
}

std::string Text(double x, double y, const std::string& attributes, const std::string& text) {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, attributes, text);
}

std::string TickText(double value) {
  if (value >= 1e6) return Readable(value / 1e6) == "1.00" ? "1M" : absl::StrCat(value / 1e6, "M");
  if (value >= 1e3) return absl::StrCat(value / 1e3, "k");
  return absl::StrCat(value);
}

class Panel {
 public:
  Panel(const Measure& measure, const Whos& whos, const Styles& styles, double x, double y)
      : measure_(measure),
        whos_(whos),
        styles_(styles),
        x_(x),
        y_(y),
        sizes_(AllSizes(whos), x + kLeft, x + kPanelWidth - kRight),
        costs_(AllCosts(whos), y + kPanelHeight - kBottom, y + kTop) {}

  std::string Draw() const {
    std::string svg = Text(x_ + kLeft, y_ + 20, "font-weight=\"bold\"",
                           absl::StrCat(measure_.workload.text, ", ", measure_.counter));
    for (const double tick : sizes_.Ticks()) svg += SizeTick(tick);
    for (const double tick : costs_.Ticks()) svg += CostTick(tick);
    for (const auto& [who, sizes] : whos_) {
      if (who != kOurs) svg += Curve(sizes, styles_.at(who));
    }
    const auto ours = whos_.find(kOurs);
    return ours == whos_.end() ? svg : svg + Curve(ours->second, styles_.at(kOurs));
  }

 private:
  static std::set<double> AllSizes(const Whos& whos) {
    std::set<double> result;
    for (const auto& [who, sizes] : whos) {
      for (const auto& [size, repetitions] : sizes) result.insert(static_cast<double>(size));
    }
    return result;
  }
  static std::set<double> AllCosts(const Whos& whos) {
    std::set<double> result;
    for (const auto& [who, sizes] : whos) {
      for (const auto& [size, repetitions] : sizes) {
        result.insert({Spread(repetitions).low, Spread(repetitions).high});
      }
    }
    return result;
  }

  std::string SizeTick(double tick) const {
    const double x = sizes_.At(tick);
    const double bottom = y_ + kPanelHeight - kBottom;
    return Line(x, y_ + kTop, x, bottom, "stroke=\"#dddddd\"") +
           Text(x, bottom + 16, "text-anchor=\"middle\"", TickText(tick));
  }
  std::string CostTick(double tick) const {
    const double y = costs_.At(tick);
    return Line(x_ + kLeft, y, x_ + kPanelWidth - kRight, y, "stroke=\"#dddddd\"") +
           Text(x_ + kLeft - 6, y + 4, "text-anchor=\"end\"", TickText(tick));
  }
  std::string Curve(const Sizes& sizes, const Style& style) const {
    std::string points;
    std::string marks;
    for (const auto& [size, repetitions] : sizes) {
      const double x = sizes_.At(static_cast<double>(size));
      const double y = costs_.At(Median(repetitions));
      const Range spread = Spread(repetitions);
      absl::StrAppend(&points, absl::StrFormat("%.1f,%.1f ", x, y));
      absl::StrAppend(&marks, absl::StrFormat("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" "
                                              "fill=\"%s\"/>\n",
                                              x, y, style.colour));
      marks += Line(x, costs_.At(spread.low), x, costs_.At(spread.high),
                    "stroke=\"" + style.colour + "\"");
    }
    return absl::StrFormat(
               "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" "
               "stroke-dasharray=\"%s\" points=\"%s\"/>\n",
               style.colour, style.width, style.dashes, points) +
           marks;
  }

  const Measure& measure_;
  const Whos& whos_;
  const Styles& styles_;
  const double x_;
  const double y_;
  const Axis sizes_;
  const Axis costs_;
};

bool Grows(const Whos& whos) {
  return std::any_of(whos.begin(), whos.end(),
                     [](const auto& who) { return who.second.size() > 1; });
}

std::string Legend(const Styles& styles, double width, double& y) {
  std::string svg;
  double x = kLeft;
  for (const auto& [who, style] : styles) {
    if (x + kLegendWidth > width) {
      x = kLeft;
      y += kLegendLine;
    }
    svg += Line(x, y, x + 30, y,
                absl::StrFormat("stroke=\"%s\" stroke-width=\"%.1f\" stroke-dasharray=\"%s\"",
                                style.colour, style.width, style.dashes));
    svg += Text(x + 36, y + 4, "", who);
    x += kLegendWidth;
  }
  y += kLegendLine;
  return svg;
}

}  // namespace

std::string SvgPicture(const Samples& samples) {
  constexpr double kWidth = kPanelsInRow * kPanelWidth;
  const Styles styles = StylesOf(samples);
  double top = kLegendLine;
  std::string body = Legend(styles, kWidth, top);
  int panels = 0;
  for (const auto& [measure, whos] : samples) {
    if (!Grows(whos)) continue;
    const double x = panels % kPanelsInRow * kPanelWidth;
    const double y = top + panels / kPanelsInRow * kPanelHeight;
    body += Panel(measure, whos, styles, x, y).Draw();
    ++panels;
  }
  const double height = top + (panels + kPanelsInRow - 1) / kPanelsInRow * kPanelHeight;
  return absl::StrFormat(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
             "font-family=\"sans-serif\" font-size=\"11\">\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
             kWidth, height) +
         body + "</svg>\n";
}

}  // namespace foxtive::benchmarks
