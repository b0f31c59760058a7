// SPDX-License-Identifier: Apache-2.0
// summarize: what choose reads of a kernel, counted for one set of sizes.
#include <algorithm>
#include <array>

#include "nvfuser/ir/pointwise.h"
#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/estimate.h"
#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

namespace {

/// Instructions and special-function operations an element of one pointwise operation.
struct OpCost {
  double issue, special;
};

/// By CostClass: one instruction; a special function with its range reduction; a polynomial with branches.
constexpr std::array<OpCost, 3> kOpCosts = {{{1, 0}, {4, 2}, {40, 2}}};
constexpr double kUnpack = 1, kPack = .5, kSelectOperand = 1, kIota = 2;
constexpr int kWidestVector = 16;

class Summary {
 public:
  Summary(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments)
      : kernel_(kernel),
        alignments_(alignments),
        value_([&sizes](const Atom& atom) { return sizes.at(atom.name); }),
        bench_(kernel, divisors_of(sizes)) {}

  Problem run() {
    const std::vector<Id*>& roots = kernel_.references.front().roots;
    problem_.points = 1;
    for (const Id* root : roots) {
      problem_.points *= extent(root);
    }
    axes_ = roots.empty() ? TileAxes{} : tile_axes(kernel_);
    problem_.transposed = axes_.other != nullptr;
    if (problem_.transposed) {
      problem_.inner = extent(axes_.inner);
      problem_.other = extent(axes_.other);
    }
    count_buffers();
    if (!roots.empty()) {
      find_vectors(roots);
      problem_.row = extent(roots.back());
      problem_.peel = common_peel(roots);
      problem_.run = 1;
      for (const Id* root : affine_run(kernel_)) {
        problem_.run *= extent(root);
      }
    }
    count_traffic();
    count_operations();
    return problem_;
  }

 private:
  static std::unordered_map<std::string, int64_t> divisors_of(const SizeValues& sizes) {
    std::unordered_map<std::string, int64_t> divisors;
    for (const auto& [name, size] : sizes) {
      divisors[name] = size > 0 ? std::min<int64_t>(size & -size, kWidestVector) : 1;
    }
    return divisors;
  }

  static int element_bytes(const Tensor& buffer) { return std::max(1, bytes_of(buffer.dtype)); }

  int64_t evaluated(Index p) const { return evaluate(p, value_); }
  int64_t extent(const Id* id) const { return evaluated(id->extent); }

  /// One entry for every buffer that is touched; an input may be read by several loads.
  void count_buffers() {
    for (const Tensor* access : accesses_of(kernel_)) {
      const Tensor* buffer = &buffer_of_access(kernel_, *access);
      const bool transposed = is_transposed(kernel_, *access, axes_);
      auto known = std::find(buffers_.begin(), buffers_.end(), buffer);
      if (known != buffers_.end()) {
        ProblemBuffer& entry = problem_.buffers[known - buffers_.begin()];
        entry.elements = std::min(distinct(*buffer), entry.elements + problem_.points);
        entry.other = entry.other || transposed;
        continue;
      }
      buffers_.push_back(buffer);
      widest_move_ = std::max(widest_move_, 16 / std::min(16, element_bytes(*buffer)));
      problem_.buffers.push_back({element_bytes(*buffer), std::min(distinct(*buffer), problem_.points),
                                  access->op == TensorOp::store, 0, 0, transposed});
    }
  }

  int64_t distinct(const Tensor& buffer) const {
    int64_t count = 1;
    for (const Allocation::Dim& dim : buffer.allocation->dims) {
      count *= evaluated(dim.stride) != 0 ? evaluated(dim.extent) : 1;
    }
    return count;
  }

  int64_t alignment(const Tensor& buffer) const {
    const bool output = buffer.op == TensorOp::store;
    const std::vector<Tensor*>& list = output ? kernel_.outputs : kernel_.inputs;
    const std::vector<int64_t>& bytes = output ? alignments_.outputs : alignments_.inputs;
    const size_t position = std::find(list.begin(), list.end(), &buffer) - list.begin();
    return position < bytes.size() ? bytes[position] : 16;
  }

  void find_vectors(const std::vector<Id*>& roots) {
    for (const Tensor* access : accesses_of(kernel_)) {
      const Tensor* buffer = &buffer_of_access(kernel_, *access);
      ProblemBuffer& entry = problem_.buffers[std::find(buffers_.begin(), buffers_.end(), buffer) - buffers_.begin()];
      const Id* dense = dense_axis(kernel_, *access);
      join(entry.max_vector, dense == roots.back() ? widest(*access, roots, true) : 0);
      if (problem_.transposed) {
        Id* side = is_transposed(kernel_, *access, axes_) ? axes_.other : axes_.inner;
        join(entry.max_vector_tile, dense == side ? widest(*access, {side}, false) : 0);
      }
    }
  }

  /// Several loads of one buffer: the narrowest of those that have neighbours in memory.
  static void join(int& known, int found) {
    known = known == 0 || found == 0 ? std::max(known, found) : std::min(known, found);
  }

  /// `masked`: the last vector may reach beyond the run.
  int widest(const Tensor& access, const std::vector<Id*>& run, bool masked) {
    const Tensor& buffer = buffer_of_access(kernel_, access);
    const int64_t divisor = masked ? 0 : bench_.algebra().known_divisor(bench_.space(run));
    int width = widest_move_;
    for (; width > 1; width /= 2) {
      if (divisor % width != 0 || alignment(buffer) < std::min<int64_t>(16, int64_t{width} * element_bytes(buffer))) {
        continue;
      }
      IndexPool& pool = bench_.pool();
      const Lane lane = lane_of(run, width);
      bench_.put_run(run, pool.add(pool.scale(lane.vector, width), lane.element));
      if (bench_.is_straight(access, lane.element, width)) {
        break;
      }
    }
    return width;
  }

  /// Do all full-size buffers start every row at the same distance from aligned elements, and not at 0?
  int common_peel(const std::vector<Id*>& roots) {
    IndexPool& pool = bench_.pool();
    const Index row = pool.var("row", bench_.import(roots.back()->extent));
    bench_.put_run({roots.back()}, row);
    Index start = nullptr;
    int width = widest_move_;
    for (const Tensor* access : accesses_of(kernel_)) {
      const Tensor& buffer = buffer_of_access(kernel_, *access);
      if (!is_full(problem_,
                   problem_.buffers[std::find(buffers_.begin(), buffers_.end(), &buffer) - buffers_.begin()])) {
        continue;
      }
      const Index mine = bench_.algebra().substitute(pool.sub(bench_.address(*access), row), [&](const Atom& atom) {
        return atom.kind == AtomKind::size ? pool.constant(value_(atom)) : nullptr;
      });
      const bool backward =
          std::any_of(mine->terms.begin(), mine->terms.end(), [](const Term& term) { return term.coefficient < 0; });
      if (contains(mine, row->as_atom()) || backward || (start != nullptr && mine != start)) {
        return 0;
      }
      start = mine;
      while (width > 1 && alignment(buffer) < std::min<int64_t>(16, int64_t{width} * element_bytes(buffer))) {
        width /= 2;
      }
    }
    return start != nullptr && bench_.algebra().known_divisor(start) % width != 0 ? width : 0;
  }

  /// The merge of a run as vector * width + element.
  struct Lane {
    Index vector, element;
  };

  Lane lane_of(const std::vector<Id*>& run, int width) {
    IndexPool& pool = bench_.pool();
    Index wide = pool.constant(width);
    return {pool.var("vector", bench_.algebra().div(bench_.space(run), wide)), pool.var("element", wide)};
  }

  void count_traffic() {
    double written = 0;
    int narrowest = 16, widest = 0;
    for (const ProblemBuffer& buffer : problem_.buffers) {
      const double bytes = static_cast<double>(buffer.elements) * buffer.element_bytes;
      problem_.bytes += bytes;
      written += buffer.output ? bytes : 0;
      if (is_full(problem_, buffer)) {
        problem_.full_inputs += !buffer.output;
        narrowest = std::min(narrowest, buffer.element_bytes);
        widest = std::max(widest, buffer.element_bytes);
      }
    }
    problem_.written = problem_.bytes > 0 ? written / problem_.bytes : 1;
    problem_.widest_bytes = widest == 0 ? 4 : widest;
    problem_.narrowest_bytes = widest == 0 ? 4 : narrowest;
    problem_.place = 16 / problem_.narrowest_bytes;
  }

  void count_operations() {
    OpCost element{};
    for (const Tensor* t : kernel_.tensors) {
      if (!needs(*t).empty()) {
        const OpCost cost = cost_of(*t);
        element = {element.issue + cost.issue, element.special + cost.special};
      }
    }
    problem_.issue = element.issue * problem_.place + access_issue(problem_, problem_.place);
    problem_.special = element.special * problem_.place;
  }

  static OpCost cost_of(const Tensor& t) {
    const auto operands = static_cast<double>(t.operands.size());
    switch (t.op) {
      case TensorOp::iota:
        return {kIota, 0};
      case TensorOp::select:
        return {kSelectOperand * operands, 0};
      case TensorOp::compute:
        break;
      default:
        return {};
    }
    OpCost cost{};
    if (t.expr != nullptr && t.expr->kind() == ExprKind::pointwise) {
      cost = kOpCosts[static_cast<size_t>(info(t.expr->attribute<PointwiseOp>(0)).cost)];
    }
    for (const Operand& operand : t.operands) {
      cost.issue += operand.tensor != nullptr && is_narrow_float(operand.tensor->dtype) ? kUnpack : 0;
    }
    cost.issue += is_narrow_float(t.dtype) ? kPack : 0;
    return cost;
  }

  const Kernel& kernel_;
  const Alignments& alignments_;
  std::function<int64_t(const Atom&)> value_;
  Workbench bench_;
  std::vector<const Tensor*> buffers_;
  int widest_move_ = 1;  ///< elements: 16 bytes of the narrowest type
  TileAxes axes_;
  Problem problem_;
};

}  // namespace

Problem summarize(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments) {
  return Summary(kernel, sizes, alignments).run();
}

}  // namespace nvfuser
