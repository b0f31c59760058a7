// SPDX-License-Identifier: Apache-2.0
// Do the Facts of a scheduled kernel hold for other sizes?  Asked for every new shape, so it only counts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

/// The value of a size or stride.
using SizeOf = std::function<int64_t(const Atom&)>;

/// Are 32 bits too few for the reference space rounded up to tiles, or for an address?  `kernel` is scheduled.
bool needs_wide(const Kernel& kernel, const SizeOf& value);

/// What a kernel made under `facts` asks of a call: its facts and the preconditions of its Params.
class FactsCheck {
 public:
  /// `kernel` is scheduled, and its index expressions outlive the check.
  FactsCheck(const Kernel& kernel, const Facts& facts);
  /// May the kernel serve these sizes and pointers?
  bool holds(const SizeValues& sizes, const Alignments& alignments) const;
  /// A schedule error where it may not: the preconditions of the Params fail.
  void require(const SizeValues& sizes, const Alignments& alignments) const;

 private:
  struct Aligned {
    bool output;
    size_t position;
    int64_t bytes;
  };

  const Kernel& kernel_;
  bool wide_;
  std::vector<std::pair<Index, Index>> exact_;  ///< extent, factor
  std::vector<Fit> fits_;
  std::vector<std::pair<std::string, int64_t>> divisors_, least_;
  std::vector<std::pair<std::string, std::string>> same_;
  std::vector<Aligned> aligned_;
};

}  // namespace nvfuser
