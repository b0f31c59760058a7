// SPDX-License-Identifier: Apache-2.0
// Graphs built by hand through Fusion::expr, for tests of the rooms below ops/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "error_message.h"
#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser::testing {

/// Runs `body` and gives the message of the Error that it throws; empty when it throws none.
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// A fusion under construction.  Sizes: -1 symbolic, 1 broadcast, else static.
class HandBuilt {
 public:
  std::shared_ptr<Fusion> fusion = Fusion::make();

  Fusion* operator->() const { return fusion.get(); }
  Fusion& operator*() const { return *fusion; }

  Val* index(int64_t value) { return fusion->index_constant(value); }
  Val* real(double value, DataType dtype = DataType::Double) { return fusion->constant(value, dtype); }
  Val* integer(int64_t value, DataType dtype = DataType::Int) { return fusion->constant(value, dtype); }

  IterDomain* axis(Val* extent) {
    const bool one = extent->is_constant() && extent->constant_int() == 1;
    return fusion->axis(extent, one ? IterType::broadcast : IterType::iteration);
  }
  IterDomain* copy(const IterDomain* axis) {
    return fusion->axis(axis->extent(), axis->iter_type(), axis->expanded_extent());
  }

  TensorView* of_axes(std::vector<IterDomain*> axes, DataType dtype) {
    return fusion->tensor(fusion->domain(std::move(axes)), dtype);
  }
  TensorView* tensor(const std::vector<Val*>& extents, DataType dtype) {
    std::vector<IterDomain*> axes;
    for (Val* extent : extents) {
      axes.push_back(axis(extent));
    }
    return of_axes(axes, dtype);
  }

  TensorView* input(const std::vector<int64_t>& sizes, DataType dtype = DataType::Float) {
    std::vector<Val*> extents;
    for (const int64_t size : sizes) {
      extents.push_back(size < 0 ? fusion->symbolic(DataType::Index) : index(size));
    }
    TensorView* result = tensor(extents, dtype);
    fusion->add_input(result);
    return result;
  }
  Val* scalar_input(DataType dtype) {
    Val* result = fusion->symbolic(dtype);
    fusion->add_input(result);
    return result;
  }

  /// Axes of the first tensor operand that is no broadcast there, as builders choose them.
  TensorView* pointwise(PointwiseOp op, const std::vector<Val*>& operands, DataType dtype = DataType::Float) {
    TensorView* result = of_axes(joined(operands), dtype);
    fusion->expr(ExprKind::pointwise, operands, {result}, {op});
    return result;
  }
  Val* scalar(PointwiseOp op, const std::vector<Val*>& operands, DataType dtype) {
    Val* result = fusion->symbolic(dtype);
    fusion->expr(ExprKind::pointwise, operands, {result}, {op});
    return result;
  }
  TensorView* cast(TensorView* from, DataType dtype) {
    TensorView* result = of_axes(joined({from}), dtype);
    fusion->expr(ExprKind::cast, {from}, {result}, {dtype});
    return result;
  }
  TensorView* broadcast(TensorView* from, const std::vector<bool>& flags) {
    std::vector<IterDomain*> axes;
    size_t next = 0;
    for (const bool flag : flags) {
      axes.push_back(flag ? fusion->axis(index(1), IterType::broadcast) : copy(from->logical()[next++]));
    }
    return view(ExprKind::broadcast, from, axes, {}, {flags});
  }
  TensorView* squeeze(TensorView* from, const std::vector<bool>& flags) {
    std::vector<IterDomain*> axes;
    for (size_t i = 0; i < flags.size(); ++i) {
      if (!flags[i]) {
        axes.push_back(copy(from->logical()[i]));
      }
    }
    return view(ExprKind::squeeze, from, axes, {}, {flags});
  }
  TensorView* expand(TensorView* from, const std::vector<Val*>& extents) {
    std::vector<IterDomain*> axes;
    for (size_t i = 0; i < extents.size(); ++i) {
      const IterDomain* axis = from->logical()[i];
      axes.push_back(axis->is_broadcast() ? fusion->axis(index(1), IterType::broadcast, extents[i]) : copy(axis));
    }
    return view(ExprKind::expand, from, axes, extents);
  }
  TensorView* permute(TensorView* from, const std::vector<int64_t>& order) {
    std::vector<IterDomain*> axes;
    for (const int64_t place : order) {
      axes.push_back(copy(from->logical()[place]));
    }
    return view(ExprKind::permute, from, axes, {}, {order});
  }
  TensorView* reshape(TensorView* from, const std::vector<Val*>& extents) {
    return view(ExprKind::reshape, from, made(extents), extents);
  }
  TensorView* slice(TensorView* from, const std::vector<Val*>& starts, const std::vector<Val*>& extents) {
    std::vector<Val*> scalars = starts;
    scalars.insert(scalars.end(), extents.begin(), extents.end());
    return view(ExprKind::slice, from, made(extents), scalars);
  }
  /// Static sizes only.
  TensorView* pad(TensorView* from, const std::vector<std::pair<int64_t, int64_t>>& widths, Val* value) {
    std::vector<Val*> scalars{value}, extents;
    for (size_t i = 0; i < widths.size(); ++i) {
      scalars.push_back(index(widths[i].first));
      scalars.push_back(index(widths[i].second));
      extents.push_back(
          index(from->logical()[i]->visible_extent()->constant_int() + widths[i].first + widths[i].second));
    }
    return view(ExprKind::pad, from, made(extents), scalars);
  }
  TensorView* cat(const std::vector<TensorView*>& from, int64_t axis, Val* extent) {
    std::vector<Val*> extents;
    for (const IterDomain* a : from[0]->logical()) {
      extents.push_back(a->visible_extent());
    }
    extents[axis] = extent;
    TensorView* result = of_axes(made(extents), from[0]->dtype());
    fusion->expr(ExprKind::cat, {from.begin(), from.end()}, {result}, {axis});
    return result;
  }
  TensorView* full(const std::vector<Val*>& extents, Val* value, DataType dtype) {
    std::vector<Val*> operands{value};
    operands.insert(operands.end(), extents.begin(), extents.end());
    TensorView* result = tensor(extents, dtype);
    fusion->expr(ExprKind::full, operands, {result});
    return result;
  }
  /// The results of a reduction, over one domain.
  std::vector<TensorView*> reduce(ReductionOp op, const std::vector<Val*>& operands, const std::vector<bool>& reduced) {
    const auto* first = static_cast<const TensorView*>(operands[0]);
    std::vector<IterDomain*> axes;
    for (size_t i = 0; i < reduced.size(); ++i) {
      const IterDomain* axis = first->logical()[i];
      axes.push_back(reduced[i] ? fusion->axis(axis->visible_extent(), IterType::reduction) : copy(axis));
    }
    TensorDomain* domain = fusion->domain(std::move(axes));
    std::vector<TensorView*> parts;
    for (int part = 0; part < info(op).parts.count; ++part) {
      parts.push_back(fusion->tensor(domain, part_type(op, part, first->dtype())));
    }
    fusion->expr(ExprKind::reduce, operands, {parts.begin(), parts.end()}, {op, reduced});
    return parts;
  }
  TensorView* iota(Val* start, Val* step, Val* length, DataType dtype) {
    TensorView* result = tensor(std::vector<Val*>{length}, dtype);
    fusion->expr(ExprKind::iota, {start, step, length}, {result});
    return result;
  }

 private:
  std::vector<IterDomain*> made(const std::vector<Val*>& extents) {
    std::vector<IterDomain*> axes;
    for (Val* extent : extents) {
      axes.push_back(axis(extent));
    }
    return axes;
  }
  TensorView* view(ExprKind kind, TensorView* from, std::vector<IterDomain*> axes,
                   const std::vector<Val*>& scalars = {}, std::vector<Attribute> attributes = {}) {
    std::vector<Val*> operands{from};
    operands.insert(operands.end(), scalars.begin(), scalars.end());
    TensorView* result = of_axes(std::move(axes), from->dtype());
    fusion->expr(kind, operands, {result}, std::move(attributes));
    return result;
  }
  std::vector<IterDomain*> joined(const std::vector<Val*>& operands) {
    std::vector<const IterDomain*> best;
    for (const Val* operand : operands) {
      if (!operand->is_tensor()) {
        continue;
      }
      const auto& axes = static_cast<const TensorView*>(operand)->logical();
      best.resize(axes.size());
      for (size_t i = 0; i < axes.size(); ++i) {
        const bool better = best[i] == nullptr || (best[i]->is_broadcast() && !axes[i]->is_broadcast()) ||
                            (best[i]->is_broadcast() && !best[i]->expanded_extent() && axes[i]->expanded_extent());
        best[i] = better ? axes[i] : best[i];
      }
    }
    std::vector<IterDomain*> axes;
    for (const IterDomain* axis : best) {
      axes.push_back(copy(axis));
    }
    return axes;
  }
};

}  // namespace nvfuser::testing
