// SPDX-License-Identifier: Apache-2.0
// Index expressions: canonical polynomials with integer coefficients over atoms, hash-consed in a pool.
// Equal expressions of one pool are equal pointers, so "equal maps" is a pointer comparison.
//
// What proofs may take for granted: a size is >= 1; a var or axis lies in [0, extent); a divisor is > 0.  The exception
// is a stride, a size whose name contains "_s" (such as "in0_s1"): it may be 0 or negative.  So an expression with a
// stride atom is never provably >= 0, nor below anything, unless the stride cancels out; a product of a stride and an
// index has no upper bound; a product of strides and sizes alone is its own upper bound.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nvfuser {

struct IndexNode;
/// A hash-consed index expression; lives as long as its pool.
using Index = const IndexNode*;

enum class AtomKind : uint8_t {
  size,  ///< an extent (>= 0, taken as >= 1 by proofs) or stride known at launch
  var,   ///< a loop, thread or block index: 0 <= var < extent
  axis,  ///< an axis of a tensor or reference, standing for its index: 0 <= axis < extent where tests hold
  div,   ///< a / b, floored, b > 0
  mod,   ///< a % b, b > 0
  xor_,  ///< a ^ b, both >= 0
  data,  ///< what an element of an integer tensor tells: 0 <= data < extent; the element depends on the indices in a
};

/// One irreducible factor.
struct Atom {
  AtomKind kind;
  uint32_t serial;              ///< order of creation in the pool: the order of factors and terms in text
  std::string name;             ///< size, var, axis
  Index extent = nullptr;       ///< var, axis, data: exclusive upper bound
  const void* owner = nullptr;  ///< axis: the object that it stands for, its identity; data: the tensor
  Index a = nullptr;            ///< div, mod, xor_, data
  Index b = nullptr;            ///< div, mod, xor_; data: 0
  bool stride = false;          ///< size: may be 0 or negative; see is_stride
};

/// A size without bounds, known by its name: one that contains "_s".
inline bool is_stride(const Atom& atom) { return atom.stride; }

/// coefficient * product of atoms; atoms sorted by serial, with repetition.
struct Term {
  std::vector<const Atom*> atoms;
  int64_t coefficient;
  bool operator==(const Term&) const = default;
};

/// Sum of terms with distinct, sorted atom products; the constant term comes last; zero has no terms.
struct IndexNode {
  std::vector<Term> terms;
  uint32_t serial;    ///< order of creation in the pool
  uint64_t hash = 0;  ///< of the terms; depends on serials, never on addresses

  bool is_constant() const { return terms.empty() || (terms.size() == 1 && terms[0].atoms.empty()); }
  /// The value of a constant expression (0 for the empty sum).
  int64_t constant() const { return terms.empty() ? 0 : terms[0].coefficient; }
  bool is(int64_t value) const { return is_constant() && constant() == value; }
  /// The single atom when the expression is exactly one atom with coefficient 1, else null.
  const Atom* as_atom() const;
};

/// Owns atoms and expressions.  Coefficients that do not fit 64 bits are an ErrorKind::shape error.
/// Not thread-safe: one pool serves one compilation.
class IndexPool {
 public:
  IndexPool();
  ~IndexPool();
  IndexPool(const IndexPool&) = delete;
  IndexPool& operator=(const IndexPool&) = delete;

  Index constant(int64_t value);
  /// The launch-time size of that name (same name, same atom).
  Index size(std::string_view name);
  /// A loop, thread or block index.  Same name and extent, same atom.
  Index var(std::string_view name, Index extent);
  /// The index of an axis; `owner` is its identity.
  Index axis(const void* owner, std::string_view name, Index extent);
  /// What the tensor `owner` tells at `at`, which holds every index on which its element depends.
  Index data(const void* owner, Index at, Index extent);

  Index add(Index a, Index b);
  Index sub(Index a, Index b);
  Index mul(Index a, Index b);
  Index scale(Index a, int64_t factor);
  /// An unsimplified division, remainder or exclusive-or atom (Algebra simplifies before it asks for one).
  Index opaque(AtomKind kind, Index a, Index b);
  Index from_atom(const Atom* atom);
  Index from_terms(std::vector<Term> terms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Division and remainder with rewriting, and sound, incomplete proofs.  `divisors`: size name -> a number that
/// surely divides it (a Fact).  Results are remembered; copies of an Algebra share what they remember.
/// div and mod of one pair are simplified together: n * div(p, n) + mod(p, n) has the value of p.
class Algebra {
 public:
  explicit Algebra(IndexPool& pool, std::unordered_map<std::string, int64_t> divisors = {});

  Index div(Index p, Index n) const;       ///< floor(p / n), n > 0
  Index mod(Index p, Index n) const;       ///< p - n * floor(p / n), n > 0
  Index ceil_div(Index p, Index n) const;  ///< div(p + n - 1, n)
  Index xor_(Index p, Index q) const;

  /// A number that surely divides p; 0 when p is the constant 0.
  int64_t known_divisor(Index p) const;
  /// An expression over sizes alone that is >= p, or null.
  Index upper(Index p) const;
  bool nonnegative(Index p) const;         ///< is p >= 0 provable?
  bool below(Index p, Index bound) const;  ///< is 0 <= p < bound provable?

  /// Rebuilds p with value(atom) in place of size, var, axis and data atoms (null keeps the atom, of data with its
  /// indices rebuilt), simplifying on the way.
  Index substitute(Index p, const std::function<Index(const Atom&)>& value) const;
  /// (a / n) * n + a % n = a: contiguity of merged axes; ((a / n) % m) * n + a % n = a % (n * m): of some of them.
  Index rejoin(Index p) const;
  /// Rebuild under this algebra's facts, then rejoin.
  Index tidy(Index p) const;

  IndexPool& pool() const { return pool_; }

 private:
  struct Memo;
  struct Division {
    Index quotient, remainder;
  };
  Division divide(Index p, Index n) const;
  Division divide_anew(Index p, Index n) const;
  bool factor_out(Index p, Index n, Division& result) const;
  Division split_lane(Index p, Index n) const;

  int least(const Atom* atom) const;  ///< a lower bound, 0 or 1; -1 when none is known
  bool has_index(Index p) const;      ///< does a var or axis stand in it?
  bool has_index(const Atom* atom) const;
  bool is_exact(const Atom* atom) const;  ///< stands for itself in upper bounds
  Index upper_of_atom(const Atom* atom) const;
  Index upper_of_term(const Term& term) const;
  bool shifted_nonnegative(Index p) const;
  bool prove_nonnegative(Index p) const;

  IndexPool& pool_;
  std::unordered_map<std::string, int64_t> divisors_;
  std::shared_ptr<Memo> memo_;
};

/// Every atom of p, those inside div, mod and xor included, each once, in order of first occurrence.
std::vector<const Atom*> atoms_of(Index p);
/// Value of an expression whose size and var atoms are all bound by `value`.
int64_t evaluate(Index p, const std::function<int64_t(const Atom&)>& value);
/// Text for people and tests, such as "i0*64 + i1 + 3" or "(i0 / 4) % i1".
std::string to_string(Index p);

/// A flat program that computes expressions over sizes; built once, run at every launch without allocation.
/// `add` reads expressions of one pool, which must live until the last `add`; `run` needs no pool.  Division by 0 is 0.
class Tape {
 public:
  /// Appends what computes p and returns the slot of its value.
  int add(Index p);
  /// Names of the sizes read, in the order in which `run` wants their values.
  const std::vector<std::string>& inputs() const { return inputs_; }
  int slot_count() const { return static_cast<int>(instructions_.size()); }
  /// inputs: one value per name of inputs(); slots: room for slot_count() values.
  void run(const int64_t* inputs, int64_t* slots) const;

 private:
  enum class Op : uint8_t { input, constant, add, mul, div, mod, xor_ };
  struct Instruction {
    Op op;
    int a, b;
    int64_t constant;
  };
  std::vector<std::string> inputs_;
  std::vector<Instruction> instructions_;
  int emit(Op op, int a, int b, int64_t constant = 0);
  int add_atom(const Atom* atom);

  std::unordered_map<Index, int> memo_;
  std::unordered_map<const Atom*, int> atom_memo_;
};

}  // namespace nvfuser
