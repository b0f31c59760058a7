// SPDX-License-Identifier: Apache-2.0
// Structural equality over every kind of node: a copy is equal, a copy with one thing changed is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "hand_built.h"
#include "nvfuser/ir/nodes.h"

namespace nvfuser::testing {
namespace {

/// Every kind of expression over tensors and scalars, all attribute types, layouts, aliases, leaves, CPU scalars.
std::shared_ptr<Fusion> everything() {
  HandBuilt g;
  TensorView *x = g.input({-1, 3}), *y = g.input({4, 6}), *b = g.input({1, 3}), *target = g.input({3, -1});
  x->domain()->set_allocation({x->logical()[1], x->logical()[0]}, {true, false});
  TensorView* by_value = g->tensor(g->domain({}), DataType::Double, true);
  g->add_input(by_value);
  Val *s = g.scalar_input(DataType::Double), *n = g.scalar_input(DataType::Int);
  Val* twice = g.scalar(PointwiseOp::mul, {n, g.integer(2)}, DataType::Int);
  TensorView* sum = g.pointwise(PointwiseOp::add, {x, b});
  TensorView* scaled = g.pointwise(PointwiseOp::mul, {sum, s});
  TensorView* turned = g.permute(scaled, {1, 0});
  TensorView* narrow = g.cast(turned, DataType::BFloat16);
  TensorView* cut = g.of_axes({g.copy(sum->logical()[0]), g.copy(sum->logical()[1])}, DataType::Float);
  g->expr(ExprKind::set, {sum}, {cut}, {int64_t{1}});
  TensorView* wide = g.broadcast(cut, {false, true, false});
  TensorView* grown = g.expand(wide, {wide->logical()[0]->extent(), twice, g.index(3)});
  TensorView* squeezed = g.squeeze(wide, {false, true, false});
  TensorView* flat = g.reshape(y, {g.index(24)});
  TensorView* part = g.slice(y, {g.index(1), g.index(0)}, {g.index(2), g.index(6)});
  TensorView* padded = g.pad(y, {{1, 2}, {0, 0}}, g.real(0.5, DataType::Float));
  TensorView* joined = g.cat({part, y}, 0, g.index(6));
  TensorView* taken = g.of_axes({g.copy(y->logical()[0]), g.copy(y->logical()[1])}, DataType::Float);
  g->expr(ExprKind::take_along_axis, {y, g.cast(y, DataType::Int)}, {taken}, {int64_t{1}});
  TensorView* filled = g.full({n, g.index(2)}, g->random_leaf(ScalarRole::seed), DataType::UInt64);
  TensorView* counted = g.iota(g.integer(1), g.integer(3), twice, DataType::Int);
  TensorView* logical = g.pointwise(PointwiseOp::lt, {squeezed, s}, DataType::Bool);
  TensorView* moved = g.pointwise(PointwiseOp::add, {turned, g.broadcast(by_value, {true, true})});
  const std::vector<TensorView*> moments = g.reduce(ReductionOp::welford, {y}, {true, false});
  TensorView* total = g.reduce(ReductionOp::sum, {sum}, {false, true})[0];
  for (TensorView* output :
       {narrow, grown, flat, padded, joined, taken, filled, counted, logical, turned, moments[1], moments[0], total}) {
    g->add_output(output);
  }
  g->add_output(moved, target);
  g->add_output(g.pointwise(PointwiseOp::neg, {y}), y);
  g->add_output(turned);
  g->set_offset_advance(g.scalar(PointwiseOp::add, {n, g->random_leaf(ScalarRole::offset)}, DataType::UInt64));
  return g.fusion;
}

/// What may be done differently while a fusion is copied.
struct Changes {
  std::function<void(const Expr&, std::vector<Attribute>&)> attributes = [](const Expr&, auto&) {};
  std::function<void(const Expr&, std::vector<Val*>&)> operands = [](const Expr&, auto&) {};
  std::function<ExprKind(const Expr&)> kind = [](const Expr& e) { return e.kind(); };
  std::function<Val*(Fusion&, const Val&)> scalar = [](Fusion&, const Val&) { return nullptr; };
  std::function<DataType(const TensorView&)> dtype = [](const TensorView& t) { return t.dtype(); };
  std::function<bool(const TensorView&)> by_value = [](const TensorView& t) { return t.is_cpu_scalar(); };
  std::function<void(const TensorView&, TensorView*)> layout = [](const TensorView&, TensorView*) {};
  std::function<IterDomain*(Fusion&, const IterDomain&, Val*, Val*)> axis =
      [](Fusion& to, const IterDomain& a, Val* e, Val* x) { return to.axis(e, a.iter_type(), x); };
  std::function<void(std::vector<Val*>&)> inputs = [](auto&) {};
  std::function<void(std::vector<std::pair<TensorView*, TensorView*>>&)> outputs = [](auto&) {};
  bool advance = true;
};

/// Written apart from NodeCopier: it is what clone() is held against.
class Copy {
 public:
  Copy(const Fusion& from, const Changes& changes) : from_(from), changes_(changes), to_(Fusion::make()) {
    for (const Statement* node : from.statements()) {
      if (const auto* val = dynamic_cast<const Val*>(node)) {
        copies_[val] = copied(*val);
      } else {
        copy(static_cast<const Expr&>(*node));
      }
    }
    boundary();
  }

  const std::shared_ptr<Fusion>& result() const { return to_; }

 private:
  Val* of(const Val* old) const { return old == nullptr ? nullptr : copies_.at(old); }
  IterDomain* of(const IterDomain* old) const { return static_cast<IterDomain*>(copies_.at(old)); }

  std::vector<IterDomain*> of(const std::vector<IterDomain*>& old) const {
    std::vector<IterDomain*> axes;
    for (const IterDomain* axis : old) {
      axes.push_back(of(axis));
    }
    return axes;
  }

  Val* copied(const Val& val) {
    switch (val.kind()) {
      case ValKind::scalar:
        if (Val* other = changes_.scalar(*to_, val)) {
          return other;
        }
        return val.is_constant()                 ? to_->constant(*val.constant(), val.dtype())
               : val.role() != ScalarRole::plain ? to_->random_leaf(val.role())
                                                 : to_->symbolic(val.dtype());
      case ValKind::iter_domain: {
        const auto& axis = static_cast<const IterDomain&>(val);
        return changes_.axis(*to_, axis, of(axis.extent()), of(axis.expanded_extent()));
      }
      case ValKind::tensor_domain: {
        const auto& domain = static_cast<const TensorDomain&>(val);
        return to_->domain(of(domain.root()), of(domain.logical()));
      }
      default:
        break;
    }
    const auto& tensor = static_cast<const TensorView&>(val);
    TensorView* result = to_->tensor(static_cast<TensorDomain*>(of(static_cast<const Val*>(tensor.domain()))),
                                     changes_.dtype(tensor), changes_.by_value(tensor));
    std::vector<std::optional<bool>> contiguity = tensor.domain()->contiguity();
    const std::vector<IterDomain*> allocation = of(tensor.domain()->allocation());
    for (size_t k = 0; k < allocation.size(); ++k) {  // an axis may have become a broadcast, or none
      const bool none = allocation[k]->is_broadcast() || allocation[k]->is_reduction();
      contiguity[k] = none ? std::nullopt : std::optional(contiguity[k].value_or(true));
    }
    result->domain()->set_allocation(allocation, contiguity);
    changes_.layout(tensor, result);
    return result;
  }

  void copy(const Expr& expr) {
    std::vector<Val*> operands, results;
    for (const Val* operand : expr.inputs()) {
      operands.push_back(of(operand));
    }
    for (const Val* result : expr.outputs()) {
      results.push_back(of(result));
    }
    std::vector<Attribute> attributes = expr.attributes();
    changes_.attributes(expr, attributes);
    changes_.operands(expr, operands);
    to_->expr(changes_.kind(expr), operands, results, attributes);
  }

  void boundary() {
    std::vector<Val*> inputs;
    for (const Val* input : from_.inputs()) {
      inputs.push_back(of(input));
    }
    changes_.inputs(inputs);
    for (Val* input : inputs) {
      to_->add_input(input);
    }
    std::vector<std::pair<TensorView*, TensorView*>> outputs;
    for (size_t k = 0; k < from_.outputs().size(); ++k) {
      const OutputAlias* alias = from_.alias(k);
      outputs.emplace_back(static_cast<TensorView*>(of(static_cast<const Val*>(from_.outputs()[k]))),
                           static_cast<TensorView*>(of(alias == nullptr ? nullptr : alias->input)));
    }
    changes_.outputs(outputs);
    for (const auto& [output, alias] : outputs) {
      alias == nullptr ? to_->add_output(static_cast<Val*>(output)) : to_->add_output(output, alias);
    }
    if (changes_.advance) {
      to_->set_offset_advance(of(from_.offset_advance()));
    }
  }

  const Fusion& from_;
  const Changes& changes_;
  std::shared_ptr<Fusion> to_;
  std::map<const Val*, Val*> copies_;
};

struct Mutation {
  std::string name;
  Changes changes;
};

/// Another value of the same type.
struct Altered {
  Attribute operator()(int64_t v) const { return v == 0 ? int64_t{1} : int64_t{0}; }
  Attribute operator()(DataType v) const { return v == DataType::Half ? DataType::Double : DataType::Half; }
  Attribute operator()(PointwiseOp v) const { return v == PointwiseOp::sub ? PointwiseOp::mul : PointwiseOp::sub; }
  Attribute operator()(ReductionOp v) const { return v == ReductionOp::max ? ReductionOp::min : ReductionOp::max; }
  Attribute operator()(std::vector<int64_t> v) const {
    std::swap(v.front(), v.back());
    return v;
  }
  Attribute operator()(std::vector<bool> v) const {
    v.front() = !v.front();
    return v;
  }
};

void add_expr_mutations(const Expr* expr, std::vector<Mutation>& all) {
  const std::string name = to_string(*expr);
  for (size_t k = 0; k < expr->attributes().size(); ++k) {
    Mutation& m = all.emplace_back();
    m.name = "attribute " + std::to_string(k) + " of " + name;
    m.changes.attributes = [expr, k](const Expr& e, std::vector<Attribute>& attributes) {
      if (&e == expr) {
        attributes[k] = std::visit(Altered(), attributes[k]);
      }
    };
  }
  for (size_t k = 0; k + 1 < expr->inputs().size(); ++k) {
    if (expr->inputs()[k] != expr->inputs()[k + 1]) {
      Mutation& m = all.emplace_back();
      m.name = "operands " + std::to_string(k) + " and next of " + name;
      m.changes.operands = [expr, k](const Expr& e, std::vector<Val*>& operands) {
        if (&e == expr) {
          std::swap(operands[k], operands[k + 1]);
        }
      };
    }
  }
  Mutation& m = all.emplace_back();
  m.name = "kind of " + name;
  m.changes.kind = [expr](const Expr& e) {
    return &e != expr ? e.kind() : e.kind() == ExprKind::cast ? ExprKind::set : ExprKind::cast;
  };
}

Val* altered_constant(Fusion& to, const Val& val) {
  struct Visitor {
    ScalarValue operator()(bool v) const { return !v; }
    ScalarValue operator()(int64_t v) const { return v + 17; }
    ScalarValue operator()(double v) const { return v + 0.25; }
    ScalarValue operator()(std::complex<double> v) const { return v + 1.0; }
  };
  return to.constant(std::visit(Visitor(), *val.constant()), val.dtype());
}

void add_scalar_mutations(const Val* val, std::vector<Mutation>& all) {
  Mutation& m = all.emplace_back();
  m.name = "scalar " + to_string(*val) + " of dtype " + std::string(name_of(val->dtype()));
  m.changes.scalar = [val](Fusion& to, const Val& v) -> Val* {
    if (&v != val) {
      return nullptr;
    }
    if (v.is_constant()) {
      return altered_constant(to, v);
    }
    return v.role() == ScalarRole::plain ? to.symbolic(v.dtype() == DataType::Int ? DataType::Int32 : DataType::Int)
                                         : to.symbolic(v.dtype());
  };
}

void add_tensor_mutations(const TensorView* tensor, std::vector<Mutation>& all) {
  const std::string name = to_string(*tensor);
  Mutation& dtype = all.emplace_back();
  dtype.name = "dtype of " + name;
  dtype.changes.dtype = [tensor](const TensorView& t) { return &t == tensor ? DataType::Int32 : t.dtype(); };
  if (tensor->rank() == 0) {
    Mutation& m = all.emplace_back();
    m.name = "place of " + name;
    m.changes.by_value = [tensor](const TensorView& t) { return (&t == tensor) != t.is_cpu_scalar(); };
    return;
  }
  Mutation& order = all.emplace_back();
  order.name = "memory order of " + name;
  order.changes.layout = [tensor](const TensorView& t, TensorView* copy) {
    auto allocation = copy->domain()->allocation();
    auto contiguity = copy->domain()->contiguity();
    if (&t == tensor) {
      std::reverse(allocation.begin(), allocation.end());
      std::reverse(contiguity.begin(), contiguity.end());
      copy->domain()->set_allocation(allocation, contiguity);
    }
  };
  Mutation& flags = all.emplace_back();
  flags.name = "contiguity of " + name;
  flags.changes.layout = [tensor](const TensorView& t, TensorView* copy) {
    auto contiguity = copy->domain()->contiguity();
    const auto flag = std::find_if(contiguity.begin(), contiguity.end(), [](const auto& f) { return f.has_value(); });
    if (&t == tensor && flag != contiguity.end()) {
      *flag = !**flag;
      copy->domain()->set_allocation(copy->domain()->allocation(), contiguity);
    }
  };
}

void add_axis_mutations(const TensorView* tensor, std::vector<Mutation>& all) {
  for (const IterDomain* axis : tensor->logical()) {
    Mutation& extent = all.emplace_back();
    extent.name = "extent of " + to_string(*axis);
    extent.changes.axis = [axis](Fusion& to, const IterDomain& a, Val* e, Val* x) {
      const bool known = e->is_constant();
      return to.axis(&a != axis ? e : known ? to.symbolic(DataType::Index) : to.index_constant(77), a.iter_type(), x);
    };
    Mutation& expanded = all.emplace_back();
    expanded.name = "visible extent of " + to_string(*axis);
    expanded.changes.axis = [axis](Fusion& to, const IterDomain& a, Val* e, Val* x) {
      return &a != axis ? to.axis(e, a.iter_type(), x)
                        : to.axis(e, IterType::broadcast, x == nullptr ? to.index_constant(77) : nullptr);
    };
  }
}

std::vector<Mutation> boundary_mutations(const Fusion& fusion) {
  std::vector<Mutation> all(5);
  all[0].name = "order of inputs";
  all[0].changes.inputs = [](std::vector<Val*>& inputs) { std::swap(inputs[0], inputs[1]); };
  all[1].name = "order of outputs";
  all[1].changes.outputs = [](auto& outputs) { std::swap(outputs[0], outputs[1]); };
  all[2].name = "an output less";
  all[2].changes.outputs = [](auto& outputs) { outputs.erase(outputs.begin()); };
  all[3].name = "no alias";
  all[3].changes.outputs = [](auto& outputs) {
    for (auto& [output, alias] : outputs) {
      alias = nullptr;
    }
  };
  all[4].name = "no advance";
  all[4].changes.advance = false;
  EXPECT_NE(fusion.offset_advance(), nullptr);
  return all;
}

std::vector<Mutation> mutations(const Fusion& fusion) {
  std::vector<Mutation> all = boundary_mutations(fusion);
  for (const Expr* expr : fusion.live_exprs()) {
    add_expr_mutations(expr, all);
  }
  for (const Val* val : fusion.vals()) {
    if (val->is_scalar()) {
      add_scalar_mutations(val, all);
      continue;
    }
    const auto* tensor = static_cast<const TensorView*>(val);
    add_tensor_mutations(tensor, all);
    add_axis_mutations(tensor, all);
  }
  return all;
}

/// Mutations that change nothing: a layout that is its own mirror image, flags of a tensor without any.
bool changes_nothing(const Fusion& a, const Fusion& b) { return print_math(a) == print_math(b); }

TEST(StructureMutation, TheGraphHasEveryKindOfNode) {
  std::set<ExprKind> kinds;
  const std::shared_ptr<Fusion> fusion = everything();
  verify(*fusion);
  for (const Expr* expr : fusion->live_exprs()) {
    kinds.insert(expr->kind());
  }
  EXPECT_EQ(kinds.size() + 2, static_cast<size_t>(kNodeCount)) << "all but split and merge";
}

TEST(StructureMutation, CopiesAreEqual) {
  const std::shared_ptr<Fusion> fusion = everything();
  for (const std::shared_ptr<Fusion>& other : {everything(), clone(*fusion), Copy(*fusion, {}).result()}) {
    EXPECT_TRUE(structurally_equal(*fusion, *other));
    EXPECT_EQ(structural_hash(*fusion), structural_hash(*other));
    EXPECT_EQ(print_math(*fusion, false), print_math(*other, false));
    verify(*other);
  }
}

TEST(StructureMutation, OneChangeMakesThemUnequal) {
  const std::shared_ptr<Fusion> fusion = everything();
  std::set<uint64_t> hashes{structural_hash(*fusion)};
  int tried = 0;
  for (const Mutation& mutation : mutations(*fusion)) {
    const std::shared_ptr<Fusion> other = Copy(*fusion, mutation.changes).result();
    if (changes_nothing(*fusion, *other) && structurally_equal(*fusion, *other)) {
      EXPECT_TRUE(contains(mutation.name, "contiguity of") || contains(mutation.name, "memory order of") ||
                  contains(mutation.name, "scalar"))
          << mutation.name;
      continue;
    }
    EXPECT_FALSE(structurally_equal(*fusion, *other)) << mutation.name << "\n" << print_math(*other);
    EXPECT_NE(structural_hash(*fusion), structural_hash(*other)) << mutation.name;
    hashes.insert(structural_hash(*other));
    ++tried;
  }
  EXPECT_GT(tried, 150);
  EXPECT_GT(static_cast<int>(hashes.size()), tried * 9 / 10);
}

TEST(StructureMutation, SchedulesDoNotCount) {
  const std::shared_ptr<Fusion> fusion = everything(), scheduled = everything();
  const TensorView* output = scheduled->outputs()[0];
  IterDomain* axis = output->logical()[0];
  IterDomain *outer = scheduled->axis(scheduled->symbolic(DataType::Index)),
             *inner = scheduled->axis(scheduled->index_constant(4));
  scheduled->expr(ExprKind::split, {axis}, {outer, inner}, {int64_t{4}, int64_t{1}});
  IterDomain* both = scheduled->axis(scheduled->symbolic(DataType::Index));
  scheduled->expr(ExprKind::merge, {inner, output->logical()[1]}, {both});
  both->parallelize(ParallelType::block_x);
  output->domain()->set_loop({outer, both});
  verify(*scheduled);
  EXPECT_TRUE(structurally_equal(*fusion, *scheduled));
  EXPECT_EQ(structural_hash(*fusion), structural_hash(*scheduled));
  const std::string text = print_math(*scheduled);
  EXPECT_TRUE(contains(text, " loop [iS") && contains(text, "ithreadIdx.x")) << text;
  const std::shared_ptr<Fusion> copy = clone(*scheduled);
  verify(*copy);
  EXPECT_EQ(print_math(*copy), text);
  EXPECT_EQ(copy->outputs()[0]->domain()->loop().size(), 2u);
  EXPECT_EQ(copy->outputs()[0]->domain()->loop()[0]->definition()->kind(), ExprKind::split);
}

TEST(StructureMutation, LoopsComeFromTheAxes) {
  HandBuilt g;
  TensorView *x = g.input({8, 3}), *y = g.input({8});
  IterDomain *a = x->logical()[0], *b = x->logical()[1];
  IterDomain *outer = g.axis(g.index(2)), *inner = g.axis(g.index(4));
  g->expr(ExprKind::split, {a}, {outer, inner}, {int64_t{4}, int64_t{1}});
  TensorDomain* domain = x->domain();
  const auto set = [&](std::vector<IterDomain*> loop) { return error_of([&] { domain->set_loop(loop); }); };
  EXPECT_EQ(set({b, outer, inner}), "");
  EXPECT_EQ(set({a, b}), "");
  EXPECT_TRUE(contains(set({a, a, b}), "2 times"));
  EXPECT_TRUE(contains(set({b}), "0 times"));
  EXPECT_TRUE(contains(set({outer, b}), "0 times"));
  EXPECT_TRUE(contains(set({a, outer, inner, b}), "2 times"));
  EXPECT_TRUE(contains(set({a, b, y->logical()[0]}), "none of the axes"));
  EXPECT_TRUE(contains(set({a, nullptr}), "is missing"));
  EXPECT_EQ(domain->loop(), (std::vector<IterDomain*>{a, b}));
}

}  // namespace
}  // namespace nvfuser::testing
