// SPDX-License-Identifier: Apache-2.0
// The disk cache keeps what it is given, believes nothing that it cannot check, and never fails a compile.
#include "nvfuser/backend/disk_cache.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <fstream>
#include <functional>
#include <thread>

#include "backend_fixture.h"
#include "nvfuser/base/hash.h"
#include "nvfuser/base/warning.h"

namespace nvfuser {
namespace {

constexpr int64_t kLarge = int64_t{1} << 30;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// The stem that stands for a short name in these tests.
std::string stem_of(const std::string& name) { return hash128(name).hex() + "-host"; }
CacheName name_of(const std::string& name) { return {stem_of(name), ".so", ".cpp"}; }

/// Runs `body` in a forked process, as an ordinary user where this one is root; its exit status.
int in_child(const std::function<bool()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

TEST(DiskCache, KeepsAnEntryAndItsSource) {
  const TestFolder folder;
  DiskCache cache(folder.path + "/made", kLarge);
  ASSERT_FALSE(cache.folder().empty()) << cache.why_off();
  EXPECT_FALSE(cache.find(name_of("a")).has_value());
  const std::string payload("bytes\0and more", 14);
  const CacheEntry stored = cache.store(name_of("a"), payload, "the source");
  EXPECT_EQ(stored.payload, payload);

  DiskCache other(folder.path + "/made", kLarge);
  const auto found = other.find(name_of("a"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->payload, payload);
  EXPECT_EQ(found->path, stored.path);
  EXPECT_EQ(read_file(cache.folder() + "/" + stem_of("a") + ".cpp"), "the source");
}

TEST(DiskCache, BelongsToItsUserAlone) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const CacheEntry stored = cache.store(name_of("a"), "payload", "source");
  struct stat status;
  ASSERT_EQ(stat(cache.folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  for (const std::string& path : {stored.path, cache.folder() + "/" + stem_of("a") + ".cpp"}) {
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
  }
}

TEST(DiskCache, DeletesWrongContent) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const std::string path = cache.store(name_of("a"), "a payload of some length", "").path;
  const std::string good = read_file(path);
  std::string flipped = good, other_format = good;
  flipped[3] ^= 1;
  other_format[good.size() - 32] ^= 1;
  for (const std::string& content : {flipped, other_format, good.substr(0, good.size() - 1), good.substr(1), good + "x",
                                     std::string(), std::string("foreign"), std::string(4096, 'x')}) {
    write_file(path, content);
    EXPECT_FALSE(cache.find(name_of("a")).has_value()) << content.size();
    EXPECT_FALSE(std::filesystem::exists(path)) << content.size();
    cache.store(name_of("a"), "a payload of some length", "");
  }
  EXPECT_EQ(read_file(path), good);
  EXPECT_TRUE(cache.find(name_of("a")).has_value());
}

TEST(DiskCache, DoesNotTakeAnEntryUnderAnotherName) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const std::string path = cache.store(name_of("a"), "payload", "").path;
  std::filesystem::copy_file(path, cache.folder() + "/" + stem_of("b") + ".so");
  chmod((cache.folder() + "/" + stem_of("b") + ".so").c_str(), 0600);
  EXPECT_FALSE(cache.find(name_of("b")).has_value());
  EXPECT_TRUE(cache.find(name_of("a")).has_value());
}

TEST(DiskCache, LeavesAloneWhatOthersMayHaveWritten) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const std::string path = cache.store(name_of("a"), "payload", "").path;
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  EXPECT_FALSE(cache.find(name_of("a")).has_value());
  EXPECT_TRUE(std::filesystem::exists(path));

  std::filesystem::create_symlink(cache.store(name_of("b"), "payload", "").path,
                                  cache.folder() + "/" + stem_of("c") + ".so");
  EXPECT_FALSE(cache.find(name_of("c")).has_value());

  ASSERT_EQ(chmod(cache.folder().c_str(), 0777), 0);
  const DiskCache open_to_all(folder.path, kLarge);
  EXPECT_TRUE(open_to_all.folder().empty());
  EXPECT_TRUE(contains(open_to_all.why_off(), "written by others")) << open_to_all.why_off();
}

TEST(DiskCache, TrustsNoOtherUser) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root gives files away";
  }
  constexpr uid_t kNobody = 65534;
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const std::string path = cache.store(name_of("a"), "payload", "").path;
  ASSERT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
  EXPECT_FALSE(cache.find(name_of("a")).has_value());
  EXPECT_TRUE(std::filesystem::exists(path));

  ASSERT_EQ(chown(cache.folder().c_str(), kNobody, kNobody), 0);
  DiskCache foreign(folder.path, kLarge);
  EXPECT_TRUE(contains(foreign.why_off(), "another user")) << foreign.why_off();
  EXPECT_TRUE(foreign.store(name_of("b"), "payload", "").path.empty());
}

TEST(DiskCache, OutlivesAFullDisk) {
  const TestFolder folder;
  EXPECT_EQ(in_child([&] {
              DiskCache cache(folder.path, kLarge);
              const std::string large(100000, 'x');
              signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{4096, 4096};  // no file may be larger
              if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
                return false;
              }
              const CacheEntry refused = cache.store(name_of("a"), large, "source");
              const bool small_fits = !cache.store(name_of("b"), "payload", "").path.empty();
              const bool no_folder = cache.store_folder("include", {{"rt/a.h", large}}).empty();
              return refused.path.empty() && refused.payload == large && !cache.find(name_of("a")) && small_fits &&
                     no_folder && cache.writable();
            }),
            0);
  EXPECT_TRUE(folder.left_over().empty());
  EXPECT_FALSE(std::filesystem::exists(folder.path + "/v1/include"));
  // With room again all goes on.
  DiskCache cache(folder.path, kLarge);
  EXPECT_FALSE(cache.store(name_of("a"), std::string(100000, 'x'), "source").path.empty());
  EXPECT_TRUE(cache.find(name_of("b")).has_value());
}

TEST(DiskCache, SweepsWithoutTheRoomForItsLedger) {
  const TestFolder folder;
  DiskCache cache(folder.path, 1000);
  EXPECT_EQ(in_child([&] {
              const std::string payload(700, 'x');
              cache.store(name_of("a"), payload, "");
              write_file(cache.folder() + "/" + stem_of("b") + ".so", payload);
              signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{0, 0};
              if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
                return false;
              }
              cache.store(name_of("c"), payload, "");
              return true;
            }),
            0);
  EXPECT_LT(folder.files(".so").size(), 2u);
}

TEST(DiskCache, IsOffWithoutAFolder) {
  DiskCache off("", kLarge);
  EXPECT_FALSE(off.writable());
  EXPECT_FALSE(off.find(name_of("a")).has_value());
  const CacheEntry entry = off.store(name_of("a"), "payload", "");
  EXPECT_EQ(entry.payload, "payload");
  EXPECT_TRUE(entry.path.empty());

  const TestFolder folder;
  write_file(folder.path + "/file", "no folder");
  DiskCache blocked(folder.path + "/file", kLarge);
  EXPECT_TRUE(blocked.folder().empty());
  EXPECT_FALSE(blocked.why_off().empty());
}

TEST(DiskCache, ReadsOnWhenTheFolderRefusesWrites) {
  const TestFolder folder;
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(chown(folder.path.c_str(), kNobody, kNobody), 0);
  }
  EXPECT_EQ(in_child([&] {
              if (root && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) {
                return false;
              }
              DiskCache cache(folder.path, kLarge);
              cache.store(name_of("a"), "payload", "");
              if (chmod(cache.folder().c_str(), 0500) != 0) {
                return false;
              }
              const CacheEntry refused = cache.store(name_of("b"), "payload", "");
              const bool latched = !cache.writable();
              const bool reads = cache.find(name_of("a")).has_value();
              return refused.path.empty() && refused.payload == "payload" && latched && reads &&
                     chmod(cache.folder().c_str(), 0700) == 0;
            }),
            0);
}

TEST(DiskCache, ThreadsOfOneNameAllReadTheSameContent) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const std::string stem = "n" + std::to_string(i % 5);
        const std::string payload(1000 + 100 * (i % 5), static_cast<char>('a' + i % 5));
        if (cache.store(name_of(stem), payload, stem).path.empty()) {
          ++wrong;
        }
        const auto found = cache.find(name_of(stem));
        if (!found || found->payload != payload) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_TRUE(folder.left_over().empty());
  EXPECT_EQ(folder.files(".so").size(), 5u);
}

TEST(DiskCache, ProcessesShareOneFolder) {
  const TestFolder folder;
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    const pid_t pid = fork();
    if (pid == 0) {
      DiskCache cache(folder.path, kLarge);
      bool right = true;
      for (int i = 0; i < 60; ++i) {
        const std::string stem = "n" + std::to_string((i + child) % 20);
        const auto before = cache.find(name_of(stem));
        right = right && (!before || before->payload == stem + " payload");
        cache.store(name_of(stem), stem + " payload", stem);
        const auto after = cache.find(name_of(stem));
        right = right && after && after->payload == stem + " payload";
      }
      _exit(right ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(folder.files(".so").size(), 20u);
  EXPECT_TRUE(folder.left_over().empty());
}

TEST(DiskCache, SweepsTheLeastRecentlyUsed) {
  const TestFolder folder;
  const std::string payload(6000, 'p');
  DiskCache cache(folder.path, kLarge);
  const std::time_t now = std::time(nullptr);
  for (int i = 0; i < 12; ++i) {
    const CacheEntry stored = cache.store(name_of("n" + std::to_string(i)), payload, "source");
    const utimbuf times{now - 10000 * (i + 1), now - 10000 * (i + 1)};  // n0 is the newest
    utime(stored.path.c_str(), &times);
    utime((cache.folder() + "/" + stem_of("n" + std::to_string(i)) + ".cpp").c_str(), &times);
  }
  write_file(cache.folder() + "/notes.cpp", payload);  // not of this cache
  DiskCache(folder.path, 10 * 6100).sweep();           // ten entries with their sources
  EXPECT_TRUE(std::filesystem::exists(cache.folder() + "/notes.cpp"));
  std::filesystem::remove(cache.folder() + "/notes.cpp");
  const size_t kept = folder.files(".so").size();
  EXPECT_EQ(kept, 8u);
  EXPECT_EQ(folder.files(".cpp").size(), kept);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(cache.find(name_of("n" + std::to_string(i))).has_value(), i < kept) << i;
  }
}

TEST(DiskCache, StaysWithinItsBudget) {
  const TestFolder folder;
  constexpr int64_t kBudget = 100000;
  const std::string payload(3000, 'p');
  DiskCache first(folder.path, kBudget), second(folder.path, kBudget);  // as two processes
  const auto bytes = [&] {
    int64_t sum = 0;
    for (const CacheItem& item : cache_items(folder.path)) {
      sum += item.bytes;
    }
    return sum;
  };
  for (int i = 0; i < 200; ++i) {
    const std::string name = "n" + std::to_string(i);
    ASSERT_FALSE((i % 2 ? first : second).store(name_of(name), payload, "source").path.empty());
    ASSERT_LE(bytes(), kBudget) << i;
  }
  EXPECT_GT(bytes(), kBudget / 2);
}

TEST(DiskCache, IsMadeAgainWhereItHasVanished) {
  const TestFolder folder;
  DiskCache cache(folder.path + "/a/b", kLarge);
  cache.store(name_of("a"), "payload", "source");
  std::filesystem::remove_all(folder.path + "/a");
  EXPECT_FALSE(cache.find(name_of("a")).has_value());
  EXPECT_FALSE(cache.store(name_of("a"), "payload", "source").path.empty());
  EXPECT_TRUE(cache.find(name_of("a")).has_value());
}

TEST(DiskCache, SaysOnceThatItDiscardsFiles) {
  const TestFolder folder;
  EXPECT_EQ(in_child([&] {
              static std::vector<std::string> said;
              set_warning_handler([](const std::string& message) { said.push_back(message); });
              DiskCache cache(folder.path, kLarge);
              cache.find(name_of("never stored"));
              for (const char* name : {"a", "b", "c"}) {
                write_file(cache.store(name_of(name), "payload", "").path, "truncat");
                cache.find(name_of(name));
              }
              return said.size() == 1 && contains(said[0], stem_of("a")) && contains(said[0], "deleted");
            }),
            0);
}

TEST(DiskCache, ClearsWhatItWroteAndNothingElse) {
  const TestFolder folder;
  {
    DiskCache cache(folder.path, kLarge);
    cache.store(name_of("a"), "payload", "source");
    cache.store({hash128("b").hex() + "-cuda90", ".cubin", ".cu"}, "payload", "source");
    cache.store_folder("include-" + hash128("c").hex(), {{"rt/a.h", "// a"}});
    EXPECT_EQ(cache_items(folder.path).size(), 3u);
    write_file(folder.path + "/mine", "mine");
    write_file(cache.folder() + "/mine.so", "mine");
    std::filesystem::create_directory(cache.folder() + "/include-mine");
    std::filesystem::create_symlink("/dev/null", cache.folder() + "/" + stem_of("d") + ".so");
  }
  const std::vector<CacheItem> removed = clear_cache(folder.path);
  EXPECT_EQ(removed.size(), 3u);
  EXPECT_TRUE(cache_items(folder.path).empty());
  for (const std::string& kept : {std::string("mine"), std::string("v1/mine.so"), std::string("v1/include-mine")}) {
    EXPECT_TRUE(std::filesystem::exists(folder.path + "/" + kept)) << kept;
  }
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path + "/v1/" + stem_of("d") + ".so"));
  std::filesystem::remove_all(folder.path + "/v1");
  EXPECT_TRUE(clear_cache(folder.path).empty());
  DiskCache again(folder.path, kLarge);
  again.store(name_of("a"), "payload", "source");
  EXPECT_EQ(clear_cache(folder.path).size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(folder.path + "/v1"));
}

TEST(DiskCache, RefusesAFolderThatOthersCanSwap) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root gives folders away";
  }
  const TestFolder folder;
  ASSERT_EQ(chmod(folder.path.c_str(), 0775), 0);
  EXPECT_TRUE(DiskCache(folder.path, kLarge).why_off().empty());  // a group of its own
  ASSERT_EQ(chown(folder.path.c_str(), 0, 65534), 0);
  EXPECT_TRUE(contains(DiskCache(folder.path, kLarge).why_off(), "written by others"));
  ASSERT_EQ(chmod(folder.path.c_str(), 01775), 0);
  EXPECT_TRUE(DiskCache(folder.path, kLarge).why_off().empty());
}

TEST(DiskCache, UseRefreshesAnEntryOnceADay) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const std::string path = cache.store(name_of("a"), "payload", "").path;
  const std::time_t now = std::time(nullptr);
  const auto modified = [&] {
    struct stat status;
    return stat(path.c_str(), &status) == 0 ? status.st_mtime : 0;
  };
  const utimbuf hours{now - 7200, now - 7200}, days{now - 200000, now - 200000};
  utime(path.c_str(), &hours);
  ASSERT_TRUE(cache.find(name_of("a")).has_value());
  EXPECT_EQ(modified(), now - 7200);
  utime(path.c_str(), &days);
  ASSERT_TRUE(cache.find(name_of("a")).has_value());
  EXPECT_GE(modified(), now);
}

TEST(DiskCache, AFolderOfFilesIsCompleteOrAbsent) {
  const TestFolder folder;
  DiskCache cache(folder.path, kLarge);
  const std::vector<std::pair<std::string, std::string_view>> files{{"rt/a.h", "// a"}, {"rt/b.h", "// b"}};
  const std::string path = cache.store_folder("include-1", files);
  ASSERT_FALSE(path.empty());
  EXPECT_EQ(read_file(path + "/rt/a.h"), "// a");
  EXPECT_EQ(cache.store_folder("include-1", files), path);
  write_file(path + "/rt/b.h", "// changed");
  EXPECT_EQ(cache.store_folder("include-1", files), path);
  EXPECT_EQ(read_file(path + "/rt/b.h"), "// b");
}

}  // namespace
}  // namespace nvfuser
