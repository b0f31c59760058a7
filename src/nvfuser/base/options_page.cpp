// SPDX-License-Identifier: Apache-2.0
// The options table as Markdown.
#include "nvfuser/base/options_page.h"

#include "nvfuser/base/options.h"

namespace nvfuser {

std::string options_page() {
  std::string text =
      "# Options\n\nEnvironment variables, read at first use. Made from the options table by "
      "`tools/options_page.py`.\n\n"
      "| variable | default | choices | meaning |\n|---|---|---|---|\n";
  for (const OptionRow& row : option_rows()) {
    text += "| `" + std::string(row.variable) + "` | " +
            (row.fallback.empty() ? "" : "`" + std::string(row.fallback) + "`") + " | " + std::string(row.choices) +
            " | " + std::string(row.doc) + " |\n";
  }
  return text;
}

}  // namespace nvfuser
