// SPDX-License-Identifier: Apache-2.0
// Text under construction.
#include <gtest/gtest.h>

#include "nvfuser/base/text_buffer.h"

namespace nvfuser {
namespace {

TEST(TextBuffer, LinesFollowTheScope) {
  TextBuffer text;
  text.line("for (", 'i', ") {");
  {
    const auto body = text.indent();
    text.line("x = ", int64_t{-5}, ";").line();
    const auto deeper = text.indent();
    text.begin_line() << "y" << uint64_t{18446744073709551615u};
    text.add('\n');
  }
  text.line("}");
  EXPECT_EQ(text.view(), "for (i) {\n  x = -5;\n\n    y18446744073709551615\n}\n");
  EXPECT_EQ(text.take().size(), 49u);
  EXPECT_TRUE(text.empty());
}

TEST(TextBuffer, PartsOfAllKinds) {
  TextBuffer text(4);
  const std::string name = "T0";
  text.add(name, "[", INT64_MIN, std::string_view("]"), 'c', 7u);
  EXPECT_EQ(text.take(), "T0[-9223372036854775808]c7");
}

}  // namespace
}  // namespace nvfuser
