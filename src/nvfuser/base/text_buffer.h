// SPDX-License-Identifier: Apache-2.0
// Text under construction: appends strings and integers, indents lines by scope.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace nvfuser {

/// Appends to one string.  `line` writes a whole line at the current indentation.
class TextBuffer {
 public:
  explicit TextBuffer(int indent_width = 2) : width_(indent_width) {}

  TextBuffer& add(std::string_view text) {
    text_.append(text);
    return *this;
  }
  TextBuffer& add(const char* text) { return add(std::string_view(text)); }
  TextBuffer& add(char letter) {
    text_.push_back(letter);
    return *this;
  }
  template <std::integral T>
    requires(!std::same_as<T, char> && !std::same_as<T, bool>)
  TextBuffer& add(T value) {
    char digits[24];
    return add(std::string_view(digits, std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
  }
  TextBuffer& add(bool) = delete;
  TextBuffer& add(double) = delete;

  /// Several parts, one after another.
  template <class... Parts>
    requires(sizeof...(Parts) > 1)
  TextBuffer& add(const Parts&... parts) {
    (add(parts), ...);
    return *this;
  }
  template <class T>
  TextBuffer& operator<<(const T& part) {
    return add(part);
  }

  /// Indentation, the parts, a line end.  No parts: an empty line, without blanks.
  template <class... Parts>
  TextBuffer& line(const Parts&... parts) {
    if constexpr (sizeof...(Parts) > 0) {
      begin_line();
      (add(parts), ...);
    }
    return add('\n');
  }
  TextBuffer& begin_line() {
    text_.append(static_cast<size_t>(depth_) * width_, ' ');
    return *this;
  }

  /// Lines are one level deeper while it lives.
  class Indent {
   public:
    explicit Indent(TextBuffer& buffer) : buffer_(buffer) { ++buffer_.depth_; }
    ~Indent() { --buffer_.depth_; }
    Indent(const Indent&) = delete;
    Indent& operator=(const Indent&) = delete;

   private:
    TextBuffer& buffer_;
  };
  [[nodiscard]] Indent indent() { return Indent(*this); }

  bool empty() const { return text_.empty(); }
  size_t size() const { return text_.size(); }
  std::string_view view() const { return text_; }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
  int width_;
  int depth_ = 0;
};

}  // namespace nvfuser
