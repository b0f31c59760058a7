// SPDX-License-Identifier: Apache-2.0
// The state that the passes of lowering share: what each pass leaves for those behind it.
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "nvfuser/lower/lower.h"

namespace nvfuser {

/// What an operation of a tensor does.  A reduction's main is to accumulate; state allocates its accumulators.  Loads
/// of a ring are filled before the first turn and ahead in each (where rows are claimed, with their numbers); the main
/// of one of them is to wait for all.  Meet is no tensor's: there blocks of a grid meet, between two phases; nor is
/// leave, behind all that the kernel does.
enum class Role : uint8_t { alloc, state, begin, main, join, finish, fill, claim, post, meet, leave };
/// Begin and finish stand in loops of their own each: those that the reduction keeps.
inline bool is_result(Role role) { return role == Role::begin || role == Role::finish; }
/// Something for begin and for finish.
template <class T>
struct OfResult {
  T begin, finish;
  T& at(Role role) { return role == Role::begin ? begin : finish; }
  const T& at(Role role) const { return role == Role::begin ? begin : finish; }
};

/// Loops that are one loop in the kernel: (tensor, position) united along the inline relation.
struct LoopGroup {
  Id* loop = nullptr;  ///< of the members that depend on it; null when none does
  std::string name;    ///< of the loop variable, unique in the kernel
};

/// One action of one tensor.
struct Operation {
  Tensor* tensor;
  Role role;
  std::vector<int> path;   ///< groups of the real serial loops around it, outermost first
  std::vector<int> after;  ///< operations that come first
  int turn = 0;            ///< fill, post, meet: which one
  int piece = 0;           ///< fill: which of the turn's rows
  bool ahead = false;      ///< so many after the turn that it stands in
};

/// An access of shared memory: which loop each thread index stands for, as far as the tensor depends on it.
struct Access {
  const Tensor* tensor;
  std::array<const Id*, 3> binding{};
  bool write;
  bool first_thread = false;  ///< by the first thread alone
  auto operator<=>(const Access&) const = default;
};

using Action = std::variant<std::monostate, Allocate, Assign, Move, Begin, Accumulate, Join, Finish, BulkCopy, Wait,
                            Claim, Post, Arrive, GridSync, GridLeave>;

/// Loads that bulk copies bring, a row a turn.
struct Ring {
  std::vector<Tensor*> loads;
  const Id* loop = nullptr;  ///< of turns, or of rows that are claimed
  Index turn = nullptr;      ///< its variable
  Index row = nullptr;       ///< of the loop of claimed rows; null: none are
  Index claimed = nullptr;   ///< the row that is claimed in a turn
};

/// A node of the nest before guards are formed.
struct Item {
  enum class Kind : uint8_t { step, loop, sync, branch } kind = Kind::sync;
  // step
  int operation = -1;
  Action action;
  std::vector<Test> tests;
  std::vector<Access> accesses;
  bool barrier = false;                ///< holds a block-wide barrier
  std::vector<const Tensor*> arrives;  ///< what was written to them is there for all threads from here on
  // loop
  std::string name;
  Index variable = nullptr;
  Index extent = nullptr;
  ParallelType parallel = ParallelType::serial;
  bool scope = false;  ///< one of several loops that declare the same: even one point of it is a block of its own
  std::vector<Item> body;
  // branch: body where `tests` hold, else
  std::vector<Item> otherwise;
};

struct Lowering {
  Lowering(const LowerRequest& r, Program& p)
      : request(r), kernel(*r.kernel), program(p), algebra(r.facts.algebra(*r.kernel->pool)) {}

  const LowerRequest& request;
  Kernel& kernel;
  Program& program;
  Algebra algebra;  ///< knows the facts

  std::vector<Tensor*> tensors;  ///< of the phases that the program does
  std::unordered_map<const Tensor*, std::vector<Tensor*>> consumers;
  // ---- loop_groups
  using GroupsOf = std::unordered_map<const Tensor*, std::vector<int>>;
  GroupsOf group_of;                 ///< per loop of the tensor's reference
  OfResult<GroupsOf> result_groups;  ///< the same around a reduction's result
  std::vector<LoopGroup> groups;
  // ---- dimensions
  std::array<std::vector<Index>, 3> grid_extents;  ///< distinct extents bound to a block index
  // ---- meetings
  Arrive arrival{};               ///< of the blocks that share states
  std::array<bool, 3> arrives{};  ///< dimensions of the grid in which these differ
  // ---- allocation
  std::unordered_map<const Tensor*, Allocation> layouts;  ///< of every tensor that is not global
  std::unordered_map<const Tensor*, int64_t> counts;      ///< elements
  // ---- ring
  Ring ring;
  // ---- operations, nest
  std::vector<Operation> operations;
  std::vector<Item> body;
  // ---- index_values
  using ValuesOf = std::unordered_map<const Tensor*, std::unordered_map<const Id*, Index>>;
  ValuesOf values;                   ///< index of an id at a tensor
  OfResult<ValuesOf> result_values;  ///< at a reduction's result

  IndexPool& pool() const { return *kernel.pool; }
  Index constant(int64_t value) const { return pool().constant(value); }
  const std::vector<int>& groups_at(const Tensor& t, Role role) const {
    return is_result(role) ? result_groups.at(role).at(&t) : group_of.at(&t);
  }
};

inline constexpr std::array<const char*, 3> kBlockNames = {"bx", "by", "bz"};
inline constexpr std::array<const char*, 3> kThreadNames = {"tx", "ty", "tz"};

inline int block_dimension(ParallelType t) { return static_cast<int>(t) - static_cast<int>(ParallelType::grid_x); }
inline int thread_dimension(ParallelType t) { return static_cast<int>(t) - static_cast<int>(ParallelType::block_x); }
inline bool is_bound(ParallelType t) { return is_block(t) || is_thread(t); }
/// The loops around a role's operation.
inline const std::vector<Id*>& loops_at(const Tensor& t, Role role) { return is_result(role) ? t.kept_loop : t.loop; }
/// Is this a loop of the text for the operations inside?
inline bool is_foreign_loop(const LoopGroup& group) {
  return group.loop != nullptr && !is_bound(group.loop->parallel) && !group.loop->extent->is(1);
}

}  // namespace nvfuser
