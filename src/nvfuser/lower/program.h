// SPDX-License-Identifier: Apache-2.0
// Kernel IR: what lowering hands to the printer and the launcher.  No text of code lives here.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "nvfuser/graph/kernel.h"
#include "nvfuser/schedule/facts.h"
#include "nvfuser/schedule/params.h"

namespace nvfuser {

/// An element of a tensor's buffer: Local, Shared, or (load: the input's, store: the output's) Global.
struct Place {
  const Tensor* tensor = nullptr;  ///< for Global places of loads: the input descriptor
  Index offset = nullptr;          ///< in elements
};

/// Lane k of a vector lies in a row where 0 <= column + k < columns; null: nothing is asked of lanes.
struct Within {
  Index column = nullptr;
  Index columns = nullptr;
  explicit operator bool() const { return column != nullptr; }
};

struct Block;

/// Only the last of the `count` blocks that share semaphore `at` goes on; reached by all threads.
struct Arrive {
  Index at;
  Index count;
};
/// The blocks that share semaphore `at`, all resident at once, wait until blocks have come to it so many times in this
/// launch; reached by all threads.
struct GridSync {
  Index at;
  Index arrivals;
};
/// Behind the last of these; `arrivals` counts them all, and this.
struct GridLeave {
  Index at;
  Index arrivals;
};
/// rt::Array<T, count> name; of a reduction's accumulators, tuples of its combiner.
struct Allocate {
  const Tensor* tensor;
  int64_t count;
  bool accumulators = false;
};
/// The accumulator at `at` becomes neutral.
struct Begin {
  const Tensor* reduce;  ///< the leading part, here and below
  Index at;
};
/// The operands' elements join the accumulator at `at`: `width` consecutive ones of local memory, from multiples of the
/// width on where it is more than 1.  With `counts` (CPU target), only the first min(width, counts...) of them; with
/// `within` (GPU), those inside, one at least.
struct Accumulate {
  const Tensor* reduce;
  Index at;
  std::vector<Place> reads;
  int width = 1;
  std::vector<Index> counts = {};
  Within within = {};
};
/// Every member of a team gets the combination of the members' accumulators, all `counts[k]` of reduction k; reached by
/// all threads.
struct Join {
  std::vector<const Tensor*> reduces;
  std::vector<int64_t> counts;
  int team;              ///< position in Program::teams
  bool cluster = false;  ///< and the blocks of a cluster, which are a team each
  /// Of blocks that are apart: what a block does for the others, and what the others did for it.
  enum class Part : uint8_t { all, tell, collect } part = Part::all;
};
/// Behind all that blocks which are apart tell each other.
struct LeaveFar {};
/// The results at `at` from the accumulator there, of those parts that are read.
struct Finish {
  const Tensor* reduce;
  Index at;
  std::vector<const Tensor*> parts;
};
/// to = what(reads...): `what` is the kernel tensor whose operation is done.  load: reads[0] is the global place;
/// store: `to` is global, reads[0] the value; copy: reads[0]; compute, fill: reads[k] belongs to operands[k], tensor
/// null for scalars; select: reads and conditions parallel to operands, conditions with loop indices put in (those
/// provable left out; the last operand has none); iota: operands[0] + operands[1] * `index`.
struct Assign {
  const Tensor* what;
  Place to;
  std::vector<Place> reads;
  std::vector<std::vector<Test>> conditions;
  Index index = nullptr;
};
/// `width` consecutive elements, both places aligned to width elements; load, store and copy tensors only.  With
/// `counts`, only the first min(width, counts...) of them, past the cache (CPU target).  With
/// `unaligned`, whole 16 bytes of an input that nothing writes, from any element on: an index that differs from that of
/// `from` by a multiple of the width.  `within` (GPU target): one lies inside at least; only those
/// are stored, and what is loaded of others is of no meaning.
struct Move {
  const Tensor* what;
  Place to;
  Place from;
  int width;
  std::vector<Index> counts = {};
  Index unaligned = nullptr;
  Within within = {};
};
/// By one thread: `count` elements of a row leave for the ring's stage of a turn.
struct BulkCopy {
  const Tensor* load;
  Index turn;
  Place to;
  Place from;
  Index count;                ///< elements of the piece, up to `most`; what is below 0 stands for 0
  int64_t most = 0;           ///< 0: `count` is right, and 1 or more
  std::vector<Test> tests{};  ///< without them the piece has no elements
};
/// Until the ring's copies of a turn have arrived.
struct Wait {
  Index turn;
};
/// The number of a row that the block is the one to do: `first` and up, claimed by one thread.
struct Claim {
  Index variable;
  Index first;
  Index rows;
};
/// By one thread: the number of a turn's row goes beside its stage; one that is not below `rows` ends them.
struct Post {
  Index turn;
  Index row;
  Index rows;
};
/// Block-wide barrier.
struct Sync {};
/// for (Index name = 0; name < extent; ++name).  With `limits` the loop ends at min(extent, limits...), which replaces
/// tests; they may be negative.
struct Loop {
  std::string name;
  Index variable;
  Index extent;
  std::vector<Index> limits = {};
  ParallelType parallel;  ///< serial, unroll, vectorize (lanes of the CPU target), unswitch
  std::unique_ptr<Block> body;
  bool claims = false;                     ///< over rows that the block claims, as long as there are some
  std::unique_ptr<Block> later = nullptr;  ///< what else a turn does, when the next one's body is done
};
/// if (all tests) body; else otherwise.  Without tests, a block for what the body declares.
struct Guard {
  std::vector<Test> tests;
  std::unique_ptr<Block> body;
  std::unique_ptr<Block> otherwise;  ///< may be null
};

using Node = std::variant<Allocate, Assign, Move, Begin, Accumulate, Join, Finish, BulkCopy, Wait, Claim, Post, Sync,
                          Arrive, GridSync, GridLeave, LeaveFar, Loop, Guard>;
struct Block {
  std::vector<Node> nodes;
};

/// One parameter of the kernel, in the order of the argument image.
struct Parameter {
  /// semaphores: Int32 words of the kernel's own, 0 before and after each launch.
  enum class Kind : uint8_t { input, output, workspace, semaphores, size, divisor, scalar } kind;
  std::string name;
  DataType dtype = DataType::Null;  ///< buffers, scalar
  int position = -1;                ///< buffers: position in Kernel::inputs / outputs / workspaces
  Index value = nullptr;            ///< size, divisor: evaluated at launch
  const Val* scalar = nullptr;      ///< scalar
  bool written = false;             ///< workspace: by this program
  bool is_buffer() const { return kind <= Kind::semaphores; }
};

/// Which machine a kernel is for.  `gpu` text runs on CUDA and in the emulator, `cpu` text on the host.
enum class Target : uint8_t { gpu, cpu };

struct SharedBuffer {
  const Tensor* tensor;
  int64_t byte_offset;
  int64_t count;  ///< elements
};

/// Threads of a block that differ only in what a reduction sums over.
struct TeamShape {
  int64_t size = 1;    ///< members of a team
  int64_t count = 1;   ///< teams of a block
  bool lanes = false;  ///< members are adjacent threads, their number a power of two or a multiple of 32
  Index rank = nullptr, index = nullptr;  ///< of the thread in its team, of its team
  bool operator==(const TeamShape&) const = default;
  /// Does a collective of the team hold a block-wide barrier?
  bool wide() const { return !lanes || size > 32; }
};

/// Stages of shared memory that take turns, each filled by so many bulk copies a turn; 0: none.  Where rows are
/// claimed, their numbers travel beside them, and the loop over rows waits.
struct RingShape {
  int stages = 0;
  int copies = 0;
  int64_t byte_offset = 0;  ///< into shared memory, of what counts the bytes
  bool claims = false;
  Index turn = nullptr;  ///< its variable, where rows are claimed
};

/// A lowered kernel.  Launch: grid[k] = max(1, value), blocks of block[k] threads; the cpu target has block = 1, 1, 1
/// and runs grid points as tasks.
struct Program {
  std::shared_ptr<Kernel> kernel;
  std::string name;
  Target target;
  Facts facts;
  bool wide = false;  ///< Index is 64 bits
  std::vector<Parameter> parameters;
  std::array<Index, 3> grid{};
  std::array<int64_t, 3> block{1, 1, 1};
  std::array<Index, 3> grid_var{};   ///< bx, by, bz; null where no loop is bound.  Atoms are known by name: loops of
  std::array<Index, 3> block_var{};  ///< different extents bound to one index have different atoms.  tx, ty, tz
  int min_blocks_per_sm = 0;         ///< launch bound; 0: none
  std::vector<std::pair<int, int>>
      aliases;  ///< (input, output) positions written in place: coherent loads, no restrict
  std::vector<SharedBuffer> shared;
  int64_t shared_bytes = 0;
  std::vector<TeamShape> teams;
  int64_t slot_offset = 0;      ///< bytes into shared memory
  int64_t slot_half_bytes = 0;  ///< collectives use two halves by turns; 0: none needs any
  int cluster = 1;              ///< blocks of a cluster, all along y
  bool apart = false;           ///< these are anywhere on the GPU, all clusters at once
  int64_t far_words = 0;        ///< apart: 4 bytes each, that a block tells at once
  int far_parts = 0;            ///< apart: places by turns of what is told
  int64_t peer_offset = 0;      ///< bytes into shared memory
  int64_t peer_half_bytes = 0;  ///< what blocks of a cluster tell each other: two halves by turns
  RingShape ring;
  bool has_barrier = false;
  Index semaphores = nullptr;             ///< how many words; null: none
  bool cooperative = false;               ///< all blocks are resident at once
  bool waits = false;                     ///< may start before the kernel in front of it has ended
  bool releases = false;                  ///< lets the kernel behind it start early
  std::unordered_set<const Atom*> wraps;  ///< remainders of numbers below twice their divisor
  Block body;
};

}  // namespace nvfuser
