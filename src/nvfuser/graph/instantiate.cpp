// SPDX-License-Identifier: Apache-2.0
// From a fusion to a kernel: one tensor per (value, access map, tests), composed from the outputs backward.  View
// operations vanish here: what remains is load, store, compute, select, fill and iota, each with its map over the axes
// of the reference.  Classes only choose which reference axis an output's axis is bound to; every choice of equal
// extent gives a right kernel, a good one gives fewer tensors.
#include "nvfuser/graph/instantiate.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>

#include "nvfuser/graph/buffer_layout.h"
#include "nvfuser/graph/extents.h"
#include "nvfuser/ir/dtype.h"

namespace nvfuser {

namespace {

/// (value, access map, tests): two uses with equal keys are one tensor.
struct Key {
  const TensorView* view;
  std::vector<Index> map;
  std::vector<Test> tests;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    size_t h = std::hash<const void*>()(key.view);
    const auto mix = [&](size_t x) { h = (h ^ x) * 0x9e3779b97f4a7c15ull + (h >> 29); };
    for (Index p : key.map) {
      mix(p->serial);
    }
    for (const Test& t : key.tests) {
      mix(t.index->serial + (static_cast<size_t>(t.kind) << 32));
    }
    return h;
  }
};

/// How one operand of a value is read, with the consumer's indices put in.
struct Read {
  int operand;
  Key key;
  std::vector<Test> own;  ///< tests that this link brings, those provable dropped
};

bool is_view(ExprKind kind) {
  switch (kind) {
    case ExprKind::set:
    case ExprKind::broadcast:
    case ExprKind::expand:
    case ExprKind::squeeze:
    case ExprKind::permute:
    case ExprKind::reshape:
    case ExprKind::slice:
    case ExprKind::take_along_axis:
      return true;
    default:
      return false;
  }
}

TensorOp op_of(ExprKind kind) {
  switch (kind) {
    case ExprKind::pad:
    case ExprKind::cat:
      return TensorOp::select;
    case ExprKind::full:
      return TensorOp::fill;
    case ExprKind::iota:
      return TensorOp::iota;
    case ExprKind::reduce:
      return TensorOp::reduce;
    default:
      return TensorOp::compute;
  }
}

/// Every tensor of the group: what is read, what is written, then all others, which is the order of size names.
std::vector<const TensorView*> all_tensors(const InstantiateRequest& request) {
  std::vector<const TensorView*> found;
  std::unordered_set<const TensorView*> seen;
  const auto add = [&](const TensorView* t) {
    if (seen.insert(t).second) {
      found.push_back(t);
    }
  };
  std::for_each(request.inputs.begin(), request.inputs.end(), add);
  std::for_each(request.outputs.begin(), request.outputs.end(), add);
  for (const Val* v : request.fusion->vals()) {
    if (v->is_tensor()) {
      add(static_cast<const TensorView*>(v));
    }
  }
  return found;
}

class Instantiate {
 public:
  explicit Instantiate(const InstantiateRequest& request)
      : request_(request), kernel_(std::make_unique<Kernel>()), classes_(*request.fusion) {
    kernel_->fusion = request.fusion;
    kernel_->pool = std::make_unique<IndexPool>();
    kernel_->references.emplace_back();
  }

  std::unique_ptr<Kernel> run() {
    ensure(request_.output_layouts.size() == request_.outputs.size() &&
               request_.input_layouts.size() == request_.inputs.size(),
           "a layout for every buffer");
    Extents extents(*kernel_->pool, classes_, all_tensors(request_));
    extents_ = &extents;
    const Algebra algebra(*kernel_->pool);
    algebra_ = &algebra;
    make_inputs();
    std::vector<size_t> order(request_.outputs.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto first = static_cast<size_t>(request_.reference_output);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return (a == first) > (b == first); });
    reduces_ = reaches_reduction();
    kernel_->outputs.resize(order.size());
    for (size_t k : order) {
      kernel_->outputs[k] = store(k);
    }
    if (reduces(*kernel_)) {
      order_roots();
    }
    for (Tensor* t : kernel_->tensors) {
      t->reference = &kernel_->main();
    }
    kernel_->extents = extents.all();
    return std::move(kernel_);
  }

 private:
  void make_inputs() {
    for (size_t k = 0; k < request_.inputs.size(); ++k) {
      const TensorView* view = request_.inputs[k];
      Tensor* t = make_tensor(*kernel_, TensorOp::load, view->dtype(), view);
      t->name = "in" + std::to_string(k);
      t->memory = MemoryType::global;
      t->allocation = global_allocation(*view, request_.input_layouts[k], t->name, *extents_, *kernel_->pool);
      kernel_->inputs.push_back(t);
      inputs_.insert(view);
    }
  }

  /// Index of a free axis of that extent: 0 if it has one element, else a reference axis of its extent, of its class
  /// first, or a new one.
  Index bind(const IterDomain* axis, Index extent, std::vector<Id*>& taken) {
    if (extent->is(1)) {
      return kernel_->pool->constant(0);
    }
    Reference& reference = kernel_->main();
    std::vector<Id*> free;
    for (Id* root : reference.roots) {
      if (root->extent == extent && std::find(taken.begin(), taken.end(), root) == taken.end()) {
        free.push_back(root);
      }
    }
    std::stable_sort(free.begin(), free.end(), [&](Id* a, Id* b) {
      return classes_.same(bound_axis_.at(a), axis) > classes_.same(bound_axis_.at(b), axis);
    });
    Id* root = request_.choose ? request_.choose(free) : free.empty() ? nullptr : free.front();
    if (root == nullptr) {
      root = make_id(*kernel_, root_name(reference.roots.size()), extent);
      bound_axis_[root] = axis;
      reference.roots.push_back(root);
      reference.loops.push_back(root);
    }
    taken.push_back(root);
    return root->leaf;
  }

  /// As bind; where the kernel reduces, by the parts of an axis that a reshape splits: those are what it reduces.
  Index bind_parts(const IterDomain* axis, Index extent, std::vector<Id*>& taken) {
    const std::vector<const IterDomain*> parts =
        reduces_ && !extent->is(1) ? classes_.parts(axis) : std::vector<const IterDomain*>{};
    if (parts.size() < 2) {
      return bind(axis, extent, taken);
    }
    IndexPool& pool = *kernel_->pool;
    Index index = pool.constant(0);
    for (const IterDomain* part : parts) {
      const Index size = extents_->of(part->visible_extent());
      index = pool.add(pool.mul(index, size), bind(part, size, taken));
    }
    return index;
  }

  /// Is there a reduction between the outputs and what is read?
  bool reaches_reduction() const {
    std::unordered_set<const Val*> seen(inputs_.begin(), inputs_.end());
    std::vector<const Val*> work(request_.outputs.begin(), request_.outputs.end());
    while (!work.empty()) {
      const Val* value = work.back();
      work.pop_back();
      const Expr* expr = value->is_tensor() && seen.insert(value).second ? value->definition() : nullptr;
      if (expr != nullptr && expr->kind() == ExprKind::reduce) {
        return true;
      }
      if (expr != nullptr) {
        work.insert(work.end(), expr->inputs().begin(), expr->inputs().end());
      }
    }
    return false;
  }

  /// Letters with which no keyword and no other name of the kernel text begins, even with the endings "o" and "i" of
  /// split loops.
  static std::string root_name(size_t position) {
    static constexpr std::string_view kLetters = "jklmnpqruvw";
    return std::string(1 + position / kLetters.size(), kLetters[position % kLetters.size()]);
  }

  Tensor* store(size_t position) {
    const TensorView* view = request_.outputs[position];
    const Layout& layout = request_.output_layouts[position];
    const std::string name = "out" + std::to_string(position);
    const Allocation allocation = global_allocation(*view, layout, name, *extents_, *kernel_->pool);
    const std::vector<IterDomain*> axes = view->domain()->no_reductions();
    std::vector<Index> map(axes.size());
    std::vector<Id*> taken;
    for (int axis : layout.order) {
      map[axis] = bind_parts(axes[axis], buffer_extent(*axes[axis], layout.strides[axis], *extents_), taken);
    }
    Operand source = instance({view, map, {}});
    if (source.tensor == nullptr) {
      source = {fill_of(source.scalar, view, map), nullptr};
    }
    Tensor* t = make_tensor(*kernel_, TensorOp::store, view->dtype(), view);
    t->name = name;
    t->memory = MemoryType::global;
    t->operands = {source};
    t->map = std::move(map);
    t->allocation = allocation;
    kernel_->tensors.push_back(t);
    return t;
  }

  Tensor* fill_of(const Val* scalar, const TensorView* view, const std::vector<Index>& map) {
    Tensor* t = make_tensor(*kernel_, TensorOp::fill, view->dtype(), view);
    t->operands = {{nullptr, scalar}};
    t->map = map;
    kernel_->tensors.push_back(t);
    return t;
  }

  /// The kernel's tensor (or scalar) for a key; operands first, with a stack of its own: chains may be long.
  Operand instance(const Key& wanted) {
    struct Work {
      Key key;
      std::vector<Id*> reduced;
      std::vector<Read> reads;
      size_t next = 0;
    };
    std::vector<Work> stack;
    const auto visit = [&](const Key& key) {
      if (!memo_.contains(key)) {
        Work work{key, {}, {}};
        if (!leaf_of(key)) {
          std::vector<Index> indices;
          work.reduced = bind_reduced(key, indices);
          work.reads = compose(key, indices);
        }
        stack.push_back(std::move(work));
      }
    };
    visit(wanted);
    while (!stack.empty()) {
      Work& work = stack.back();
      if (work.next < work.reads.size()) {
        visit(Key(work.reads[work.next++].key));
        continue;
      }
      if (!leaf_of(work.key) && work.key.view->definition()->kind() == ExprKind::reduce) {
        make_parts(work.key, work.reads, work.reduced);
      } else {
        memo_.emplace(work.key, make(work.key, work.reads));
      }
      stack.pop_back();
    }
    return memo_.at(wanted);
  }

  bool leaf_of(const Key& key) const {
    const bool leaf = inputs_.contains(key.view);
    ensure(leaf || key.view->definition() != nullptr, "a kernel needs ", to_string(*key.view),
           ", which it does not read");
    return leaf;
  }

  /// Binds the axes that the value's definition reduces to reference axes; `indices`: theirs, in order.
  std::vector<Id*> bind_reduced(const Key& key, std::vector<Index>& indices) {
    std::vector<Id*> taken, bound;
    if (key.view->definition()->kind() != ExprKind::reduce) {
      return bound;
    }
    const auto take = [&](Index p) {
      for (const Atom* atom : atoms_of(p)) {
        if (atom->kind == AtomKind::axis) {
          taken.push_back(id_of(*atom));
        }
      }
    };
    std::for_each(key.map.begin(), key.map.end(), take);
    std::for_each(key.tests.begin(), key.tests.end(), [&](const Test& test) { take(test.index); });
    for (const IterDomain* axis : key.view->domain()->root()) {
      if (axis->is_reduction()) {
        const size_t known = taken.size();
        indices.push_back(bind_parts(axis, extents_->of(axis->extent()), taken));
        bound.insert(bound.end(), taken.begin() + static_cast<std::ptrdiff_t>(known), taken.end());
      }
    }
    return bound;
  }

  /// The index that an integer tensor tells at `map`: an atom of the tensor's instance.
  Index told(const TensorView* view, const std::vector<Index>& map, Index extent, const std::vector<Test>& tests) {
    const Operand made = instance({view, map, tests});
    ensure(made.tensor != nullptr, "indices are elements of a tensor: ", *view);
    Index depends = kernel_->pool->constant(0);
    for (Index p : map) {
      depends = kernel_->pool->add(depends, p);
    }
    return kernel_->pool->data(made.tensor, depends, extent);
  }

  /// `reduced`: indices of the root axes that the definition reduces.
  std::vector<Read> compose(const Key& key, const std::vector<Index>& reduced) {
    const Expr& expr = *key.view->definition();
    std::unordered_map<const IterDomain*, Index> env;
    const std::vector<IterDomain*> axes = key.view->domain()->no_reductions();
    for (size_t k = 0; k < axes.size(); ++k) {
      env[axes[k]] = key.map[k];
    }
    size_t next = 0;
    for (const IterDomain* axis : key.view->domain()->root()) {
      if (axis->is_reduction()) {
        env[axis] = reduced.at(next++);
      }
    }
    const LinkScope scope{*kernel_->pool, *algebra_, [&](const IterDomain* axis) { return env.at(axis); },
                          [&](const Val* v) { return extents_->of(v); },
                          [&](const TensorView* view, const std::vector<Index>& map, Index extent) {
                            return told(view, map, extent, key.tests);
                          }};
    std::vector<Read> reads;
    for (Link& link : links(expr, scope)) {
      Read read{
          link.operand, {static_cast<const TensorView*>(expr.input(link.operand)), std::move(link.map), key.tests}, {}};
      for (const Test& test : link.tests) {
        if (holds(test, *algebra_)) {
          continue;
        }
        read.own.push_back(test);
        if (std::find(read.key.tests.begin(), read.key.tests.end(), test) == read.key.tests.end()) {
          read.key.tests.push_back(test);
        }
      }
      reads.push_back(std::move(read));
    }
    return reads;
  }

  /// The tensors whose elements stand in a map, in the order of data_atoms.
  static std::vector<Operand> tellers(const std::vector<Index>& map) {
    std::vector<Operand> found;
    for (const Atom* atom : data_atoms(map)) {
      found.push_back({static_cast<Tensor*>(const_cast<void*>(atom->owner)), nullptr});
    }
    return found;
  }

  Operand make(const Key& key, const std::vector<Read>& reads) {
    if (inputs_.contains(key.view)) {
      return key.view->is_cpu_scalar() ? Operand{nullptr, key.view} : finish(key, TensorOp::load, tellers(key.map));
    }
    const Expr& expr = *key.view->definition();
    if (is_view(expr.kind())) {
      return memo_.at(reads.at(0).key);
    }
    const Operand made = finish(key, op_of(expr.kind()), {});
    Tensor& t = *made.tensor;
    t.expr = &expr;
    if (t.op == TensorOp::select) {
      add_choices(t, expr, reads);
      return made;
    }
    const size_t scalars = t.op == TensorOp::fill ? 1 : t.op == TensorOp::iota ? 2 : expr.inputs().size();
    for (size_t k = 0; k < scalars; ++k) {
      t.operands.push_back({nullptr, expr.input(static_cast<int>(k))});
    }
    for (const Read& read : reads) {
      t.operands.at(read.operand) = memo_.at(read.key);
    }
    if (t.op == TensorOp::iota) {
      t.position = key.map.at(0);
      const std::vector<Operand> told = tellers(key.map);
      t.operands.insert(t.operands.end(), told.begin(), told.end());
    }
    return made;
  }

  /// All results of a reduction at once.
  void make_parts(const Key& key, const std::vector<Read>& reads, const std::vector<Id*>& reduced) {
    const Expr& expr = *key.view->definition();
    check(made_.insert(&expr).second, ErrorKind::schedule,
          "a reduction is needed in two places of one kernel: ", OpTitle{expr});
    auto reduction = std::make_shared<Reduction>();
    reduction->row = expr.attribute<ReductionOp>(0);
    reduction->type = compute_type(expr.input(0)->dtype());
    reduction->axes = reduced;
    for (const Val* result : expr.outputs()) {
      const Key mine{static_cast<const TensorView*>(result), key.map, key.tests};
      const Operand made = finish(mine, TensorOp::reduce, {});
      Tensor& t = *made.tensor;
      t.expr = &expr;
      t.part = static_cast<int>(reduction->parts.size());
      t.reduction = reduction;
      for (const Read& read : reads) {
        t.operands.push_back(memo_.at(read.key));
      }
      reduction->parts.push_back(&t);
      memo_.emplace(mine, made);
    }
  }

  /// Reference axes in the memory order of the access that spans most of them, so that the innermost is what lies side
  /// by side; the others keep their places in front.
  void order_roots() {
    const Tensor* widest = nullptr;
    for (const Tensor* t : kernel_->tensors) {
      const bool access = t->op == TensorOp::load || t->op == TensorOp::store;
      if (access && (widest == nullptr || needs(*t).size() > needs(*widest).size())) {
        widest = t;
      }
    }
    const bool loads = widest->op == TensorOp::load;
    const std::vector<Tensor*>& buffers = loads ? kernel_->inputs : kernel_->outputs;
    const Tensor* buffer = loads ? kernel_->buffer_of(widest) : widest;
    const size_t position = std::find(buffers.begin(), buffers.end(), buffer) - buffers.begin();
    const Layout& layout = (loads ? request_.input_layouts : request_.output_layouts).at(position);
    std::vector<Id*> spanned;
    for (const int axis : layout.order) {
      for (const Atom* atom : atoms_of(widest->map[axis])) {
        if (atom->kind == AtomKind::axis && std::find(spanned.begin(), spanned.end(), id_of(*atom)) == spanned.end()) {
          spanned.push_back(id_of(*atom));
        }
      }
    }
    std::vector<Id*>& roots = kernel_->main().roots;
    std::erase_if(roots, [&](Id* root) { return std::find(spanned.begin(), spanned.end(), root) != spanned.end(); });
    roots.insert(roots.end(), spanned.begin(), spanned.end());
    kernel_->main().loops = roots;
  }

  /// pad: the operand under its tests, else the value.  cat: the ranges cover the axis, so the last needs no condition.
  void add_choices(Tensor& t, const Expr& expr, const std::vector<Read>& reads) {
    for (const Read& read : reads) {
      t.operands.push_back(memo_.at(read.key));
      t.conditions.push_back(read.own);
    }
    if (expr.kind() == ExprKind::pad) {
      t.operands.push_back({nullptr, expr.input(1)});
      t.conditions.emplace_back();
    } else {
      t.conditions.back().clear();
    }
  }

  Operand finish(const Key& key, TensorOp op, const std::vector<Operand>& operands) {
    Tensor* t = make_tensor(*kernel_, op, key.view->dtype(), key.view);
    t->map = key.map;
    t->tests = key.tests;
    t->operands = operands;
    kernel_->tensors.push_back(t);
    return {t, nullptr};
  }

  const InstantiateRequest& request_;
  std::unique_ptr<Kernel> kernel_;
  AxisClasses classes_;
  Extents* extents_ = nullptr;
  const Algebra* algebra_ = nullptr;
  std::unordered_set<const TensorView*> inputs_;
  std::unordered_map<const Id*, const IterDomain*> bound_axis_;
  std::unordered_map<Key, Operand, KeyHash> memo_;
  std::unordered_set<const Expr*> made_;  ///< reductions
  bool reduces_ = false;
};

}  // namespace

std::unique_ptr<Kernel> instantiate(const InstantiateRequest& request) { return Instantiate(request).run(); }

}  // namespace nvfuser
