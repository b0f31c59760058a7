// SPDX-License-Identifier: Apache-2.0
// Lowering is the table of passes below; each leaves its product in Lowering for those behind it.
#include "nvfuser/lower/lower.h"

#include <string_view>

#include "nvfuser/lower/alias_check.h"
#include "nvfuser/lower/allocation.h"
#include "nvfuser/lower/barriers.h"
#include "nvfuser/lower/collectives.h"
#include "nvfuser/lower/common_tests.h"
#include "nvfuser/lower/dimensions.h"
#include "nvfuser/lower/folds.h"
#include "nvfuser/lower/guards.h"
#include "nvfuser/lower/lane_masks.h"
#include "nvfuser/lower/lane_remainders.h"
#include "nvfuser/lower/loop_groups.h"
#include "nvfuser/lower/lowering.h"
#include "nvfuser/lower/meetings.h"
#include "nvfuser/lower/memory_check.h"
#include "nvfuser/lower/nest.h"
#include "nvfuser/lower/overlapped_turns.h"
#include "nvfuser/lower/parameters.h"
#include "nvfuser/lower/ring.h"
#include "nvfuser/lower/staged_stores.h"
#include "nvfuser/lower/statements.h"
#include "nvfuser/lower/teams.h"
#include "nvfuser/lower/unswitch_copies.h"
#include "nvfuser/lower/vector_moves.h"
#include "nvfuser/lower/whole_turns.h"

namespace nvfuser {

namespace {

/// Names by position: equal kernels have equal text.
void name_tensors(Lowering& state) {
  const std::optional<int> phase = state.request.phase;
  for (size_t k = 0; k < state.kernel.tensors.size(); ++k) {
    Tensor& t = *state.kernel.tensors[k];
    t.name = t.op == TensorOp::store ? t.name : "T" + std::to_string(k);
    if (!phase || t.phase == *phase) {
      state.tensors.push_back(&t);
    }
  }
  state.consumers = consumer_table(state.kernel);
}

struct Pass {
  std::string_view name;
  void (*run)(Lowering&);
  std::string_view why_here;
};

constexpr Pass kPasses[] = {
    {"names", name_tensors, "messages of all others name tensors"},
    {"loop groups", group_loops, "everything below asks which loops are one"},
    {"dimensions", set_dimensions, "tests and barriers depend on the launch"},
    {"meetings", set_meetings, "who writes alone depends on them"},
    {"memory", check_memory, "before memory is laid out for a value that cannot arrive"},
    {"allocation", allocate, "offsets need layouts"},
    {"ring", find_ring, "its bytes stand behind the shared buffers; orders operations"},
    {"aliases", check_aliases, "refused before any work; needs the launch for the single writer"},
    {"operations", list_operations, "knows the aliases that order loads before stores"},
    {"nest", build_nest, "orders operations before anything is said of their text"},
    {"statements", make_statements, "index and predicate need the loops of the nest only by name"},
    {"whole turns", part_turns, "before tests of lanes are those of vectors"},
    {"masks", mask_lanes, "before moves of fewer lanes, whose tests are no longer those of a row"},
    {"moves", form_moves, "needs offsets, tests, and a loop with a single statement"},
    {"folds", form_folds, "before tests are split off, and where no loop of lanes is left to accumulate"},
    {"collectives", join_collectives, "before barriers are counted: one serves several joins"},
    {"barriers", insert_barriers, "tests still stand at single statements, so all threads reach every place"},
    {"slots", place_slots, "collectives are known, and the shared buffers that stand before them"},
    {"copies", copy_unswitched, "no barrier may stand in a copy"},
    {"moves of copies", form_moves, "a full copy has lost the tests that kept its lanes apart"},
    {"folds of copies", form_folds, "as their moves"},
    {"lane remainders", share_remainders, "only lanes that no move took need single indices"},
    {"common tests", share_tests, "a guard stands around neighbours with equal tests"},
    {"guards", form_guards, "no guard may close around a barrier"},
    {"staged stores", stage_stores, "needs loops whose tests became limits"},
    {"overlapped turns", overlap_turns, "parts of a turn are what stands between its statements"},
    {"parameters", collect_parameters, "last: names what the body names"},
};

}  // namespace

Program lower(const LowerRequest& request) {
  Program program;
  program.kernel = request.kernel;
  program.name = request.name;
  program.target = request.target;
  program.facts = request.facts;
  program.wide = request.facts.wide;
  program.min_blocks_per_sm = request.min_blocks_per_sm;
  Lowering state(request, program);
  for (const Pass& pass : kPasses) {
    pass.run(state);
  }
  return program;
}

}  // namespace nvfuser
