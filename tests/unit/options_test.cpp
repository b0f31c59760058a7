// SPDX-License-Identifier: Apache-2.0
// Options: table, environment, overrides, errors; dumps follow them.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "nvfuser/base/device_props.h"
#include "nvfuser/base/dump.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

/// Sets a variable (null: removes it) and has the options read again; puts all back at the end.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    set(value);
  }
  ~Environment() { set(before_ ? before_->c_str() : nullptr); }
  Environment(const Environment&) = delete;

 private:
  void set(const char* value) {
    value == nullptr ? unsetenv(name_.c_str()) : setenv(name_.c_str(), value, 1);
    reload_options();
  }

  std::string name_;
  std::optional<std::string> before_;
};

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::option);
    return error.what();
  }
  return "no error";
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(OptionText, OfFlagsIsADigit) {
  for (const auto& [word, digit] : {std::pair{"yes", "1"}, {"TRUE", "1"}, {"0", "0"}, {"Off", "0"}}) {
    const Environment set("NVFUSER_LINEINFO", word);
    EXPECT_EQ(option_text(Option::lineinfo), digit) << word;
  }
  const Environment wrong("NVFUSER_LINEINFO", "perhaps");
  EXPECT_TRUE(holds(error_of([] { option_text(Option::lineinfo); }), "'perhaps' is no flag"));
}

TEST(OptionTable, IsSortedAndDocumented) {
  EXPECT_LE(option_rows().size(), 25u);
  std::set<std::string_view> variables;
  for (const OptionRow& row : option_rows()) {
    EXPECT_TRUE(row.variable.starts_with("NVFUSER_"));
    EXPECT_TRUE(row.doc.ends_with("."));
    EXPECT_TRUE(variables.insert(row.variable).second);
  }
}

TEST(OptionValues, ComeFromTheEnvironmentElseTheDefault) {
  {
    const Environment none("NVFUSER_CACHE", nullptr);
    EXPECT_TRUE(options().cache);
  }
  {
    const Environment empty("NVFUSER_CACHE", "");
    EXPECT_TRUE(options().cache);
  }
  for (const char* word : {"0", "false", "OFF", "no"}) {
    const Environment off("NVFUSER_CACHE", word);
    EXPECT_FALSE(options().cache) << word;
  }
  {
    const Environment path("NVFUSER_NVRTC", "/some/where/libnvrtc.so");
    EXPECT_EQ(options().nvrtc, "/some/where/libnvrtc.so");
    EXPECT_EQ(option_text(Option::nvrtc), "/some/where/libnvrtc.so");
  }
  const Environment threads("NVFUSER_THREADS", "3");
  EXPECT_EQ(options().threads, 3);
}

TEST(OptionValues, WrongOnesAreErrorsThatListTheKnown) {
  {
    const Environment dump("NVFUSER_DUMP", "code,kernels");
    const std::string text = error_of([] { options(); });
    EXPECT_TRUE(holds(text, "NVFUSER_DUMP: 'kernels' is unknown")) << text;
    EXPECT_TRUE(holds(text, "fusion, segments, params, kernel, code, plan, moved, time")) << text;
  }
  const Environment target("NVFUSER_TARGET", "gpu");
  EXPECT_TRUE(holds(error_of([] { options(); }), "known: cuda, host, emulator, evaluator"));
  EXPECT_TRUE(holds(error_of([] { set_option("threads", "many"); }), "'many' is no integer >= 0"));
  EXPECT_TRUE(holds(error_of([] { set_option("threads", "-1"); }), "'-1' is no integer"));
  EXPECT_TRUE(holds(error_of([] { set_option("threads", "4x"); }), "'4x' is no integer"));
  EXPECT_TRUE(holds(error_of([] { set_option("cache", "perhaps"); }), "'perhaps' is no flag"));
  EXPECT_TRUE(holds(error_of([] { set_option("colour", "1"); }), "unknown option 'colour'; known: cache, cache_dir"));
}

TEST(OptionValues, CacheFolder) {
  const Environment no_folder("NVFUSER_CACHE_DIR", nullptr);
  const Environment no_base("XDG_CACHE_HOME", nullptr);
  const Environment home("HOME", "/home/someone");
  EXPECT_EQ(options().cache_dir, "/home/someone/.cache/nvfuser");
  {
    const Environment base("XDG_CACHE_HOME", "/base");
    EXPECT_EQ(options().cache_dir, "/base/nvfuser");
    const Environment folder("NVFUSER_CACHE_DIR", "/mine");
    EXPECT_EQ(options().cache_dir, "/mine");
  }
  const Environment no_home("HOME", nullptr);
  EXPECT_TRUE(holds(options().cache_dir, "/nvfuser-"));
}

TEST(OptionOverrides, LastWinsAndScopesEnd) {
  const Environment none("NVFUSER_THREADS", nullptr);
  EXPECT_EQ(options().threads, 0);
  {
    const ScopedOption two("threads", "2");
    EXPECT_EQ(options().threads, 2);
    {
      const ScopedOption five("NVFUSER_THREADS", "5");
      EXPECT_EQ(options().threads, 5);
    }
    EXPECT_EQ(options().threads, 2);
    set_option("threads", "7");
    EXPECT_EQ(options().threads, 7);
  }
  EXPECT_EQ(options().threads, 7);
  set_option("threads", "");
  EXPECT_EQ(options().threads, 0);
  reload_options();
  EXPECT_EQ(options().threads, 0);
}

TEST(OptionOverrides, EndInAnyOrder) {
  const Environment none("NVFUSER_CXX", nullptr);
  auto first = std::make_unique<ScopedOption>("cxx", "one");
  auto second = std::make_unique<ScopedOption>("cxx", "two");
  first.reset();
  EXPECT_EQ(options().cxx, "two");
  second.reset();
  EXPECT_EQ(options().cxx, "");
}

TEST(OptionOverrides, RefusedValuesChangeNothing) {
  const ScopedOption two("threads", "2");
  EXPECT_THROW(ScopedOption("threads", "none"), Error);
  EXPECT_EQ(options().threads, 2);
}

TEST(OptionOverrides, ManyThreads) {
  const Environment none("NVFUSER_THREADS", nullptr);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 1; t <= 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const ScopedOption mine("threads", std::to_string(t));
        const int64_t seen = options().threads;
        wrong += seen < 1 || seen > 4;
        dump_enabled(DumpStage::code);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(options().threads, 0);
}

TEST(Dump, FollowsTheOption) {
  const ScopedOption some("dump", " code , plan,");
  EXPECT_EQ(options().dump, (std::vector<std::string>{"code", "plan"}));
  EXPECT_TRUE(dump_enabled(DumpStage::code));
  EXPECT_TRUE(dump_enabled(DumpStage::plan));
  EXPECT_FALSE(dump_enabled(DumpStage::fusion));
  testing::internal::CaptureStderr();
  dump(DumpStage::code, "int x;");
  dump(DumpStage::fusion, "not this");
  dump(DumpStage::plan, "a\nb\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "==== nvfuser code ====\nint x;\n==== nvfuser plan ====\na\nb\n");
  const ScopedOption nothing("dump", "");
  EXPECT_FALSE(dump_enabled(DumpStage::code));
}

TEST(KnownDevices, RowsAndErrors) {
  EXPECT_EQ(known_device("H200").sms, 132);
  EXPECT_FALSE(known_device("CPU").gpu);
  for (const char* name : {"A100", "H100", "H200", "B200", "RTX5090", "CPU"}) {
    const DeviceProps& device = known_device(name);
    EXPECT_EQ(device.name, name);
    EXPECT_EQ(device.gpu, device.arch > 0);
    EXPECT_GT(device.read_tbps, device.write_tbps);
    EXPECT_GE(device.shared_per_sm, device.shared_per_block);
  }
  EXPECT_TRUE(holds(error_of([] { known_device("H300"); }), "known: A100, H100, H200, B200, RTX5090, CPU"));
}

}  // namespace
}  // namespace nvfuser
