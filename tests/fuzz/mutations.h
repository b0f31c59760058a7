// SPDX-License-Identifier: Apache-2.0
// Defects that a lowering could have, put into a lowered program one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

enum class Defect : uint8_t { no_barrier, no_guard, no_test, shifted_index, swapped_strides, no_begin, no_join };
inline constexpr std::array<const char*, 7> kDefectNames = {
    "barrier removed",     "guard dropped",         "one test dropped", "index shifted by one",
    "two strides swapped", "accumulator not begun", "join removed"};

/// Puts the defect at its n-th site; false when there are fewer.
class Mutation {
 public:
  Mutation(Program& program, Defect defect, int site) : program_(program), defect_(defect), left_(site) {}
  bool apply() {
    walk(program_.body);
    return done_;
  }
  /// Why the defect cannot change what a run stores; empty where it can.
  const std::string& why_harmless() const { return harmless_; }

 private:
  /// Is this the site?
  bool here() { return !done_ && left_-- == 0 && (done_ = true); }

  void walk(Block& block) {
    for (size_t k = 0; k < block.nodes.size() && !done_; ++k) {
      if (removes(block.nodes[k]) && here()) {
        block.nodes.erase(block.nodes.begin() + static_cast<std::ptrdiff_t>(k));
        return;
      }
      if (defect_ == Defect::no_guard && std::holds_alternative<Guard>(block.nodes[k]) && here()) {
        note_harmless(*std::get<Guard>(block.nodes[k]).body);
        unwrap(block, k);
        return;
      }
      visit(block.nodes[k]);
    }
  }

  bool removes(const Node& node) const {
    return (defect_ == Defect::no_barrier && std::holds_alternative<Sync>(node)) ||
           (defect_ == Defect::no_begin && std::holds_alternative<Begin>(node)) ||
           (defect_ == Defect::no_join && std::holds_alternative<Join>(node));
  }

  static void unwrap(Block& block, size_t at) {
    const std::unique_ptr<Block> body = std::move(std::get<Guard>(block.nodes[at]).body);
    const auto place = block.nodes.erase(block.nodes.begin() + static_cast<std::ptrdiff_t>(at));
    block.nodes.insert(place, std::make_move_iterator(body->nodes.begin()), std::make_move_iterator(body->nodes.end()));
  }

  /// Values of a thread that are computed where they need not be do no harm while their reads stay in bounds.
  void note_harmless(const Block& guarded) {
    if (stays_in_thread(guarded)) {
      harmless_ = "it guards nothing but values of the thread, which are stored under tests of their own";
    }
  }

  static bool stays_in_thread(const Block& block) {
    return std::all_of(block.nodes.begin(), block.nodes.end(), [](const Node& node) {
      const auto is_local = [](const Place& to) { return to.tensor->memory == MemoryType::local; };
      if (const auto* loop = std::get_if<Loop>(&node)) {
        return stays_in_thread(*loop->body);
      }
      if (const auto* guard = std::get_if<Guard>(&node)) {
        return stays_in_thread(*guard->body) && (!guard->otherwise || stays_in_thread(*guard->otherwise));
      }
      if (const auto* assign = std::get_if<Assign>(&node)) {
        return is_local(assign->to);
      }
      if (const auto* move = std::get_if<Move>(&node)) {
        return is_local(move->to);
      }
      return std::holds_alternative<Allocate>(node);
    });
  }

  void visit(Node& node) {
    if (auto* loop = std::get_if<Loop>(&node)) {
      walk(*loop->body);
    } else if (auto* guard = std::get_if<Guard>(&node)) {
      visit_guard(*guard);
    } else if (auto* assign = std::get_if<Assign>(&node)) {
      visit(assign->to);
      for (Place& read : assign->reads) {
        visit(read);
      }
    } else if (auto* move = std::get_if<Move>(&node)) {
      visit(move->to);
      visit(move->from);
      visit(move->within);
    } else if (auto* accumulate = std::get_if<Accumulate>(&node)) {
      visit(accumulate->within);
      for (Place& read : accumulate->reads) {
        visit(read);
      }
    }
  }

  void visit_guard(Guard& guard) {
    for (size_t k = 0; defect_ == Defect::no_test && guard.tests.size() > 1 && k < guard.tests.size(); ++k) {
      if (here()) {
        note_harmless(*guard.body);
        guard.tests.erase(guard.tests.begin() + static_cast<std::ptrdiff_t>(k));
        return;
      }
    }
    walk(*guard.body);
    if (guard.otherwise) {
      walk(*guard.otherwise);
    }
  }

  void visit(Place& place) {
    if (place.offset == nullptr) {
      return;  // a scalar
    }
    IndexPool& pool = *program_.kernel->pool;
    if (defect_ == Defect::shifted_index && here()) {
      place.offset = pool.add(place.offset, pool.constant(1));
    } else if (defect_ == Defect::swapped_strides) {
      swap_strides(place);
    }
  }

  void visit(Within& row) {
    IndexPool& pool = *program_.kernel->pool;
    if (row && defect_ == Defect::shifted_index && here()) {
      row.column = pool.add(row.column, pool.constant(1));
    }
  }

  /// An index term as what varies and its stride.
  struct Strided {
    std::vector<const Atom*> index;
    Index stride;
  };

  Strided strided(const Term& term) const {
    IndexPool& pool = *program_.kernel->pool;
    Strided parts{{}, pool.constant(term.coefficient)};
    for (const Atom* atom : term.atoms) {
      if (atom->kind == AtomKind::size) {
        parts.stride = pool.mul(parts.stride, pool.from_atom(atom));
      } else {
        parts.index.push_back(atom);
      }
    }
    return parts;
  }

  Index product(const Strided& parts, Index stride) const {
    IndexPool& pool = *program_.kernel->pool;
    for (const Atom* atom : parts.index) {
      stride = pool.mul(stride, pool.from_atom(atom));
    }
    return stride;
  }

  void swap_strides(Place& place) {
    IndexPool& pool = *program_.kernel->pool;
    for (size_t k = 1; k < place.offset->terms.size(); ++k) {
      const Strided a = strided(place.offset->terms[k - 1]), b = strided(place.offset->terms[k]);
      if (a.index.empty() || b.index.empty() || a.stride == b.stride || !here()) {
        continue;
      }
      const Index old = pool.add(product(a, a.stride), product(b, b.stride));
      place.offset = pool.add(pool.sub(place.offset, old), pool.add(product(a, b.stride), product(b, a.stride)));
      return;
    }
  }

  Program& program_;
  Defect defect_;
  int left_;
  bool done_ = false;
  std::string harmless_;
};

}  // namespace nvfuser
