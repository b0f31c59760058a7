// SPDX-License-Identifier: Apache-2.0
// Teams of threads and their slots.
#include "nvfuser/lower/teams.h"

#include <algorithm>
#include <array>
#include <bit>

#include "nvfuser/device/generic/combine.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

namespace {

constexpr int64_t kWarp = 32;
constexpr int64_t kSlotAlignment = 16;
constexpr int64_t kPeerArrivals = 16;  ///< bytes behind both halves, which count what has come
constexpr int64_t kWord = 4;
constexpr int kInTurn = 2, kOverlapped = 4;  ///< places of rounds, where one is collected before the next is told, and
                                             ///< where it is not

template <class Combiner>
int64_t bytes_of_tuple() {
  if constexpr (Combiner::kDefined) {
    return sizeof(typename Combiner::Tuple);
  } else {
    return 0;
  }
}

/// In order of reduction.def.
template <class T>
constexpr std::array<int64_t (*)(), kReductionCount> kTupleBytes = {
#define REDUCTION(name, combiner, ...) bytes_of_tuple<rt::combiner<T>>,
#include "nvfuser/ir/reduction.def"
};

struct TypeRow {
  DataType type;
  const std::array<int64_t (*)(), kReductionCount>& bytes;
};

/// Types in which reductions are computed.
const std::array<TypeRow, 9> kTypes = {{
    {DataType::Float, kTupleBytes<rt::float32>},
    {DataType::Double, kTupleBytes<rt::float64>},
    {DataType::Int, kTupleBytes<rt::int64>},
    {DataType::Index, kTupleBytes<rt::int64>},
    {DataType::Int32, kTupleBytes<rt::int32>},
    {DataType::UInt64, kTupleBytes<rt::uint64>},
    {DataType::Bool, kTupleBytes<rt::boolean>},
    {DataType::ComplexFloat, kTupleBytes<rt::complex64>},
    {DataType::ComplexDouble, kTupleBytes<rt::complex128>},
}};

int64_t round_up(int64_t n, int64_t grain) { return (n + grain - 1) / grain * grain; }

/// Bytes of a joined reduction's tuples, of one thread.
int64_t member_bytes(const Join& join, size_t k) {
  const Reduction& reduction = *join.reduces[k]->reduction;
  return join.counts[k] * tuple_bytes(reduction.row, reduction.type);
}

/// What one collective keeps in slots: a part a warp of each team, or one a thread.
int64_t slot_bytes(const Join& join, const TeamShape& team) {
  if (!team.wide()) {
    return 0;
  }
  const int64_t parts = team.lanes ? team.size / kWarp : team.size;
  int64_t bytes = 0;
  for (size_t k = 0; k < join.reduces.size(); ++k) {
    bytes += round_up(parts * team.count * member_bytes(join, k), kSlotAlignment);
  }
  return bytes;
}

void check_blocks(const Join& join, const Program& program) {
  const TeamShape& team = program.teams[join.team];
  check(team.count == 1 && team.lanes && team.size >= program.cluster, ErrorKind::schedule,
        program.apart ? "" : "a cluster of ", program.cluster, " blocks of ", team.count, " teams of ", team.size,
        " threads");
}

/// What one collective tells the blocks of a cluster: a tuple a block.
int64_t peer_bytes(const Join& join, const Program& program) {
  if (!join.cluster || program.apart) {
    return 0;
  }
  check_blocks(join, program);
  int64_t bytes = 0;
  for (size_t k = 0; k < join.reduces.size(); ++k) {
    bytes += round_up(program.cluster * member_bytes(join, k), kSlotAlignment);
  }
  return bytes;
}

/// The same of blocks that are apart, in words.
int64_t far_words(const Join& join, const Program& program) {
  if (!join.cluster || !program.apart) {
    return 0;
  }
  check_blocks(join, program);
  int64_t words = 0;
  for (size_t k = 0; k < join.reduces.size(); ++k) {
    const int64_t bytes = member_bytes(join, k);
    check(bytes / join.counts[k] % kWord == 0, ErrorKind::schedule, "blocks that are apart tell each other ",
          bytes / join.counts[k], " bytes");
    words += bytes / kWord;
  }
  return words;
}

/// The most of all over all collectives.
struct SlotBytes {
  int64_t team = 0, peers = 0, words = 0;
};
void add_slots(const std::vector<Item>& body, const Program& program, SlotBytes& most) {
  for (const Item& item : body) {
    if (const auto* join = std::get_if<Join>(&item.action)) {
      most.team = std::max(most.team, slot_bytes(*join, program.teams[join->team]));
      most.peers = std::max(most.peers, peer_bytes(*join, program));
      most.words = std::max(most.words, far_words(*join, program));
    }
    add_slots(item.body, program, most);
    add_slots(item.otherwise, program, most);
  }
}

/// Two halves at the end of shared memory; where they begin.
int64_t two_halves(Program& program, int64_t half) {
  const int64_t at = program.shared_bytes;
  program.shared_bytes += 2 * half;
  return at;
}

/// Words that are told, each with its round, in as many places as rounds are under way; and one that counts a cluster's
/// blocks.
void place_far(Lowering& state, int64_t words) {
  Program& program = state.program;
  IndexPool& pool = state.pool();
  program.far_words = words;
  program.far_parts = program.ring.stages > 0 ? kOverlapped : kInTurn;
  const int64_t all = 2 * words * program.far_parts * program.cluster + 1;
  program.semaphores = pool.scale(program.grid[0], all);
}

}  // namespace

int64_t tuple_bytes(ReductionOp row, DataType type) {
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& r) { return r.type == type; });
  ensure(known != kTypes.end(), "no reduction is computed in ", name_of(type));
  return known->bytes[static_cast<size_t>(row)]();
}

std::vector<const Id*> reduced_loops(const Tensor& reduce) {
  std::vector<const Id*> loops;
  for (size_t k = 0; k < reduce.loop.size(); ++k) {
    if (reduce.loop[k] != nullptr && reduce.kept_loop[k] == nullptr) {
      loops.push_back(reduce.loop[k]);
    }
  }
  return loops;
}

int team_of(Lowering& state, const Tensor& reduce) {
  std::array<bool, 3> summed{};
  for (const Id* loop : reduced_loops(reduce)) {
    if (is_thread(loop->parallel)) {
      summed[thread_dimension(loop->parallel)] = true;
    }
  }
  IndexPool& pool = state.pool();
  TeamShape team;
  team.rank = team.index = state.constant(0);
  bool adjacent = true;  // what the team spans lies before what it does not
  for (int d = 0; d < 3; ++d) {
    const int64_t extent = state.program.block[d];
    if (extent == 1) {
      continue;
    }
    int64_t& size = summed[d] ? team.size : team.count;
    Index& number = summed[d] ? team.rank : team.index;
    number = pool.add(number, pool.scale(state.program.block_var[d], size));
    size *= extent;
    adjacent = adjacent && (!summed[d] || team.count == 1);
  }
  team.lanes = adjacent && (std::has_single_bit(static_cast<uint64_t>(team.size)) || team.size % kWarp == 0);
  std::vector<TeamShape>& teams = state.program.teams;
  const auto known = std::find(teams.begin(), teams.end(), team);
  if (known != teams.end()) {
    return static_cast<int>(known - teams.begin());
  }
  teams.push_back(team);
  return static_cast<int>(teams.size()) - 1;
}

void place_slots(Lowering& state) {
  Program& program = state.program;
  SlotBytes most;
  add_slots(state.body, program, most);
  program.slot_half_bytes = most.team;
  program.slot_offset = two_halves(program, program.slot_half_bytes);
  program.peer_half_bytes = most.peers;
  program.peer_offset = two_halves(program, program.peer_half_bytes);
  program.shared_bytes += program.cluster > 1 && !program.apart ? kPeerArrivals : 0;
  if (program.apart) {
    place_far(state, most.words);
  }
}

}  // namespace nvfuser
