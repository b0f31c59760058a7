// SPDX-License-Identifier: Apache-2.0
// The rt:: headers inside the library: every flavor has its set, and every include of a header is in the set.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "nvfuser/device/embedded.h"

namespace nvfuser {
namespace {

class Embedded : public testing::TestWithParam<Flavor> {};

TEST_P(Embedded, HasWhatKernelsInclude) {
  const auto headers = device_headers(GetParam());
  EXPECT_TRUE(
      std::is_sorted(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.first < b.first; }));
  const auto has = [&](const std::string& name) {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  };
  for (const char* name : {"rt/types.h", "rt/convert.h", "rt/math.h", "rt/memory.h", "rt/flavor.h"}) {
    EXPECT_TRUE(has(name)) << name;
  }
  for (const auto& [name, text] : headers) {
    EXPECT_TRUE(text.starts_with("// SPDX-License-Identifier: Apache-2.0\n")) << name;
    EXPECT_TRUE(text.ends_with("\n")) << name;
    for (size_t at = 0; (at = text.find("#include \"", at)) != std::string_view::npos; ++at) {
      const size_t begin = at + 10;
      const std::string included(text.substr(begin, text.find('"', begin) - begin));
      // Paths of the source tree are alternatives for the library itself, behind __has_include of the embedded name.
      const size_t file = included.starts_with("nvfuser/") ? included.rfind('/') + 1 : 0;
      const std::string embedded = included.substr(file);
      EXPECT_TRUE(has(embedded.starts_with("rt/") ? embedded : "rt/" + embedded)) << name << " includes " << included;
    }
  }
}

TEST(EmbeddedFlavors, OwnHeadersWin) {
  const auto text = [](Flavor flavor, std::string_view name) {
    for (const auto& [header, content] : device_headers(flavor)) {
      if (header == name) {
        return content;
      }
    }
    return std::string_view();
  };
  EXPECT_NE(text(Flavor::cuda, "rt/memory.h"), text(Flavor::emulator, "rt/memory.h"));
  EXPECT_EQ(text(Flavor::cuda, "rt/types.h"), text(Flavor::emulator, "rt/types.h"));
  EXPECT_TRUE(text(Flavor::cuda, "rt/emulator.h").empty());
  // NVRTC has no system headers.
  for (const auto& [name, content] : device_headers(Flavor::cuda)) {
    EXPECT_EQ(content.find("#include <"), std::string_view::npos) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Flavors, Embedded, testing::Values(Flavor::cuda, Flavor::cpu, Flavor::emulator));

}  // namespace
}  // namespace nvfuser
