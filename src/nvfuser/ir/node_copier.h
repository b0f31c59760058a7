// SPDX-License-Identifier: Apache-2.0
// Copies nodes of one fusion into another: all of them for a clone, those that a pass keeps for a rewritten copy.
#pragma once

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

class NodeCopier {
 public:
  explicit NodeCopier(Fusion& to) : to_(to) {}

  /// Equal constants become one node from here on.
  void share_constants() { sharing_ = true; }
  /// The copy of a value, made now where there is none: a scalar with its definition, a tensor without (an expression
  /// that has the tensor as its result defines it).  Null stays null.
  Val* operator()(const Val* old);
  TensorView* operator()(const TensorView* old) {
    return static_cast<TensorView*>((*this)(static_cast<const Val*>(old)));
  }
  /// From here on `fresh` stands for `old`.
  void replace(const Val* old, Val* fresh) { copies_[old] = fresh; }
  /// Copies an expression as it is, with its location.
  void copy(const Expr& expr);
  /// A constant of the new fusion.
  Val* constant(const ScalarValue& value, DataType dtype);
  /// Makes copies of inputs, outputs, aliases and the random offset's advance, and then sets memory order and kind
  /// anew, which the boundary touches.
  void copy_boundary(const Fusion& from);
  const std::unordered_map<const Val*, Val*>& copies() const { return copies_; }

  template <class T, class Old>
  std::vector<T*> mapped(const std::vector<Old*>& old) {
    std::vector<T*> result;
    for (const Old* v : old) {
      result.push_back(static_cast<T*>((*this)(static_cast<const Val*>(v))));
    }
    return result;
  }

 private:
  Val* copy_val(const Val& val);
  void copy_memory(const TensorView& from, TensorView& to);

  Fusion& to_;
  bool sharing_ = false;
  std::unordered_map<const Val*, Val*> copies_;
  std::vector<std::pair<const TensorView*, TensorView*>> tensors_;  ///< copied by copy_val, in order
  std::map<std::vector<uint64_t>, Val*> constants_;                 ///< by dtype and bits
};

}  // namespace nvfuser
