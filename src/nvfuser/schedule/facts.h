// SPDX-License-Identifier: Apache-2.0
// Facts: what the host has verified for these sizes and pointers.  A kernel holds no code for what its facts exclude
// and serves every call whose facts include its own.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

struct Facts {
  /// (text of extent, text of factor) of splits that divide; never for an extent of 0.
  std::set<std::pair<std::string, std::string>> exact;
  /// Size or stride name -> power of two that divides it.
  std::map<std::string, int64_t> divisors;
  /// Buffer name (in0, out0) -> bytes to which its address is aligned (power of two, up to 16).
  std::map<std::string, int64_t> alignment;
  /// Size name -> a number that it is no smaller than, where lanes share a remainder by it.
  std::map<std::string, int64_t> least;
  /// Stride name -> name of the stride that it equals, in schedules that shift rows by where they start.
  std::map<std::string, std::string> same;
  /// 64-bit index arithmetic is needed.
  bool wide = true;

  bool operator==(const Facts&) const = default;
  auto operator<=>(const Facts&) const = default;
  bool divides(const Transform& split) const;
  /// A number that a product of sizes is no smaller than; 0 for anything else.
  int64_t least_of(Index product) const;
  /// p with one name for strides that are the same.
  Index with_same(const Algebra& algebra, Index p) const;
  Algebra algebra(IndexPool& pool) const;
  /// One line, such as "exact i0/128; i0%8; in0@16; narrow".
  std::string text() const;
};

}  // namespace nvfuser
