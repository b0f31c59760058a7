// SPDX-License-Identifier: Apache-2.0
// The line of long work, on a terminal of the test's own.
#include "nvfuser/base/progress_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// A terminal in the place of the error stream.
class Terminal {
 public:
  Terminal() : reader_(posix_openpt(O_RDWR | O_NOCTTY)), before_(dup(STDERR_FILENO)) {
    grantpt(reader_);
    unlockpt(reader_);
    const int writer = open(ptsname(reader_), O_RDWR | O_NOCTTY);
    dup2(writer, STDERR_FILENO);
    close(writer);
  }
  ~Terminal() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(reader_);
  }

  /// Reads until `end` stands at the end of all that was shown.
  std::string shown_until(const std::string& end) {
    while (!shown_.ends_with(end)) {
      read_some();
    }
    return shown_;
  }
  /// All that was shown, when nobody writes any more.
  std::string shown() {
    for (pollfd now{reader_, POLLIN, 0}; poll(&now, 1, 0) > 0;) {
      read_some();
    }
    return shown_;
  }

 private:
  void read_some() {
    char text[256];
    shown_.append(text, static_cast<size_t>(std::max<ssize_t>(0, read(reader_, text, sizeof text))));
  }

  int reader_, before_;
  std::string shown_;
};

TEST(ProgressLine, IsDrawnAndErased) {
  Terminal terminal;
  {
    const ProgressLine line("compiling", milliseconds(0));
    EXPECT_TRUE(terminal.shown_until(" s").starts_with("\rcompiling, "));
  }
  EXPECT_TRUE(terminal.shown().ends_with(" \r"));
}

TEST(ProgressLine, FitsOneLine) {
  Terminal terminal;
  const ProgressLine line(std::string(500, 'k'), milliseconds(0));
  EXPECT_EQ(terminal.shown_until(" s").size(), 80u);  // a return and 79 columns
}

TEST(ProgressLine, ShortWorkShowsNothing) {
  Terminal terminal;
  {
    const ProgressLine line("compiling", hours(1));
  }
  EXPECT_EQ(terminal.shown(), "");
}

TEST(ProgressLine, AnOptionTurnsItOff) {
  Terminal terminal;
  const ScopedOption off("progress", "0");
  {
    const ProgressLine line("compiling", milliseconds(0));
    const ProgressLine other("compiling", milliseconds(0));
  }
  EXPECT_EQ(terminal.shown(), "");
}

TEST(ProgressLine, OfTwoScopesOneDraws) {
  Terminal terminal;
  {
    const ProgressLine first("first", milliseconds(0));
    terminal.shown_until(" s");
    {
      const ProgressLine second("second", milliseconds(0));
    }
  }
  EXPECT_EQ(terminal.shown().find("second"), std::string::npos);
  {
    const ProgressLine third("third", milliseconds(0));
    EXPECT_NE(terminal.shown_until(" s").find("third, "), std::string::npos);
  }
}

}  // namespace
}  // namespace nvfuser
