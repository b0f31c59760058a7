// SPDX-License-Identifier: Apache-2.0
// The options as a page for people.
#pragma once

#include <string>

namespace nvfuser {

/// The options table as a page of Markdown.
std::string options_page();

}  // namespace nvfuser
