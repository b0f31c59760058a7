// SPDX-License-Identifier: Apache-2.0
// This machine's CPU as a row of device properties: threads that may run, caches, vector width.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "nvfuser/backend/module.h"
#include "nvfuser/base/device_props.h"
#include "nvfuser/base/thread_pool.h"

namespace nvfuser {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// "32K", "2048K", "36M" as bytes.
int64_t bytes_of(const std::string& text) {
  char* end = nullptr;
  const int64_t number = std::strtoll(text.c_str(), &end, 10);
  return number << (*end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0);
}

struct Caches {
  int64_t first = 0, last = 0;  ///< level 1 data; the highest level, one instance
};

Caches read_caches() {
  Caches caches;
  int highest = 0;
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
    const int level = std::atoi(first_line(folder + "/level").c_str());
    if (level == 0) {
      break;
    }
    if (first_line(folder + "/type") == "Instruction") {
      continue;
    }
    const int64_t bytes = bytes_of(first_line(folder + "/size"));
    if (level == 1) {
      caches.first = bytes;
    }
    if (level >= highest && bytes > 0) {
      highest = level;
      caches.last = bytes;
    }
  }
  // Containers may hide sysfs; the C library asks the processor.
  if (caches.first <= 0) {
    caches.first = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  }
  if (caches.last <= 0) {
    caches.last = std::max(sysconf(_SC_LEVEL3_CACHE_SIZE), sysconf(_SC_LEVEL2_CACHE_SIZE));
  }
  return caches;
}

int simd_bytes() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx") ? 32 : 16;
#else
  return 16;
#endif
}

/// A field of /proc/cpuinfo of the first processor; empty when it has none of that name.
std::string cpuinfo(const std::string& field) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos && line.starts_with(field) && colon + 2 < line.size()) {
      return line.substr(colon + 2);
    }
  }
  return {};
}

DeviceProps read_props() {
  DeviceProps props = known_device("CPU");
  props.gpu = false;
  props.arch = 0;
  const Caches caches = read_caches();
  if (caches.first > 0) {
    props.l1_bytes = caches.first;
  }
  if (caches.last > 0) {
    props.l2_bytes = caches.last;
  }
  props.simd_bytes = simd_bytes();
  if (const std::string name = cpuinfo("model name"); !name.empty()) {
    props.name = name;
  }
  // The highest clock, not the one of this moment: equal machines give equal schedules.
  const double khz = std::atof(first_line("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").c_str());
  if (khz > 0) {
    props.clock_ghz = khz * 1e-6;
  }
  return props;
}

}  // namespace

DeviceProps cpu_device_props() {
  static const DeviceProps fixed = read_props();  // asked for every plan
  DeviceProps props = fixed;
  props.sms = thread_count();
  return props;
}

}  // namespace nvfuser
