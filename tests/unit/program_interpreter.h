// SPDX-License-Identifier: Apache-2.0
// Runs a lowered Program on host arrays, all threads of a block statement by statement, and checks what it does:
// bounds, initialisation, alignment of moves, one writer per element, races on shared memory between barriers,
// divisions of negative values.  For tests of schedules: no text and no compiler is involved.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/lower/lower.h"

namespace nvfuser {

/// Elements of a global buffer; two buffers of a program may be one.
struct InterpretedBuffer {
  std::vector<ScalarValue> values;
  std::vector<int64_t> writer;  ///< global thread that wrote an element; -1 when none has
};

class ProgramInterpreter {
 public:
  ProgramInterpreter(const Program& program, std::map<std::string, int64_t> sizes)
      : program_(program), sizes_(std::move(sizes)) {}

  void bind(Parameter::Kind kind, int position, InterpretedBuffer& buffer) {
    buffers_[kind == Parameter::Kind::input ? program_.kernel->inputs[position] : program_.kernel->outputs[position]] =
        &buffer;
    buffer.writer.assign(buffer.values.size(), -1);
  }
  void bind(const Val* scalar, ScalarValue value) { scalars_[scalar] = value; }

  /// Empty, or the first thing that went wrong.
  std::string run() {
    fault_.clear();
    check_parameters();
    std::array<int64_t, 3> grid;
    for (int d = 0; d < 3; ++d) {
      grid[d] = std::max<int64_t>(1, evaluate(program_.grid[d], [&](const Atom& a) { return size(a.name); }));
    }
    threads_ = program_.block[0] * program_.block[1] * program_.block[2];
    int64_t number = 0;
    for (int64_t z = 0; z < grid[2]; ++z) {
      for (int64_t y = 0; y < grid[1]; ++y) {
        for (int64_t x = 0; x < grid[0] && fault_.empty(); ++x) {
          run_block({x, y, z}, number++);
        }
      }
    }
    return fault_;
  }

 private:
  struct Local {
    int64_t count = 0;
    std::vector<ScalarValue> values;  ///< thread by thread
    std::vector<char> written;
  };
  struct SharedElement {
    ScalarValue value;
    bool written = false;
    int64_t writer = -1, written_at = -1;  ///< thread and epoch of the last write
    int64_t reader = -1, read_at = -1;     ///< of the last read; reader -2: several
  };
  using Mask = std::vector<char>;

  void fault(const std::string& what) {
    if (fault_.empty()) {
      fault_ = what;
    }
  }

  int64_t size(const std::string& name) {
    const auto at = sizes_.find(name);
    ensure(at != sizes_.end(), "no value for size ", name);
    return at->second;
  }

  void check_parameters() {
    for (const Parameter& p : program_.parameters) {
      if (p.kind == Parameter::Kind::size) {
        known_sizes_.insert(p.value->as_atom());
      } else if (p.kind == Parameter::Kind::divisor) {
        known_divisors_.insert(p.value);
      }
    }
  }

  void run_block(const std::array<int64_t, 3>& at, int64_t number) {
    block_ = number;
    epoch_ = 0;
    locals_.clear();
    shared_.clear();
    variables_.clear();
    for (const SharedBuffer& s : program_.shared) {
      shared_[s.tensor].resize(s.count);
    }
    static constexpr const char* kBlock[] = {"bx", "by", "bz"};
    static constexpr const char* kThread[] = {"tx", "ty", "tz"};
    for (int d = 0; d < 3; ++d) {
      variables_[kBlock[d]].assign(threads_, at[d]);
      std::vector<int64_t>& t = variables_[kThread[d]];
      t.resize(threads_);
      const int64_t step = d == 0 ? 1 : d == 1 ? program_.block[0] : program_.block[0] * program_.block[1];
      for (int64_t k = 0; k < threads_; ++k) {
        t[k] = k / step % program_.block[d];
      }
    }
    run_nodes(program_.body, Mask(threads_, 1), true);
  }

  void run_nodes(const Block& block, const Mask& mask, bool uniform) {
    for (const Node& node : block.nodes) {
      if (!fault_.empty()) {
        return;
      }
      if (const auto* n = std::get_if<Allocate>(&node)) {
        locals_[n->tensor] = {n->count, std::vector<ScalarValue>(n->count * threads_),
                              std::vector<char>(n->count * threads_)};
      } else if (const auto* n = std::get_if<Assign>(&node)) {
        each(mask, [&](int64_t t) { assign(*n, t); });
      } else if (const auto* n = std::get_if<Move>(&node)) {
        each(mask, [&](int64_t t) { move(*n, t); });
      } else if (std::holds_alternative<Sync>(node)) {
        ++epoch_;
        if (!uniform) {
          fault("a barrier that not all threads reach");
        }
      } else if (const auto* n = std::get_if<Loop>(&node)) {
        run_loop(*n, mask, uniform);
      } else {
        run_guard(std::get<Guard>(node), mask);
      }
    }
  }

  void run_loop(const Loop& loop, const Mask& mask, bool uniform) {
    int64_t longest = 0;
    std::vector<int64_t> ends(threads_, 0);
    each(mask, [&](int64_t t) {
      ends[t] = value(loop.extent, t);
      for (Index limit : loop.limits) {
        ends[t] = std::min(ends[t], value(limit, t, true));
      }
      longest = std::max(longest, ends[t]);
    });
    for (int64_t k = 0; k < longest && fault_.empty(); ++k) {
      variables_[loop.name].assign(threads_, k);
      Mask inner = mask;
      bool all = uniform;
      for (int64_t t = 0; t < threads_; ++t) {
        inner[t] = mask[t] && k < ends[t];
        all = all && inner[t] == mask[t];
      }
      run_nodes(*loop.body, inner, all);
    }
  }

  void run_guard(const Guard& guard, const Mask& mask) {
    Mask inside(threads_, 0), outside(threads_, 0);
    each(mask, [&](int64_t t) { (all_hold(guard.tests, t) ? inside : outside)[t] = 1; });
    run_nodes(*guard.body, inside, false);
    if (guard.otherwise != nullptr) {
      run_nodes(*guard.otherwise, outside, false);
    }
  }

  template <class Do>
  void each(const Mask& mask, const Do& what) {
    for (int64_t t = 0; t < threads_; ++t) {
      if (mask[t]) {
        what(t);
      }
    }
  }

  bool all_hold(const std::vector<Test>& tests, int64_t t) {
    for (const Test& test : tests) {
      const int64_t index = value(test.index, t);
      const bool ok = test.kind == Test::Kind::ge   ? index >= 0
                      : test.kind == Test::Kind::eq ? index == 0
                                                    : index < value(test.bound, t);
      if (!ok) {
        return false;
      }
    }
    return true;
  }

  int64_t value(Index p, int64_t t, bool negative = false) {
    int64_t total = 0;
    for (const Term& term : p->terms) {
      int64_t product = term.coefficient;
      for (const Atom* atom : term.atoms) {
        product *= atom_value(*atom, t, negative);
      }
      total += product;
    }
    return total;
  }

  int64_t atom_value(const Atom& atom, int64_t t, bool negative) {
    if (atom.kind == AtomKind::size) {
      ensure(known_sizes_.count(&atom) != 0, "size ", atom.name, " is no parameter");
      return size(atom.name);
    }
    if (atom.kind == AtomKind::var) {
      const auto at = variables_.find(atom.name);
      ensure(at != variables_.end(), "variable ", atom.name, " is not in scope");
      return at->second[t];
    }
    ensure(atom.a != nullptr, "an axis is left in an expression: ", atom.name);
    const int64_t a = value(atom.a, t, negative), b = divisor(atom, t, negative);
    if (atom.kind == AtomKind::xor_) {
      return a ^ b;
    }
    if ((a < 0 && !negative) || b <= 0) {
      fault("division of " + std::to_string(a) + " by " + std::to_string(b) + " in " + to_string(atom.a) + " by " +
            to_string(atom.b));
      return 0;
    }
    if (program_.wraps.count(&atom) != 0 && a >= 2 * b) {
      fault(std::to_string(a) + " is no remainder plus a step in " + to_string(atom.a) + " by " + to_string(atom.b));
    }
    const int64_t quotient = a >= 0 ? a / b : -((-a + b - 1) / b);
    return atom.kind == AtomKind::div ? quotient : a - quotient * b;
  }

  int64_t divisor(const Atom& atom, int64_t t, bool negative) {
    if (atom.kind == AtomKind::xor_ || atom.b->is_constant()) {
      return value(atom.b, t, negative);
    }
    ensure(known_divisors_.count(atom.b) != 0, "divisor ", to_string(atom.b), " is no parameter");
    return evaluate(atom.b, [&](const Atom& a) { return size(a.name); });
  }

  std::string where(const Tensor& tensor, int64_t element, int64_t t) {
    return tensor.name + "[" + std::to_string(element) + "] by thread " + std::to_string(t) + " of block " +
           std::to_string(block_);
  }

  ScalarValue read(const Place& place, int64_t element, int64_t t) {
    const Tensor& tensor = *place.tensor;
    if (tensor.memory == MemoryType::global) {
      InterpretedBuffer& buffer = *buffers_.at(&tensor);
      if (element < 0 || element >= static_cast<int64_t>(buffer.values.size())) {
        fault("read out of bounds of " + where(tensor, element, t));
        return 0.0;
      }
      if (buffer.writer[element] >= 0 && buffer.writer[element] != global_thread(t)) {
        fault("read after another thread's write of " + where(tensor, element, t));
      }
      return buffer.values[element];
    }
    return tensor.memory == MemoryType::shared ? read_shared(tensor, element, t) : read_local(tensor, element, t);
  }

  ScalarValue read_local(const Tensor& tensor, int64_t element, int64_t t) {
    Local& local = local_of(tensor);
    if (element < 0 || element >= local.count || !local.written[t * local.count + element]) {
      fault("read of nothing at " + where(tensor, element, t));
      return 0.0;
    }
    return local.values[t * local.count + element];
  }

  ScalarValue read_shared(const Tensor& tensor, int64_t element, int64_t t) {
    std::vector<SharedElement>& all = shared_.at(&tensor);
    if (element < 0 || element >= static_cast<int64_t>(all.size()) || !all[element].written) {
      fault("read of nothing at " + where(tensor, element, t));
      return 0.0;
    }
    SharedElement& e = all[element];
    if (e.written_at == epoch_ && e.writer != t) {
      fault("no barrier between write and read of " + where(tensor, element, t));
    }
    e.reader = e.read_at == epoch_ && e.reader != t ? -2 : t;
    e.read_at = epoch_;
    return e.value;
  }

  void write(const Place& place, int64_t element, const ScalarValue& v, int64_t t) {
    const Tensor& tensor = *place.tensor;
    if (tensor.memory == MemoryType::global) {
      InterpretedBuffer& buffer = *buffers_.at(&tensor);
      if (element < 0 || element >= static_cast<int64_t>(buffer.values.size())) {
        fault("write out of bounds of " + where(tensor, element, t));
        return;
      }
      // A store inside a loop that it does not depend on writes the same value again.
      if (buffer.writer[element] >= 0 && (buffer.writer[element] != global_thread(t) || buffer.values[element] != v)) {
        fault("second write of " + where(tensor, element, t));
      }
      buffer.writer[element] = global_thread(t);
      buffer.values[element] = v;
    } else if (tensor.memory == MemoryType::shared) {
      write_shared(tensor, element, v, t);
    } else {
      Local& local = local_of(tensor);
      if (element < 0 || element >= local.count) {
        fault("write out of bounds of " + where(tensor, element, t));
        return;
      }
      local.values[t * local.count + element] = v;
      local.written[t * local.count + element] = 1;
    }
  }

  void write_shared(const Tensor& tensor, int64_t element, const ScalarValue& v, int64_t t) {
    std::vector<SharedElement>& all = shared_.at(&tensor);
    if (element < 0 || element >= static_cast<int64_t>(all.size())) {
      fault("write out of bounds of " + where(tensor, element, t));
      return;
    }
    SharedElement& e = all[element];
    if ((e.written_at == epoch_ && e.writer != t) || (e.read_at == epoch_ && e.reader != t)) {
      fault("no barrier before the write of " + where(tensor, element, t));
    }
    e.value = v;
    e.written = true;
    e.writer = t;
    e.written_at = epoch_;
  }

  Local& local_of(const Tensor& tensor) {
    const auto at = locals_.find(&tensor);
    ensure(at != locals_.end(), tensor.name, " is not allocated");
    return at->second;
  }

  int64_t global_thread(int64_t t) const { return block_ * threads_ + t; }

  void move(const Move& n, int64_t t) {
    const int64_t to = value(n.to.offset, t), from = value(n.from.offset, t);
    // With a count the elements leave one by one where they must, so nothing is asked of their place.
    int64_t count = n.width;
    for (Index bound : n.counts) {
      count = std::min(count, value(bound, t, true));
    }
    const int64_t start = n.unaligned != nullptr ? value(n.unaligned, t) : 0;
    if (n.counts.empty() && (to % n.width != 0 || (from - start) % n.width != 0)) {
      fault("move of " + std::to_string(n.width) + " elements between " + where(*n.to.tensor, to, t) + " and " +
            where(*n.from.tensor, from, t));
    }
    const int64_t column = n.within ? value(n.within.column, t, true) : 0;
    const int64_t columns = n.within ? value(n.within.columns, t) : count;
    const bool stored = n.to.tensor->memory == MemoryType::global;
    for (int64_t k = 0; k < count; ++k) {
      if (column + k >= 0 && column + k < columns) {
        write(n.to, to + k, read(n.from, from + k, t), t);
      } else if (!stored) {
        write(n.to, to + k, beyond_row(n.to.tensor->dtype), t);
      }
    }
  }

  /// What lanes hold that nobody may ask for.
  static ScalarValue beyond_row(DataType type) { return cast_scalar(ScalarValue(int64_t{-77}), type); }

  ScalarValue operand(const Assign& n, size_t k, int64_t t) {
    if (n.reads[k].tensor != nullptr) {
      return read(n.reads[k], value(n.reads[k].offset, t), t);
    }
    const Val* scalar = n.what->operands[k].scalar;
    return scalar->is_constant() ? *scalar->constant() : scalars_.at(scalar);
  }

  void assign(const Assign& n, int64_t t) { write(n.to, value(n.to.offset, t), result(n, t), t); }

  ScalarValue result(const Assign& n, int64_t t) {
    const Tensor& what = *n.what;
    switch (what.op) {
      case TensorOp::load:
      case TensorOp::store:
      case TensorOp::copy:
        return operand(n, 0, t);
      case TensorOp::fill:
        return cast_scalar(operand(n, 0, t), what.dtype);
      case TensorOp::iota:
        return cast_scalar(
            std::get<int64_t>(operand(n, 0, t)) + std::get<int64_t>(operand(n, 1, t)) * value(n.index, t), what.dtype);
      case TensorOp::select:
        return select(n, t);
      case TensorOp::reduce:
        ensure(false, "a reduction is no value of one statement");
        break;
      case TensorOp::compute:
        break;
    }
    if (what.expr->kind() == ExprKind::cast) {
      return cast_scalar(operand(n, 0, t), what.dtype);
    }
    std::vector<ScalarValue> operands;
    for (size_t k = 0; k < n.reads.size(); ++k) {
      operands.push_back(operand(n, k, t));
    }
    return cast_scalar(evaluate_scalar(what.expr->attribute<PointwiseOp>(0), operands, operation_type(*what.expr)),
                       what.dtype);
  }

  ScalarValue select(const Assign& n, int64_t t) {
    for (size_t k = 0; k < n.reads.size(); ++k) {
      if (all_hold(n.conditions[k], t)) {
        return cast_scalar(operand(n, k, t), n.what->dtype);
      }
    }
    fault("no operand of " + n.what->name + " is chosen");
    return 0.0;
  }

  const Program& program_;
  std::map<std::string, int64_t> sizes_;
  std::set<const Atom*> known_sizes_;
  std::set<Index> known_divisors_;
  std::unordered_map<const Tensor*, InterpretedBuffer*> buffers_;
  std::unordered_map<const Val*, ScalarValue> scalars_;
  std::string fault_;
  int64_t threads_ = 1, block_ = 0, epoch_ = 0;
  std::unordered_map<const Tensor*, Local> locals_;
  std::unordered_map<const Tensor*, std::vector<SharedElement>> shared_;
  std::map<std::string, std::vector<int64_t>> variables_;
};

}  // namespace nvfuser
