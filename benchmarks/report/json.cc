// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "benchmarks/report/json.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace foxtive::benchmarks {
namespace {

// Deeper than anything that is meant.
constexpr int kMaxDepth = 64;

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  absl::StatusOr<Json> Parse() {
    Json json;
    if (!Value(json) || !AtEnd()) {
      const auto line = 1 + std::count(text_.begin(), text_.begin() + Offset(), '\n');
      return absl::InvalidArgumentError(absl::StrCat("no JSON that is understood, in line ", line));
    }
    return json;
  }

 private:
  std::ptrdiff_t Offset() const { return static_cast<std::ptrdiff_t>(at_); }
  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool AtEnd() {
    SkipBlanks();
    return at_ == text_.size();
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }

  bool Value(Json& json) {
    SkipBlanks();
    if (at_ == text_.size() || depth_ == kMaxDepth) return false;
    ++depth_;
    const bool ok = ValueHere(json);
    --depth_;
    return ok;
  }
  bool ValueHere(Json& json) {
    switch (text_[at_]) {
      case '{':
        return Members(json.value.emplace<Json::Object>());
      case '[':
        return Elements(json.value.emplace<Json::Array>());
      case '"':
        return String(json.value.emplace<std::string>());
      case 't':
        json.value = true;
        return TakeWord("true");
      case 'f':
        json.value = false;
        return TakeWord("false");
      case 'n':
        return TakeWord("null");
      default:
        return Number(json.value.emplace<double>());
    }
  }
  bool Members(Json::Object& object) {
    Take('{');
    if (Take('}')) return true;
    do {
      std::string name;
      SkipBlanks();
      if (!String(name) || !Take(':') || !Value(object[name])) return false;
    } while (Take(','));
    return Take('}');
  }
  bool Elements(Json::Array& array) {
    Take('[');
    if (Take(']')) return true;
    do {
      if (!Value(array.emplace_back())) return false;
    } while (Take(','));
    return Take(']');
  }
  bool String(std::string& string) {
    if (!Take('"')) return false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && !Escape()) return false;
      string += text_[at_];
    }
    return Take('"');
  }
  // What may matter of an escape is the character itself.
  bool Escape() { return ++at_ < text_.size() && text_[at_] != 'u'; }
  bool Number(double& number) {
    const size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    const std::string word = text_.substr(at_, end - at_);
    if (!absl::SimpleAtod(word, &number) || !std::isfinite(number)) return false;
    at_ = end;
    return true;
  }

  const std::string& text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

const Json* Json::Find(const std::string& name) const {
  const Object* const object = As<Object>();
  if (object == nullptr) return nullptr;
  const auto member = object->find(name);
  return member == object->end() ? nullptr : &member->second;
}

std::string Json::Text(const std::string& name) const {
  const Json* const member = Find(name);
  const std::string* const text = member == nullptr ? nullptr : member->As<std::string>();
  return text == nullptr ? "" : *text;
}

absl::StatusOr<Json> ParseJson(const std::string& text) { return Parser(text).Parse(); }

}  // namespace foxtive::benchmarks
