// SPDX-License-Identifier: Apache-2.0
// Text of a Program for people and golden tests: what runs where, in the order in which it runs.
#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"
#include "nvfuser/lower/lower.h"

namespace nvfuser {

namespace {

std::string place_text(const Place& place) { return place.tensor->name + "[" + to_string(place.offset) + "]"; }

std::string tests_text(const std::vector<Test>& tests) {
  std::string text;
  for (const Test& test : tests) {
    text += (text.empty() ? "" : " && ") + to_string(test);
  }
  return text;
}

std::string most_text(const std::vector<Index>& bounds) {
  std::string text;
  for (Index bound : bounds) {
    text += (text.empty() ? ", at most " : ", ") + to_string(bound);
  }
  return text;
}

std::string within_text(const Within& row) {
  return row ? ", in columns " + to_string(row.column) + " of " + to_string(row.columns) : "";
}

class Text {
 public:
  explicit Text(const Program& program) : program_(program) {}

  std::string run() {
    header();
    block(program_.body, 1);
    return std::move(text_);
  }

 private:
  void line(int depth, const std::string& what) { text_ += std::string(2 * depth, ' ') + what + "\n"; }

  void header() {
    std::string parameters;
    for (const Parameter& p : program_.parameters) {
      parameters += parameters.empty() ? "" : ", ";
      switch (p.kind) {
        case Parameter::Kind::input:
        case Parameter::Kind::output:
        case Parameter::Kind::workspace:
        case Parameter::Kind::semaphores:
        case Parameter::Kind::scalar:
          parameters += p.name + ": " + std::string(name_of(p.dtype));
          break;
        case Parameter::Kind::size:
          parameters += p.name;
          break;
        case Parameter::Kind::divisor:
          parameters += p.name + " = " + to_string(p.value);
          break;
      }
    }
    line(0, std::string(program_.target == Target::gpu ? "gpu " : "cpu ") + program_.name + "(" + parameters + ")" +
                (program_.wide ? " wide" : ""));
    const auto& grid = program_.grid;
    std::string launch = "grid " + to_string(grid[0]) + ", " + to_string(grid[1]) + ", " + to_string(grid[2]);
    launch += "; block " + std::to_string(program_.block[0]) + ", " + std::to_string(program_.block[1]) + ", " +
              std::to_string(program_.block[2]);
    line(1, launch);
    for (const auto& [input, output] : program_.aliases) {
      line(1, "out" + std::to_string(output) + " in place of in" + std::to_string(input));
    }
    if (program_.waits || program_.releases || program_.cooperative) {
      line(1, std::string("launch") + (program_.waits ? ", waits for the kernel before" : "") +
                  (program_.releases ? ", lets the next one start" : "") +
                  (program_.cooperative ? ", all blocks at once" : ""));
    }
    for (const TeamShape& team : program_.teams) {
      line(1, "teams of " + std::to_string(team.size) + (team.lanes ? " lanes" : " threads") + ", " +
                  std::to_string(team.count) + " a block");
    }
    if (program_.ring.stages > 0) {
      line(1, "ring of " + std::to_string(program_.ring.stages) + " stages, " + std::to_string(program_.ring.copies) +
                  " copies a turn, at " + std::to_string(program_.ring.byte_offset));
    }
    for (const SharedBuffer& s : program_.shared) {
      line(1, "shared " + s.tensor->name + ": " + std::string(name_of(s.tensor->dtype)) + "[" +
                  std::to_string(s.count) + "] at " + std::to_string(s.byte_offset));
    }
  }

  void block(const Block& block, int depth) {
    for (const Node& node : block.nodes) {
      std::visit([&](const auto& n) { print(n, depth); }, node);
    }
  }

  void print(const Allocate& n, int depth) {
    const std::string type(n.accumulators ? name_of(n.tensor->reduction->row) : name_of(n.tensor->dtype));
    line(depth,
         "local " + n.tensor->name + (n.accumulators ? "_acc: " : ": ") + type + "[" + std::to_string(n.count) + "]");
  }

  void print(const Begin& n, int depth) { line(depth, accumulator(n.reduce, n.at) + " = neutral"); }

  void print(const Accumulate& n, int depth) {
    std::string operands;
    for (size_t k = 0; k < n.reads.size(); ++k) {
      operands += (k == 0 ? "" : ", ") +
                  (n.reads[k].tensor != nullptr ? place_text(n.reads[k]) : scalar_text(n.reduce->operands[k].scalar));
    }
    const std::string width = n.width > 1 ? "<" + std::to_string(n.width) + "> " : "";
    const std::string verb = n.reduce->reduction->merges ? " joins " : " gets ";
    line(depth, accumulator(n.reduce, n.at) + verb + width + operands + most_text(n.counts) + within_text(n.within));
  }

  void print(const Join& n, int depth) {
    std::string members;
    for (size_t k = 0; k < n.reduces.size(); ++k) {
      members += (k == 0 ? "" : ", ") + n.reduces[k]->name + "_acc[" + std::to_string(n.counts[k]) + "]";
    }
    const std::string_view verb = n.part == Join::Part::tell      ? "tell of "
                                  : n.part == Join::Part::collect ? "collect "
                                                                  : "join ";
    const std::string_view blocks = program_.apart ? " and " : " and a cluster of ";
    line(depth, std::string(verb) + members + " in teams of " + std::to_string(program_.teams[n.team].size) +
                    (n.cluster ? std::string(blocks) + std::to_string(program_.cluster) + " blocks" : ""));
  }

  void print(const Finish& n, int depth) {
    for (const Tensor* part : n.parts) {
      const std::string what = part->reduction->partial ? " = state " : " = part ";
      line(depth, place_text({part, n.at}) + what + std::to_string(part->part) + " of " + accumulator(n.reduce, n.at));
    }
  }

  static std::string accumulator(const Tensor* reduce, Index at) {
    return reduce->name + "_acc[" + to_string(at) + "]";
  }

  void print(const BulkCopy& n, int depth) {
    const std::string most = n.most > 0 ? ", at most " + std::to_string(n.most) : "";
    line(depth, "turn " + to_string(n.turn) + ": " + place_text(n.to) + " = bulk <" + to_string(n.count) + most + "> " +
                    place_text(n.from) + (n.tests.empty() ? "" : " if " + tests_text(n.tests)));
  }

  void print(const Claim& n, int depth) {
    line(depth, to_string(n.variable) + " = " + to_string(n.first) + " + claimed of " + to_string(n.rows));
  }

  void print(const Post& n, int depth) {
    line(depth, "turn " + to_string(n.turn) + " is row " + to_string(n.row) + " of " + to_string(n.rows));
  }

  void print(const Wait& n, int depth) { line(depth, "wait for turn " + to_string(n.turn)); }

  void print(const LeaveFar&, int depth) { line(depth, "leave the blocks"); }
  void print(const Sync&, int depth) { line(depth, "sync"); }
  void print(const Arrive& n, int depth) {
    line(depth, "the last of " + to_string(n.count) + " at semaphore " + to_string(n.at) + " goes on");
  }
  void print(const GridSync& n, int depth) {
    line(depth, "sync at semaphore " + to_string(n.at) + " for " + to_string(n.arrivals) + " arrivals");
  }
  void print(const GridLeave& n, int depth) {
    line(depth, "leave semaphore " + to_string(n.at) + " after " + to_string(n.arrivals) + " arrivals");
  }

  void print(const Move& n, int depth) {
    const std::string width = "<" + std::to_string(n.width) + "> ";
    const std::string verb = n.unaligned != nullptr ? " = unaligned move" : " = move";
    line(depth, place_text(n.to) + verb + width + place_text(n.from) + most_text(n.counts) + within_text(n.within));
  }

  void print(const Assign& n, int depth) { line(depth, place_text(n.to) + " = " + value_text(n)); }

  void print(const Loop& n, int depth) {
    if (n.claims) {
      line(depth, "for claimed " + n.name + " < " + to_string(n.extent) + ", waiting for its turn");
      return block(*n.body, depth + 1);
    }
    const std::string mark = n.parallel == ParallelType::serial ? "" : std::string(name_of(n.parallel)) + " ";
    line(depth, mark + "for " + n.name + " < " + to_string(n.extent) + most_text(n.limits));
    block(*n.body, depth + 1);
    if (n.later != nullptr) {
      line(depth, "later, when the next body is done");
      block(*n.later, depth + 1);
    }
  }

  void print(const Guard& n, int depth) {
    line(depth, n.tests.empty() ? "block" : "if " + tests_text(n.tests));
    block(*n.body, depth + 1);
    if (n.otherwise != nullptr) {
      line(depth, "else");
      block(*n.otherwise, depth + 1);
    }
  }

  std::string operand_text(const Assign& n, size_t k) const {
    return n.reads[k].tensor != nullptr ? place_text(n.reads[k]) : scalar_text(n.what->operands[k].scalar);
  }

  std::string scalar_text(const Val* scalar) const {
    if (!scalar->is_constant()) {
      for (const Parameter& p : program_.parameters) {
        if (p.scalar == scalar) {
          return p.name;
        }
      }
      ensure(false, "a scalar without a parameter");
    }
    std::ostringstream text;
    std::visit([&](const auto& value) { text << std::boolalpha << value; }, *scalar->constant());
    return text.str();
  }

  std::string value_text(const Assign& n) const {
    const Tensor& t = *n.what;
    switch (t.op) {
      case TensorOp::load:
      case TensorOp::store:
      case TensorOp::copy:
      case TensorOp::fill:
        return operand_text(n, 0);
      case TensorOp::iota:
        return operand_text(n, 0) + " + " + operand_text(n, 1) + " * (" + to_string(n.index) + ")";
      case TensorOp::select:
        return select_text(n);
      case TensorOp::reduce:
        ensure(false, "a reduction is no value of one statement");
        break;
      case TensorOp::compute:
        break;
    }
    const bool cast = t.expr->kind() == ExprKind::cast;
    std::string text(cast ? name_of(t.dtype) : name_of(t.expr->attribute<PointwiseOp>(0)));
    for (size_t k = 0; k < n.reads.size(); ++k) {
      text += (k == 0 ? "(" : ", ") + operand_text(n, k);
    }
    return text + ")";
  }

  std::string select_text(const Assign& n) const {
    std::string text;
    for (size_t k = 0; k < n.reads.size(); ++k) {
      text += (text.empty() ? "" : " else ") + operand_text(n, k);
      if (n.conditions[k].empty()) {
        break;
      }
      text += " if " + tests_text(n.conditions[k]);
    }
    return text;
  }

  const Program& program_;
  std::string text_;
};

}  // namespace

std::string to_string(const Program& program) { return Text(program).run(); }

}  // namespace nvfuser
