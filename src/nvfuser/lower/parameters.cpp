// SPDX-License-Identifier: Apache-2.0
// Parameters: every size, divisor, scalar and buffer that the text will name.
#include "nvfuser/lower/parameters.h"

#include <algorithm>
#include <set>

namespace nvfuser {

namespace {

class Collector {
 public:
  explicit Collector(Lowering& state) : state_(state) {}

  void walk(const Block& block) {
    for (const Node& node : block.nodes) {
      std::visit([&](const auto& n) { visit(n); }, node);
    }
  }

  void finish() {
    std::vector<Parameter>& made = state_.program.parameters;
    const auto& inputs = state_.kernel.inputs;
    for (size_t k = 0; k < inputs.size(); ++k) {
      if (buffers_.contains(inputs[k])) {
        made.push_back(
            {Parameter::Kind::input, inputs[k]->name, inputs[k]->dtype, static_cast<int>(k), nullptr, nullptr});
      }
    }
    const auto& outputs = state_.kernel.outputs;
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (buffers_.contains(outputs[k])) {
        made.push_back(
            {Parameter::Kind::output, outputs[k]->name, outputs[k]->dtype, static_cast<int>(k), nullptr, nullptr});
      }
    }
    const auto& workspaces = state_.kernel.workspaces;
    for (size_t k = 0; k < workspaces.size(); ++k) {
      if (buffers_.contains(workspaces[k])) {
        made.push_back({Parameter::Kind::workspace, workspaces[k]->name, workspaces[k]->dtype, static_cast<int>(k),
                        nullptr, nullptr, written_.contains(workspaces[k])});
      }
    }
    if (meets_) {
      made.push_back({Parameter::Kind::semaphores, "semaphores", DataType::Int32, 0, nullptr, nullptr, true});
    }
    const auto by_serial = [](const Atom* a, const Atom* b) { return a->serial < b->serial; };
    std::sort(sizes_.begin(), sizes_.end(), by_serial);
    for (const Atom* atom : sizes_) {
      made.push_back({Parameter::Kind::size, atom->name, DataType::Index, -1, state_.pool().from_atom(atom), nullptr});
    }
    for (Index divisor : divisors_) {
      made.push_back({Parameter::Kind::divisor, divisor_name(divisor), DataType::Index, -1, divisor, nullptr});
    }
    for (size_t k = 0; k < scalars_.size(); ++k) {
      made.push_back(
          {Parameter::Kind::scalar, "s" + std::to_string(k), scalars_[k]->dtype(), -1, nullptr, scalars_[k]});
    }
  }

 private:
  void visit(const Allocate&) {}
  void visit(const Sync&) {}
  void visit(const LeaveFar&) { meets_ = true; }
  void visit(const GridSync& sync) {
    meets_ = true;
    add(sync.at);
    add(sync.arrivals);
  }
  void visit(const GridLeave& leave) {
    add(leave.at);
    add(leave.arrivals);
  }
  void visit(const Arrive& arrive) {
    meets_ = true;
    add(arrive.at);
    add(arrive.count);
  }

  void visit(const Assign& assign) {
    add(assign.to);
    written_.insert(assign.to.tensor);
    for (const Place& place : assign.reads) {
      add(place);
    }
    for (const std::vector<Test>& tests : assign.conditions) {
      add(tests);
    }
    add(assign.index);
    add_scalars(*assign.what);
  }

  void visit(const Move& move) {
    add(move.to);
    written_.insert(move.to.tensor);
    add(move.from);
    std::for_each(move.counts.begin(), move.counts.end(), [&](Index p) { add(p); });
    add(move.within);
    add(move.unaligned);
  }

  void visit(const BulkCopy& copy) {
    add(copy.turn);
    add(copy.to);
    add(copy.from);
    add(copy.count);
    add(copy.tests);
  }

  void visit(const Wait& wait) { add(wait.turn); }

  void visit(const Claim& claim) {
    meets_ = true;
    add(claim.first);
    add(claim.rows);
  }

  void visit(const Post& post) {
    add(post.turn);
    add(post.row);
    add(post.rows);
  }

  void visit(const Begin& begin) { add(begin.at); }
  void visit(const Join&) {}
  void visit(const Finish& finish) { add(finish.at); }

  void visit(const Accumulate& accumulate) {
    add(accumulate.at);
    std::for_each(accumulate.counts.begin(), accumulate.counts.end(), [&](Index p) { add(p); });
    add(accumulate.within);
    for (const Place& place : accumulate.reads) {
      add(place);
    }
    add_scalars(*accumulate.reduce);
  }

  void visit(const Loop& loop) {
    add(loop.extent);
    std::for_each(loop.limits.begin(), loop.limits.end(), [&](Index p) { add(p); });
    walk(*loop.body);
    if (loop.later != nullptr) {
      walk(*loop.later);
    }
  }

  void visit(const Guard& guard) {
    add(guard.tests);
    walk(*guard.body);
    if (guard.otherwise != nullptr) {
      walk(*guard.otherwise);
    }
  }

  void add_scalars(const Tensor& what) {
    for (const Operand& operand : what.operands) {
      const Val* scalar = operand.scalar;
      if (scalar != nullptr && !scalar->is_constant() &&
          std::find(scalars_.begin(), scalars_.end(), scalar) == scalars_.end()) {
        scalars_.push_back(scalar);
      }
    }
  }

  void add(const Place& place) {
    if (place.tensor != nullptr) {
      buffers_.insert(place.tensor);
      add(place.offset);
    }
  }

  void add(const Within& within) {
    add(within.column);
    add(within.columns);
  }

  void add(const std::vector<Test>& tests) {
    for (const Test& test : tests) {
      add(test.index);
      add(test.bound);
    }
  }

  /// Sizes that only occur inside a divisor come as the divisor.
  void add(Index p) {
    if (p == nullptr || !seen_.insert(p).second) {
      return;
    }
    for (const Term& term : p->terms) {
      for (const Atom* atom : term.atoms) {
        add_atom(atom);
      }
    }
  }

  void add_atom(const Atom* atom) {
    if (atom->kind == AtomKind::size) {
      if (std::find(sizes_.begin(), sizes_.end(), atom) == sizes_.end()) {
        sizes_.push_back(atom);
      }
      return;
    }
    if (atom->a == nullptr) {
      return;
    }
    add(atom->a);
    if (atom->kind == AtomKind::data) {
      add(atom->extent);
      return;
    }
    const bool divides = atom->kind == AtomKind::div || atom->kind == AtomKind::mod;
    if (!divides || atom->b->is_constant()) {
      add(atom->b);
    } else if (std::find(divisors_.begin(), divisors_.end(), atom->b) == divisors_.end()) {
      divisors_.push_back(atom->b);
    }
  }

  /// i1_div, i1_i2_div for a product; e0_div for any other expression.
  std::string divisor_name(Index divisor) {
    std::string name;
    if (divisor->terms.size() == 1 && divisor->terms[0].coefficient == 1) {
      for (const Atom* atom : divisor->terms[0].atoms) {
        if (atom->kind != AtomKind::size) {
          name.clear();
          break;
        }
        name += atom->name + "_";
      }
    }
    return (name.empty() ? "e" + std::to_string(expressions_++) + "_" : name) + "div";
  }

  Lowering& state_;
  std::set<const Tensor*> buffers_, written_;
  std::set<Index> seen_;
  std::vector<const Atom*> sizes_;
  std::vector<Index> divisors_;
  std::vector<const Val*> scalars_;
  int expressions_ = 0;
  bool meets_ = false;
};

}  // namespace

void collect_parameters(Lowering& state) {
  Collector collector(state);
  collector.walk(state.program.body);
  collector.finish();
}

}  // namespace nvfuser
