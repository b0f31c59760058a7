// SPDX-License-Identifier: Apache-2.0
// The tape: expressions over sizes flattened into instructions with one slot each; shared parts are computed once.
#include <algorithm>

#include "nvfuser/integer/floor_math.h"
#include "nvfuser/integer/index.h"

namespace nvfuser {

int Tape::emit(Op op, int a, int b, int64_t constant) {
  instructions_.push_back({op, a, b, constant});
  return slot_count() - 1;
}

int Tape::add_atom(const Atom* atom) {
  auto found = atom_memo_.find(atom);
  if (found != atom_memo_.end()) {
    return found->second;
  }
  int slot = -1;
  if (atom->kind == AtomKind::size) {
    const auto known = std::find(inputs_.begin(), inputs_.end(), atom->name);
    slot = emit(Op::input, static_cast<int>(known - inputs_.begin()), 0);
    if (known == inputs_.end()) {
      inputs_.push_back(atom->name);
    }
  } else {
    ensure(atom->a != nullptr, "a tape computes from sizes alone, not from the index ", atom->name);
    const int a = add(atom->a);
    const int b = add(atom->b);
    slot = emit(atom->kind == AtomKind::div ? Op::div : atom->kind == AtomKind::mod ? Op::mod : Op::xor_, a, b);
  }
  atom_memo_[atom] = slot;
  return slot;
}

int Tape::add(Index p) {
  auto found = memo_.find(p);
  if (found != memo_.end()) {
    return found->second;
  }
  int total = -1;
  for (const Term& term : p->terms) {
    int product = -1;
    for (const Atom* atom : term.atoms) {
      const int factor = add_atom(atom);
      product = product < 0 ? factor : emit(Op::mul, product, factor);
    }
    if (product < 0 || term.coefficient != 1) {
      const int coefficient = emit(Op::constant, 0, 0, term.coefficient);
      product = product < 0 ? coefficient : emit(Op::mul, product, coefficient);
    }
    total = total < 0 ? product : emit(Op::add, total, product);
  }
  total = total < 0 ? emit(Op::constant, 0, 0, 0) : total;
  memo_[p] = total;
  return total;
}

void Tape::run(const int64_t* inputs, int64_t* slots) const {
  int64_t* out = slots;
  for (const Instruction& step : instructions_) {
    switch (step.op) {
      case Op::input:
        *out = inputs[step.a];
        break;
      case Op::constant:
        *out = step.constant;
        break;
      case Op::add:
        *out = wrap_add(slots[step.a], slots[step.b]);
        break;
      case Op::mul:
        *out = wrap_mul(slots[step.a], slots[step.b]);
        break;
      case Op::div:
        *out = floor_div(slots[step.a], slots[step.b]);
        break;
      case Op::mod:
        *out = floor_mod(slots[step.a], slots[step.b]);
        break;
      case Op::xor_:
        *out = slots[step.a] ^ slots[step.b];
        break;
    }
    ++out;
  }
}

}  // namespace nvfuser
