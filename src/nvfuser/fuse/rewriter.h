// SPDX-License-Identifier: Apache-2.0
// One pass of the rewrites: the live expressions again in a fresh fusion, each brought through the rules on its way.  A
// rule sees an expression that is about to be made; its operands are in the fresh fusion already, with definitions.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nvfuser/fuse/rewrite_duplicates.h"
#include "nvfuser/ir/node_copier.h"

namespace nvfuser {

class Rewriter;

/// A rule changes the draft and says so, or leaves it.
struct RewriteRule {
  std::string_view name;
  bool (*apply)(Rewriter& rewriter, Draft& draft);
};

/// fuse/rewrite_algebra.cpp, fuse/rewrite_casts.cpp, fuse/rewrite_softmax.cpp
std::span<const RewriteRule> algebra_rules();
std::span<const RewriteRule> cast_rules();
std::span<const RewriteRule> softmax_rules();
/// Float values of which nothing is made that is not rounded to a narrow float, with no cancellation on the way.
std::unordered_set<const Val*> hidden_values(const Fusion& fusion);

class Rewriter {
 public:
  explicit Rewriter(const Fusion& from);

  /// Whether anything was changed.
  bool run();
  const std::shared_ptr<Fusion>& result() const { return to_; }
  const std::unordered_map<const Val*, Val*>& copies() const { return copies_.copies(); }

  // ---- for rules
  /// A new value, or an equal one that exists; dtype, axes and memory order are those of `like`, a tensor.
  Val* make(PointwiseOp op, std::vector<Val*> operands, const Val* like);
  Val* constant(double value, DataType dtype) { return copies_.constant(value, dtype); }
  /// The value is read once and is no output: rules that replace a definition want that, so that it goes away.
  bool used_once(const Val* val) const;
  /// Is the value that the draft stands for among the hidden ones?
  bool hides_error() const { return hidden_.contains(current_); }

 private:
  void keep(const Expr& old);
  void rebuild(const Expr& old);
  bool apply_rules(Draft& draft);
  Val* settle(const Draft& draft, bool is_output);
  TensorView* tensor_like(const TensorView& like);
  void define(const Draft& draft);
  void retain(const std::vector<Val*>& operands);
  void release(const std::vector<Val*>& operands);

  const Fusion& from_;
  std::shared_ptr<Fusion> to_;
  NodeCopier copies_;
  DuplicateTable made_;
  std::unordered_map<const Val*, int> old_uses_;  ///< as operands of live expressions and as outputs, in the old fusion
  std::unordered_map<const Val*, int> uses_;      ///< the same in the fresh fusion, those still to come included
  std::unordered_set<const Val*> outputs_;        ///< of the old fusion
  std::unordered_set<const Val*> hidden_;         ///< of the old fusion
  const Val* current_ = nullptr;                  ///< of the old fusion: what the draft stands for
  bool changed_ = false;
};

}  // namespace nvfuser
