// SPDX-License-Identifier: Apache-2.0
// What the graph alone cannot know of sizes, held against the sizes of one call, expression by expression in the user's
// own words.
#include <algorithm>
#include <array>
#include <sstream>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/nodes.h"

namespace nvfuser {

namespace {

using Sizes = std::vector<int64_t>;

struct SizeList {
  const Sizes& sizes;
};

std::ostream& operator<<(std::ostream& out, const SizeList& list) {
  out << "[";
  for (size_t k = 0; k < list.sizes.size(); ++k) {
    out << (k == 0 ? "" : ", ") << list.sizes[k];
  }
  return out << "]";
}

/// The check of one call; operands of an expression have passed when it is looked at.
class SizeCheck {
 public:
  explicit SizeCheck(ScalarBinding& binding) : binding_(binding) {}

  void check_expr(const Expr& expr) {
    if (!expr.output(0)->is_tensor()) {
      return;
    }
    const Sizes result = sizes(expr.output(0));
    for (size_t k = 0; k < result.size(); ++k) {
      check(result[k] >= 0, ErrorKind::shape, OpTitle{expr}, ": axis ", k, " of its result would have size ", result[k],
            "; a size cannot be negative");
    }
    (this->*kChecks[static_cast<int>(expr.kind())])(expr, result);
  }

 private:
  using Check = void (SizeCheck::*)(const Expr& expr, const Sizes& result);
  static const std::array<Check, kNodeCount> kChecks;

  static std::vector<IterDomain*> axes(const Val* tensor) {
    return static_cast<const TensorView*>(tensor)->domain()->no_reductions();
  }

  Sizes sizes(const Val* tensor) {
    Sizes result;
    for (const IterDomain* axis : axes(tensor)) {
      result.push_back(binding_.integer(axis->visible_extent()));
    }
    return result;
  }

  void nothing(const Expr&, const Sizes&) {}

  /// Operands agree along the axes that are reduced, too.
  void reduce(const Expr& expr, const Sizes&) {
    Sizes root;
    for (const IterDomain* axis : static_cast<const TensorView*>(expr.output(0))->domain()->root()) {
      root.push_back(binding_.integer(axis->visible_extent()));
    }
    aligned(expr, root);
  }

  /// Axes of tensor operands have the size of the result's, or are broadcast axes of size 1.
  void aligned(const Expr& expr, const Sizes& result) {
    for (size_t position = 0; position < expr.inputs().size(); ++position) {
      const Val* operand = expr.inputs()[position];
      const auto operand_axes = operand->is_tensor() ? axes(operand) : std::vector<IterDomain*>{};
      for (size_t k = 0; k < operand_axes.size(); ++k) {
        const int64_t size = binding_.integer(operand_axes[k]->visible_extent());
        if (size != result[k] && !(operand_axes[k]->is_broadcast() && size == 1)) {
          differ(expr, position, k, size, result[k]);
        }
      }
    }
  }

  /// As aligned, but the tensor has an extent of its own along the axis, of which there is an element to take.
  void take_along_axis(const Expr& expr, const Sizes& result) {
    const auto axis = static_cast<size_t>(expr.attribute<int64_t>(0));
    for (size_t position = 0; position < 2; ++position) {
      const Val* operand = expr.inputs()[position];
      const auto operand_axes = axes(operand);
      const Sizes mine = sizes(operand);
      for (size_t k = 0; k < mine.size(); ++k) {
        const bool fits = mine[k] == result[k] || (operand_axes[k]->is_broadcast() && mine[k] == 1);
        const bool taken = position == 0 && k == axis;
        check(taken || fits, ErrorKind::shape, OpTitle{expr}, ": axis ", k, " of ", *operand, " has size ", mine[k],
              ", but that of its result ", result[k]);
        check(!taken || mine[k] > 0 || std::find(result.begin(), result.end(), 0) != result.end(), ErrorKind::shape,
              OpTitle{expr}, ": axis ", k, " of ", *operand, " has no elements to take");
      }
    }
  }

  /// Speaks of two operands where one has the result's size.
  [[noreturn]] void differ(const Expr& expr, size_t position, size_t axis, int64_t size, int64_t expected) {
    const char* hint = size == 1 || expected == 1 ? "; only an axis that is defined with size 1 is broadcast" : "";
    for (size_t k = 0; k < expr.inputs().size(); ++k) {
      const Val* other = expr.inputs()[k];
      if (k != position && other->is_tensor() && binding_.integer(axes(other)[axis]->visible_extent()) == expected) {
        fail(ErrorKind::shape, OpTitle{expr}, ": the operands differ at axis ", axis, ": ", *expr.inputs()[position],
             " has size ", size, ", but ", *other, " has size ", expected, hint);
      }
    }
    fail(ErrorKind::shape, OpTitle{expr}, ": axis ", axis, " of ", *expr.inputs()[position], " has size ", size,
         ", but that of its result ", expected, hint);
  }

  void expand(const Expr& expr, const Sizes& result) {
    const auto operand_axes = axes(expr.input(0));
    for (size_t k = 0; k < operand_axes.size(); ++k) {
      const int64_t size = binding_.integer(operand_axes[k]->visible_extent());
      const int64_t wanted = binding_.integer(expr.inputs()[1 + k]);
      const bool grows = operand_axes[k]->is_broadcast() && size == 1;
      check(wanted == result[k] && (size == wanted || grows), ErrorKind::shape, OpTitle{expr}, ": axis ", k, " of ",
            *expr.input(0), " has size ", size, " and cannot be expanded to ", wanted,
            "; only an axis that is defined with size 1 grows");
    }
  }

  void reshape(const Expr& expr, const Sizes& result) {
    const Sizes from = sizes(expr.input(0));
    const auto before = element_count(expr, from), after = element_count(expr, result);
    check(before == after, ErrorKind::shape, OpTitle{expr}, ": ", *expr.input(0), " of sizes ", SizeList{from}, " has ",
          before, " elements, but the shape ", SizeList{result}, " has ", after);
  }

  static int64_t element_count(const Expr& expr, const Sizes& sizes) {
    int64_t count = 1;
    for (const int64_t size : sizes) {
      const bool overflow = __builtin_mul_overflow(count, size, &count);
      check(!overflow, ErrorKind::shape, OpTitle{expr}, ": the number of elements of sizes ", SizeList{sizes},
            " exceeds 64 bits");
    }
    return count;
  }

  void slice(const Expr& expr, const Sizes& result) {
    const Sizes from = sizes(expr.input(0));
    for (size_t k = 0; k < from.size(); ++k) {
      const int64_t start = binding_.integer(expr.inputs()[1 + k]);
      check(start >= 0 && start <= from[k] && result[k] <= from[k] - start, ErrorKind::shape, OpTitle{expr}, ": axis ",
            k, " of ", *expr.input(0), " has size ", from[k], ", but ", result[k], " elements from ", start,
            " on are taken");
    }
  }

  /// Joined axes add up, the others agree.
  void cat(const Expr& expr, const Sizes& result) {
    const auto joined = static_cast<size_t>(expr.attribute<int64_t>(0));
    int64_t sum = 0;
    for (const Val* operand : expr.inputs()) {
      const Sizes mine = sizes(operand);
      for (size_t k = 0; k < mine.size(); ++k) {
        check(k == joined || mine[k] == result[k], ErrorKind::shape, OpTitle{expr}, ": the operands differ at axis ", k,
              ": ", *operand, " has size ", mine[k], " where ", result[k], " was expected");
      }
      sum += mine[joined];
    }
    check(sum == result[joined], ErrorKind::shape, OpTitle{expr}, ": the operands have ", sum, " elements along axis ",
          joined, ", but the result ", result[joined]);
  }

  ScalarBinding& binding_;
};

/// In order of nodes.def.
const std::array<SizeCheck::Check, kNodeCount> SizeCheck::kChecks = {
    &SizeCheck::aligned,  // pointwise
    &SizeCheck::aligned,  // cast
    &SizeCheck::aligned,  // set
    &SizeCheck::nothing,  // broadcast: keeps extents
    &SizeCheck::expand,   // expand
    &SizeCheck::nothing,  // squeeze: keeps extents
    &SizeCheck::nothing,  // permute: keeps extents
    &SizeCheck::reshape,  // reshape
    &SizeCheck::slice,    // slice
    &SizeCheck::nothing,  // pad: its result is not negative
    &SizeCheck::cat,      // cat
    &SizeCheck::take_along_axis,
    &SizeCheck::nothing,  // full
    &SizeCheck::nothing,  // iota
    &SizeCheck::reduce,   // reduce
    &SizeCheck::nothing,  // split: no expression over tensors
    &SizeCheck::nothing,  // merge
};

}  // namespace

void check_sizes(const Fusion& fusion, ScalarBinding& binding) {
  SizeCheck sizes(binding);
  for (const Expr* expr : fusion.live_exprs()) {
    sizes.check_expr(*expr);
  }
}

}  // namespace nvfuser
