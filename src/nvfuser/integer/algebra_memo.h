// SPDX-License-Identifier: Apache-2.0
// What an Algebra remembers: results of division, bounds and proofs, by expression.
#pragma once

#include <unordered_map>
#include <utility>

#include "nvfuser/base/hash.h"
#include "nvfuser/integer/index.h"

namespace nvfuser {

using IndexPair = std::pair<Index, Index>;
struct IndexPairHash {
  size_t operator()(const IndexPair& pair) const { return mix_bits(pair.first->hash) + pair.second->hash; }
};
struct IndexHash {
  size_t operator()(Index p) const { return p->hash; }
};

struct Algebra::Memo {
  std::unordered_map<IndexPair, Division, IndexPairHash> divisions;
  std::unordered_map<Index, Index, IndexHash> uppers;  ///< null: no bound
  std::unordered_map<Index, bool, IndexHash> nonnegatives;
  std::unordered_map<Index, Index, IndexHash> rejoined;
  std::unordered_map<const Atom*, int64_t> divisors;
  std::unordered_map<const Atom*, bool> has_index;
};

}  // namespace nvfuser
