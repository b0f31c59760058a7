// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic of index expressions: floored division that is total, arithmetic that wraps (evaluation) and
// arithmetic that refuses to (construction).
#pragma once

#include <cstdint>

#include "nvfuser/base/errors.h"

namespace nvfuser {

inline int64_t wrap_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t wrap_mul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

/// floor(a / b); 0 when b is 0.
inline int64_t floor_div(int64_t a, int64_t b) {
  if (b == 0) {
    return 0;
  }
  if (b == -1) {
    return wrap_mul(a, -1);
  }
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
/// a - b * floor(a / b); 0 when b is 0.
inline int64_t floor_mod(int64_t a, int64_t b) {
  if (b == 0 || b == -1) {
    return 0;
  }
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// Coefficients are exact: what does not fit 64 bits is an error (proofs catch it and answer "not provable").
inline int64_t exact_add(int64_t a, int64_t b) {
  int64_t sum;
  check(!__builtin_add_overflow(a, b, &sum), ErrorKind::shape, "an index expression exceeds 64 bits: ", a, " + ", b);
  return sum;
}
inline int64_t exact_mul(int64_t a, int64_t b) {
  int64_t product;
  check(!__builtin_mul_overflow(a, b, &product), ErrorKind::shape, "an index expression exceeds 64 bits: ", a, " * ",
        b);
  return product;
}

}  // namespace nvfuser
