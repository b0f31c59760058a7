// SPDX-License-Identifier: Apache-2.0
// Known machines.  The H200's bandwidths are measured (read 4.60, write 4.20 TB/s of 4.8), its clock is inferred from a
// profile (1.85 GHz under load); the other GPUs take the same shares of their data sheets: .958 and .875 of peak
// bandwidth (H100 SXM 3.35, A100 80 GB 2.04, B200 8.0, RTX 5090 1.79 TB/s), .93 of the boost clock.  Counts, caches and
// per-SM limits: NVIDIA's data sheets and the compute-capability table of the CUDA programming guide.
// Shared memory per SM counts the 1 KB that the driver takes of it for every block.  CPU: figures of a plain 16-thread
// desktop machine, guessed; the backend reads the real one's.
#include "nvfuser/base/device_props.h"

#include "nvfuser/base/errors.h"

namespace nvfuser {

namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;

const DeviceProps kDevices[] = {
    {.name = "A100",
     .arch = 80,
     .sms = 108,
     .clock_ghz = 1.3,
     .read_tbps = 1.95,
     .write_tbps = 1.79,
     .l2_bytes = 40 * kMiB,
     .l1_bytes = 192 * kKiB,
     .shared_per_sm = 164 * kKiB,
     .shared_per_block = 163 * kKiB},
    {.name = "H100",
     .arch = 90,
     .sms = 132,
     .clock_ghz = 1.85,
     .read_tbps = 3.21,
     .write_tbps = 2.93,
     .l2_bytes = 50 * kMiB,
     .l1_bytes = 256 * kKiB,
     .shared_per_sm = 228 * kKiB,
     .shared_per_block = 227 * kKiB},
    {.name = "H200",
     .arch = 90,
     .sms = 132,
     .clock_ghz = 1.85,
     .read_tbps = 4.6,
     .write_tbps = 4.2,
     .l2_bytes = 50 * kMiB,
     .l1_bytes = 256 * kKiB,
     .shared_per_sm = 228 * kKiB,
     .shared_per_block = 227 * kKiB},
    {.name = "B200",
     .arch = 100,
     .sms = 148,
     .clock_ghz = 1.83,
     .read_tbps = 7.67,
     .write_tbps = 7.0,
     .l2_bytes = 126 * kMiB,
     .l1_bytes = 256 * kKiB,
     .shared_per_sm = 228 * kKiB,
     .shared_per_block = 227 * kKiB},
    {.name = "RTX5090",
     .arch = 120,
     .sms = 170,
     .clock_ghz = 2.24,
     .read_tbps = 1.72,
     .write_tbps = 1.57,
     .l2_bytes = 96 * kMiB,
     .l1_bytes = 128 * kKiB,
     .shared_per_sm = 100 * kKiB,
     .shared_per_block = 99 * kKiB,
     .threads_per_sm = 1536,
     .blocks_per_sm = 24},
    {.name = "CPU",
     .gpu = false,
     .arch = 0,
     .sms = 16,
     .clock_ghz = 3.0,
     .read_tbps = 0.06,
     .write_tbps = 0.04,
     .l2_bytes = 32 * kMiB,
     .l1_bytes = 32 * kKiB,
     .registers_per_sm = 0,
     .threads_per_sm = 1,
     .blocks_per_sm = 1,
     .threads_per_block = 1,
     .simd_bytes = 32},
};

}  // namespace

const DeviceProps& known_device(std::string_view name) {
  std::string known;
  for (const DeviceProps& device : kDevices) {
    if (device.name == name) {
      return device;
    }
    known += (known.empty() ? "" : ", ") + device.name;
  }
  fail(ErrorKind::option, "unknown device '", name, "'; known: ", known);
}

}  // namespace nvfuser
