// SPDX-License-Identifier: Apache-2.0
// Passes until one changes nothing, and the way of each value through them.
#include "nvfuser/fuse/rewrite.h"

#include <unordered_map>

#include "nvfuser/fuse/rewriter.h"

namespace nvfuser {

namespace {

/// Most fusions are done after two passes; what one pass leaves to the next shrinks by every rule.
constexpr int kMostPasses = 16;

using Copies = std::unordered_map<const Val*, Val*>;

/// Where the values of the first fusion are after one more pass; those that the pass drops are gone.
Copies followed(const Copies& so_far, const Copies& step) {
  Copies result;
  for (const auto& [old, middle] : so_far) {
    if (const auto found = step.find(middle); found != step.end()) {
      result.emplace(old, found->second);
    }
  }
  return result;
}

Copies identity(const Fusion& fusion) {
  Copies result;
  for (Val* val : fusion.vals()) {
    result.emplace(val, val);
  }
  return result;
}

}  // namespace

std::shared_ptr<Fusion> rewrite(const std::shared_ptr<Fusion>& fusion, std::vector<std::pair<const Val*, Val*>>* map) {
  std::shared_ptr<Fusion> current = fusion;
  Copies copies = identity(*fusion);
  bool changed = true;
  for (int pass = 0; changed && pass < kMostPasses; ++pass) {
    Rewriter rewriter(*current);
    changed = rewriter.run();
    if (pass == 0 && !changed) {
      break;
    }
    // The pass that changes nothing still leaves behind what the one before it no longer needs.
    current = rewriter.result();
    copies = followed(copies, rewriter.copies());
  }
  if (map != nullptr) {
    map->assign(copies.begin(), copies.end());
  }
  return current;
}

}  // namespace nvfuser
