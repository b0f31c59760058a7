// SPDX-License-Identifier: Apache-2.0
// Summary: what choose reads of a kernel.  Symbols are read once; a call with other sizes only counts.
#include "nvfuser/schedule/summary.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"
#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/estimate.h"
#include "nvfuser/transform/passes.h"
#include "nvfuser/transform/tuple_shape.h"

namespace nvfuser {

namespace {

/// By CostClass: one instruction; a special function with its range reduction; a polynomial with branches.
constexpr std::array<OpCost, 3> kOpCosts = {{{1, 0}, {4, 2}, {40, 2}}};
/// An element that joins a tuple, in order of reduction.def.  Extremes are taken of two halves at once.
constexpr std::array<OpCost, kReductionCount> kReductionCosts = {
    {{1, 0}, {1, 0}, {0, 0}, {0, 0}, {1, 0}, {1, 0}, {6, 0}, {6, 0}, {4, 0}, {5, 1.25}, {4, 0}}};
OpCost cost_of_row(ReductionOp row) { return kReductionCosts[static_cast<size_t>(row)]; }
constexpr OpCost kPowerOfTwo{2, 1};  ///< an instruction of the machine
constexpr double kUnpack = 1, kPack = .5, kSelectOperand = 1, kIota = 2;
constexpr int kWidestVector = 16;

int element_bytes(const Tensor& buffer) { return std::max(1, bytes_of(buffer.dtype)); }

/// Largest power of two up to the widest vector that divides a size; 1 for 0, of which nothing is known.
int64_t divisor_of(int64_t size) { return size > 0 ? std::min<int64_t>(size & -size, kWidestVector) : 1; }

/// Several loads of one buffer: the narrowest of those that have neighbours in memory.
void join(int& known, int found) { known = known == 0 || found == 0 ? std::max(known, found) : std::min(known, found); }

int64_t alignment_of(const Kernel& kernel, const Tensor& buffer, const Alignments& alignments) {
  const bool output = buffer.op == TensorOp::store;
  const std::vector<Tensor*>& list = output ? kernel.outputs : kernel.inputs;
  const std::vector<int64_t>& bytes = output ? alignments.outputs : alignments.inputs;
  const size_t position = std::find(list.begin(), list.end(), &buffer) - list.begin();
  return position < bytes.size() ? bytes[position] : 16;
}

double unpacks(const Tensor& t) {
  double count = 0;
  for (const Operand& operand : t.operands) {
    count += operand.tensor != nullptr && is_narrow_float(operand.tensor->dtype) ? kUnpack : 0;
  }
  return count;
}

OpCost cost_of(const Tensor& t) {
  const auto operands = static_cast<double>(t.operands.size());
  switch (t.op) {
    case TensorOp::iota:
      return {kIota, 0};
    case TensorOp::select:
      return {kSelectOperand * operands, 0};
    case TensorOp::reduce: {
      const OpCost row = cost_of_row(t.reduction->row);
      return is_later_part(t) ? OpCost{} : OpCost{row.issue + unpacks(t), row.special};
    }
    case TensorOp::compute:
      break;
    default:
      return {};
  }
  OpCost cost{};
  if (t.expr != nullptr && t.expr->kind() == ExprKind::pointwise) {
    const PointwiseOp op = t.expr->attribute<PointwiseOp>(0);
    cost = op == PointwiseOp::exp2 ? kPowerOfTwo : kOpCosts[static_cast<size_t>(info(op).cost)];
  }
  cost.issue += unpacks(t) + (is_narrow_float(t.dtype) ? kPack : 0);
  return cost;
}

/// How many neighbours along a run of axes an access moves at once, in expressions of one kernel under divisors.
class VectorSearch {
 public:
  VectorSearch(const Kernel& kernel, std::unordered_map<std::string, int64_t> divisors, int widest)
      : kernel_(kernel), bench_(kernel, std::move(divisors)), widest_(widest) {}

  /// `masked`: the last vector may reach beyond the run.
  int widest(const Tensor& access, const std::vector<Id*>& run, bool masked, int64_t alignment) {
    const int64_t bytes = element_bytes(buffer_of_access(kernel_, access));
    const int64_t divisor = masked ? 0 : bench_.algebra().known_divisor(bench_.space(run));
    int width = widest_;
    for (; width > 1; width /= 2) {
      if (divisor % width != 0 || alignment < std::min<int64_t>(16, width * bytes)) {
        continue;
      }
      IndexPool& pool = bench_.pool();
      const Index wide = pool.constant(width), element = pool.var("element", wide);
      const Index vector = pool.var("vector", bench_.algebra().div(bench_.space(run), wide));
      bench_.put_run(run, pool.add(pool.scale(vector, width), element));
      if (bench_.is_straight(access, element, width)) {
        break;
      }
    }
    return width;
  }

 private:
  const Kernel& kernel_;
  Workbench bench_;
  int widest_;
};

/// A row's start as numbers: coefficients of products of axes, quotients and remainders.  `known` is false where a size
/// stands inside a quotient or remainder.
struct RowStart {
  std::vector<std::pair<std::vector<const Atom*>, int64_t>> terms;
  bool known = true;
  bool operator==(const RowStart&) const = default;
};

bool holds_size(Index p) {
  const std::vector<const Atom*> atoms = atoms_of(p);
  return std::any_of(atoms.begin(), atoms.end(), [](const Atom* atom) { return atom->kind == AtomKind::size; });
}

template <class Value>
RowStart start_of(Index start, const Value& value) {
  RowStart result;
  for (const Term& term : start->terms) {
    int64_t coefficient = term.coefficient;
    std::vector<const Atom*> rest;
    for (const Atom* atom : term.atoms) {
      if (atom->kind == AtomKind::size) {
        coefficient *= value(*atom);
      } else {
        rest.push_back(atom);
        result.known = result.known && (atom->a == nullptr || (!holds_size(atom->a) && !holds_size(atom->b)));
      }
    }
    const auto same =
        std::find_if(result.terms.begin(), result.terms.end(), [&](const auto& t) { return t.first == rest; });
    if (same == result.terms.end()) {
      result.terms.emplace_back(std::move(rest), coefficient);
    } else {
      same->second += coefficient;
    }
  }
  std::erase_if(result.terms, [](const auto& t) { return t.second == 0; });
  std::sort(result.terms.begin(), result.terms.end());
  return result;
}

}  // namespace

Summary::Summary(const Kernel& kernel)
    : kernel_(kernel), names_(size_names(kernel)), reduces_(nvfuser::reduces(kernel)), mixed_(mixed_roots(kernel)) {
  if (mixed_) {
    behind_ = behind_columns(kernel, *mixed_);
    for (const Tensor* t : shared_values(kernel, mixed_->columns, behind_)) {
      held_ += bytes_of(t->dtype) / 4.0;
    }
  }
  if (reduces_) {
    row_ = mixed_ ? mixed_->columns : reduced_roots(kernel);
  }
  const std::vector<Id*>& roots = kernel.references.front().roots;
  const TileAxes axes = roots.empty() || reduces_ ? TileAxes{} : tile_axes(kernel);
  inner_ = axes.other != nullptr ? axes.inner : nullptr;
  other_ = axes.other;
  for (const Tensor* access : accesses_of(kernel)) {
    add_access(*access, axes);
  }
  if (reduces_) {
    read_reductions();
  }
  if (!roots.empty() && (!reduces_ || outer_)) {
    run_ = affine_run(kernel);
  }
  whole_rows_ = reduces_ && !row_.empty() && std::all_of(accesses_.begin(), accesses_.end(), [&](const Access& access) {
                  const bool whole =
                      access.tensor->op == TensorOp::load && needs(*access.tensor).size() == roots.size();
                  return !whole || is_piece(kernel, *access.tensor, row_);
                });
  for (const Tensor* t : kernel.tensors) {
    if (!needs(*t).empty()) {
      const OpCost cost = cost_of(*t);
      cost_ = {cost_.issue + cost.issue, cost_.special + cost.special};
    }
  }
  if (reduces_) {
    const std::vector<Chain> chains = find_chains(kernel);
    streams_ = !chains.empty();
    forms_ = {row_form({}), row_form(chains)};
  }
}

/// Values along the row are computed in every pass that reads them.
RowForm Summary::row_form(const std::vector<Chain>& joined) const {
  RowForm form{0, 0, 0, 0, 0};
  std::set<int> readings;
  const auto passes = passes_of(kernel_, row_, joined);
  const auto levels = levels_of(kernel_, joined);
  for (const Tensor* t : kernel_.tensors) {
    const bool reduces = t->op == TensorOp::reduce;
    form.joins = behind_.contains(t) ? form.joins : std::max(form.joins, levels.at(t));
    if (!reduces && (behind_.contains(t) || !varies_along(*t, row_))) {
      continue;
    }
    const std::set<int>& mine = passes.at(t);
    if (t->op == TensorOp::load) {
      readings.insert(mine.begin(), mine.end());
    }
    OpCost cost = cost_of(*t);
    for (const Chain& chain : joined) {
      const OpCost tuple = cost_of_row(chain.joined);
      cost = t == chain.first ? OpCost{tuple.issue + unpacks(*t), tuple.special} : t == chain.second ? OpCost{} : cost;
    }
    const double times = reduces ? 1 : static_cast<double>(mine.size());
    form.issue += times * cost.issue;
    form.once += cost.issue;
    form.special += times * cost.special;
  }
  form.readings = std::max<int>(1, static_cast<int>(readings.size()));
  return form;
}

void Summary::read_reductions() {
  const std::vector<Id*>& roots = kernel_.references.front().roots;
  std::copy_if(roots.begin(), roots.end(), std::back_inserter(kept_),
               [&](Id* root) { return std::find(row_.begin(), row_.end(), root) == row_.end(); });
  outer_ = !row_.empty() && !kept_.empty() && kept_.back() == roots.back();
  const auto levels = levels_of(kernel_);
  for (const Tensor* t : kernel_.tensors) {
    const bool reduce = t->op == TensorOp::reduce;
    if (reduce && !is_later_part(*t)) {
      int& fields = mixed_ && is_across(*t, *mixed_) ? across_ : sums_;
      fields += tuple_shape(t->reduction->row, t->reduction->type).count;
    }
    if (!behind_.contains(t) && (reduce || varies_along(*t, row_))) {
      passes_ = std::max(passes_, levels.at(t) + !reduce);
    }
  }
}

void Summary::add_access(const Tensor& access, const TileAxes& axes) {
  const Tensor* buffer = &buffer_of_access(kernel_, access);
  auto known = std::find(buffers_.begin(), buffers_.end(), buffer);
  accesses_.push_back(
      {&access, static_cast<size_t>(known - buffers_.begin()), dense_axis(kernel_, access),
       is_transposed(kernel_, access, axes),
       kernel_.references.front().roots.empty() ? nullptr : row_start(kernel_, access),
       !kernel_.references.front().roots.empty() && varies_along(access, {kernel_.references.front().roots.back()})});
  if (known == buffers_.end()) {
    buffers_.push_back(buffer);
    widest_move_ = std::max(widest_move_, 16 / std::min(16, element_bytes(*buffer)));
  }
}

Problem Summary::at(const SizeValues& sizes, const Alignments& alignments) {
  const std::vector<Id*>& roots = kernel_.references.front().roots;
  const auto value = [&sizes](const Atom& atom) { return sizes.at(atom.name); };
  const auto extent = [&](const Id* id) { return evaluate(id->extent, value); };
  Problem problem;
  count_points(problem, value);
  problem.transposed = other_ != nullptr;
  if (problem.transposed) {
    problem.inner = extent(inner_);
    problem.other = extent(other_);
  }
  problem.whole_rows = whole_rows_;
  count_buffers(problem, value);
  if (!roots.empty()) {
    const std::vector<Widths>& widths = widths_for(sizes, alignments);
    for (size_t k = 0; k < buffers_.size(); ++k) {
      problem.buffers[k].max_vector = widths[k].flat;
      problem.buffers[k].max_vector_tile = widths[k].tile;
    }
    problem.row = extent(roots.back());
    const bool rows = !reduces_ || (row_.size() == 1 && row_[0] == roots.back());
    const bool dealt = (outer_ || mixed_) && roots.size() == 2;
    problem.peel = dealt || (rows && !mixed_) ? common_peel(problem, value, alignments) : 0;
    problem.run = 1;
    for (const Id* root : run_) {
      problem.run *= extent(root);
    }
  }
  count_traffic(problem);
  problem.issue = cost_.issue * problem.place + access_issue(problem, problem.place);
  problem.special = cost_.special * problem.place;
  problem.streams = streams_;
  for (size_t k = 0; k < forms_.size(); ++k) {
    problem.forms[k] = {forms_[k].readings, forms_[k].joins, forms_[k].issue * problem.place,
                        forms_[k].once * problem.place, forms_[k].special * problem.place};
  }
  return problem;
}

void Summary::count_points(Problem& problem, const SizeOf& value) const {
  const auto product = [&](const std::vector<Id*>& ids) {
    int64_t points = 1;
    for (const Id* id : ids) {
      points *= evaluate(id->extent, value);
    }
    return points;
  };
  problem.points = product(kernel_.references.front().roots);
  if (reduces_) {
    problem.columns = product(row_);
    problem.rows = std::max<int64_t>(1, product(kept_));
    problem.outer = outer_;
    problem.mixed = mixed_.has_value();
    problem.across = across_;
    problem.held = held_;
    problem.piece = outer_ ? product(kept_run(kernel_)) : 0;
    problem.sums = sums_;
    problem.passes = passes_;
  }
}

/// One entry for every buffer that is touched; an input may be read by several loads.
void Summary::count_buffers(Problem& problem, const SizeOf& value) const {
  for (const Access& access : accesses_) {
    const Tensor& buffer = *buffers_[access.buffer];
    int64_t distinct = 1;
    for (const Allocation::Dim& dim : buffer.allocation->dims) {
      distinct *= evaluate(dim.stride, value) != 0 ? evaluate(dim.extent, value) : 1;
    }
    if (access.buffer < problem.buffers.size()) {
      ProblemBuffer& entry = problem.buffers[access.buffer];
      entry.elements = std::min(distinct, entry.elements + problem.points);
      entry.other = entry.other || access.transposed;
    } else {
      problem.buffers.push_back({element_bytes(buffer), std::min(distinct, problem.points),
                                 access.tensor->op == TensorOp::store, 0, 0, access.transposed,
                                 access.tensor->op == TensorOp::store && behind_.contains(access.tensor)});
    }
  }
}

const std::vector<Summary::Widths>& Summary::widths_for(const SizeValues& sizes, const Alignments& alignments) {
  std::vector<int64_t> key;
  key.reserve(names_.size() + buffers_.size());
  for (const std::string& name : names_) {
    key.push_back(divisor_of(sizes.at(name)));
  }
  for (const Tensor* buffer : buffers_) {
    key.push_back(alignment_of(kernel_, *buffer, alignments));
  }
  const auto [place, fresh] = widths_.try_emplace(std::move(key));
  if (fresh) {
    place->second = find_widths(sizes, alignments);
  }
  return place->second;
}

std::vector<Summary::Widths> Summary::find_widths(const SizeValues& sizes, const Alignments& alignments) const {
  std::unordered_map<std::string, int64_t> divisors;
  for (const std::string& name : names_) {
    divisors[name] = divisor_of(sizes.at(name));
  }
  VectorSearch search(kernel_, std::move(divisors), widest_move_);
  const std::vector<Id*>& roots = kernel_.references.front().roots;
  const std::vector<Id*>& run = !reduces_ ? roots : outer_ ? kept_ : row_;
  std::vector<Widths> found(buffers_.size());
  for (const Access& access : accesses_) {
    Widths& widths = found[access.buffer];
    const int64_t alignment = alignment_of(kernel_, *buffers_[access.buffer], alignments);
    const bool straight = access.dense == roots.back() && !run.empty() && run.back() == roots.back();
    join(widths.flat, straight ? search.widest(*access.tensor, run, !reduces_, alignment) : 0);
    if (other_ != nullptr) {
      Id* side = access.transposed ? other_ : inner_;
      join(widths.tile, access.dense == side ? search.widest(*access.tensor, {side}, false, alignment) : 0);
    }
  }
  return found;
}

/// The widest vector of rows that all full-size buffers start at the same distance from aligned elements; 0 where they
/// do not, or where that distance is 0.
int Summary::common_peel(const Problem& problem, const SizeOf& value, const Alignments& alignments) const {
  RowStart start;
  bool found = false;
  int width = widest_move_;
  for (const Access& access : accesses_) {
    if (!access.along || !is_full(problem, problem.buffers[access.buffer])) {
      continue;
    }
    RowStart mine = access.start == nullptr ? RowStart{{}, false} : start_of(access.start, value);
    const bool backward =
        std::any_of(mine.terms.begin(), mine.terms.end(), [](const auto& term) { return term.second < 0; });
    if (!mine.known || backward || (found && mine != start)) {
      return 0;
    }
    start = std::move(mine);
    found = true;
    const Tensor& buffer = *buffers_[access.buffer];
    while (width > 1 &&
           alignment_of(kernel_, buffer, alignments) < std::min<int64_t>(16, int64_t{width} * element_bytes(buffer))) {
      width /= 2;
    }
  }
  int64_t divisor = 0;
  for (const auto& [atoms, coefficient] : start.terms) {
    divisor = std::gcd(divisor, coefficient);
  }
  return found && divisor % width != 0 ? width : 0;
}

void Summary::count_traffic(Problem& problem) {
  count_bytes(problem);
  int narrowest = 16, widest = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    if (is_full(problem, buffer)) {
      problem.full_inputs += !buffer.output;
      narrowest = std::min(narrowest, buffer.element_bytes);
      widest = std::max(widest, buffer.element_bytes);
    }
  }
  problem.widest_bytes = widest == 0 ? 4 : widest;
  problem.narrowest_bytes = widest == 0 ? 4 : narrowest;
  problem.place = 16 / problem.narrowest_bytes;
}

Problem summarize(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments) {
  return Summary(kernel).at(sizes, alignments);
}

}  // namespace nvfuser
