// SPDX-License-Identifier: Apache-2.0
// The host side of rt::Divisor: division by a launch-time number as a multiplication and a shift.
#pragma once

#include <bit>
#include <cstdint>

#include "nvfuser/device/generic/divisor.h"

namespace nvfuser {

/// With s = ceil(log2 d) and m = ceil(2^(31+s) / d), floor(x / d) = (x * m) >> (31 + s) for 0 <= x < 2^31
/// (Granlund and Montgomery, Division by invariant integers using multiplication, 1994; the error of m is below 2^s).
constexpr rt::Divisor<int> make_divisor32(int64_t divisor) {
  const uint64_t d = divisor < 1 ? 1 : static_cast<uint64_t>(divisor);
  const uint32_t s = static_cast<uint32_t>(std::bit_width(d - 1));
  const uint64_t numerator = uint64_t{1} << (31 + s);
  return {static_cast<uint32_t>(d), static_cast<uint32_t>((numerator + d - 1) / d), s};
}

/// The 64-bit form divides plainly; multiplier and shift are 0.
constexpr rt::Divisor<long long> make_divisor64(int64_t divisor) {
  return {divisor < 1 ? 1u : static_cast<uint64_t>(divisor), 0, 0};
}

}  // namespace nvfuser
