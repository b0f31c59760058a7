// SPDX-License-Identifier: Apache-2.0
// What schedules need to know of a machine.  Rows for known GPUs stand in device_props.cpp, so choose can be tested for
// any of them without a device; the backend fills one from the driver at run time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nvfuser {

struct DeviceProps {
  std::string name;  ///< "H200"
  bool gpu = true;
  int arch = 90;  ///< compute capability * 10; 0 for CPUs
  int sms = 0;    ///< streaming multiprocessors, or CPU threads
  double clock_ghz = 0;
  double read_tbps = 0;   ///< sustained DRAM read bandwidth, TB/s
  double write_tbps = 0;  ///< sustained DRAM write bandwidth, TB/s
  int64_t l2_bytes = 0;   ///< L2 of a GPU, last-level cache of a CPU
  int64_t l1_bytes = 0;
  int64_t shared_per_sm = 0;
  int64_t shared_per_block = 0;  ///< opt-in maximum
  int registers_per_sm = 65536;
  int threads_per_sm = 2048;
  int blocks_per_sm = 32;
  int threads_per_block = 1024;
  int simd_bytes = 0;  ///< CPU: bytes of one vector register
};

/// A row by name: "A100", "H100", "H200", "B200", "RTX5090", "CPU"; error that lists the known ones otherwise.
const DeviceProps& known_device(std::string_view name);

}  // namespace nvfuser
