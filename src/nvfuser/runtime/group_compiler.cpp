// SPDX-License-Identifier: Apache-2.0
// The way of one group from maps to kernel IR.
#include "nvfuser/runtime/group_compiler.h"

#include <algorithm>
#include <unordered_set>

#include "nvfuser/base/dump.h"
#include "nvfuser/base/options.h"
#include "nvfuser/graph/instantiate.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"
#include "nvfuser/runtime/origin.h"

namespace nvfuser {
namespace {

void bind_strides(const Tensor& buffer, const std::vector<int64_t>& strides, SizeValues& sizes) {
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    const std::string name = buffer.name + "_s" + std::to_string(axis);
    sizes[name] = strides[axis];
  }
}

void collect_ops(const Val* value, const std::unordered_set<const Val*>& sources, std::unordered_set<const Val*>& seen,
                 std::vector<std::string_view>& ops) {
  if (!value->definition() || !seen.insert(value).second) {
    return;
  }
  for (const Val* operand : value->definition()->inputs()) {
    if (!sources.contains(operand)) {
      collect_ops(operand, sources, seen, ops);
    }
  }
  if (value->definition()->kind() == ExprKind::pointwise) {
    ops.push_back(info(value->definition()->attribute<PointwiseOp>(0)).name);
  } else if (value->definition()->kind() == ExprKind::reduce) {
    ops.push_back(name_of(value->definition()->attribute<ReductionOp>(0)));
  }
}

}  // namespace

std::unique_ptr<Kernel> instantiate_group(const GroupCall& call) {
  InstantiateRequest request;
  request.fusion = call.fusion;
  request.outputs = call.group.outputs;
  request.inputs = call.group.inputs;
  request.output_layouts = call.output_layouts;
  request.input_layouts = call.input_layouts;
  return instantiate(request);
}

std::string kernel_name(const Group& group) {
  std::unordered_set<const Val*> sources(group.inputs.begin(), group.inputs.end()), seen;
  std::vector<std::string_view> ops;
  for (const TensorView* output : group.outputs) {
    collect_ops(output, sources, seen, ops);
  }
  constexpr size_t kNamed = 4;
  std::string name = "nvf";
  for (size_t k = 0; k < std::min(ops.size(), kNamed); ++k) {
    name += '_';
    name += ops[k];
  }
  if (ops.size() > kNamed) {
    name += "_and_" + std::to_string(ops.size() - kNamed);
  }
  return ops.empty() ? "nvf_copy" : name;
}

SizeValues bind_sizes(const Kernel& kernel, const GroupMemory& memory, ScalarBinding& binding) {
  SizeValues sizes;
  for (const auto& [extent, index] : kernel.extents) {
    const Atom* atom = index->as_atom();
    const int64_t value = binding.integer(extent);
    if (index->is_constant()) {
      ensure(value == index->constant(), "sizes were checked: ", *extent, " is ", value, ", not ", index->constant());
    } else if (atom && atom->kind == AtomKind::size) {
      const auto [place, fresh] = sizes.emplace(atom->name, value);
      ensure(fresh || place->second == value, "sizes were checked: ", *extent, " is ", value, ", but ", atom->name,
             " is ", place->second);
    }
  }
  for (size_t k = 0; k < kernel.inputs.size(); ++k) {
    bind_strides(*kernel.inputs[k], memory.input_strides[k], sizes);
  }
  for (size_t k = 0; k < kernel.outputs.size(); ++k) {
    bind_strides(*kernel.outputs[k], memory.output_strides[k], sizes);
  }
  return sizes;
}

namespace {

/// A kind of facts, as the option `withhold` names it; that tiles divide is the first, divisors of
/// sizes the second.
struct FactKind {
  std::string_view name;
  void (*drop)(Facts&);
};
constexpr FactKind kFactKinds[] = {
    {"exact", [](Facts& facts) { facts.exact.clear(); }},
    {"divisors", [](Facts& facts) { facts.divisors.clear(); }},
    {"alignment", [](Facts& facts) { facts.alignment.clear(); }},
    {"narrow", [](Facts& facts) { facts.wide = true; }},
};

/// Without what the option withholds.  A kernel serves every call whose facts include its own, so any may be dropped.
/// Vectors of peeled rows are aligned whatever divides the sizes.
Facts allowed(Facts facts, Made made, bool peeled) {
  const std::vector<std::string> withheld = options().withhold;
  for (const FactKind& kind : kFactKinds) {
    const bool dropped = made == Made::for_all ||
                         (made == Made::for_accesses && (&kind == kFactKinds || (peeled && &kind == kFactKinds + 1)));
    if (dropped || std::find(withheld.begin(), withheld.end(), kind.name) != withheld.end()) {
      kind.drop(facts);
    }
  }
  return facts;
}

}  // namespace

std::vector<Program> lower_phases(LowerRequest request, const std::string& name) {
  std::vector<Program> programs;
  const int count = phase_count(*request.kernel);
  const bool together = request.finish == GridFinish::last || request.finish == GridFinish::barrier;
  for (int phase = 0; phase < (together ? 1 : count); ++phase) {
    request.name = phase == 0 ? name : name + "_then" + std::to_string(phase);
    request.phase = together || count == 1 ? std::nullopt : std::optional<int>(phase);
    programs.push_back(lower(request));
    programs.back().waits = request.finish == GridFinish::dependent && phase > 0;
    programs.back().releases = request.finish == GridFinish::dependent && phase + 1 < count;
  }
  return programs;
}

namespace {

/// A precondition: the grid has no more blocks than are resident at once.
void keep_resident(const Program& program, int blocks) {
  Kernel& kernel = *program.kernel;
  Index grid = kernel.pool->constant(1);
  for (const Index extent : program.grid) {
    grid = kernel.pool->mul(grid, extent);
  }
  kernel.main().fits.push_back({grid, kernel.pool->constant(blocks)});
}

LoweredGroup lower_candidate(const GroupCall& call, const GroupTarget& target, const SizeValues& sizes,
                             const Alignments& alignments, const Candidate& candidate, Made made) {
  std::unique_ptr<Kernel> kernel = instantiate_group(call);
  apply(*kernel, candidate.params);
  LowerRequest request;
  request.facts = allowed(derive_facts(*kernel, sizes, alignments), made, candidate.params.peel);
  FactsCheck(*kernel, request.facts).require(sizes, alignments);
  request.kernel = std::move(kernel);
  request.target = target.target;
  request.min_blocks_per_sm = candidate.params.blocks_per_sm;
  request.aliases = call.aliases;
  request.finish = candidate.params.finish;
  std::vector<Program> programs = lower_phases(request, target.name);
  if (programs.front().cooperative) {
    keep_resident(programs.front(), target.device.sms * std::max(1, candidate.params.blocks_per_sm));
  }
  LoweredGroup lowered{std::move(programs), candidate.params, FactsCheck(*request.kernel, request.facts)};
  lowered.check.require(sizes, alignments);
  dump(DumpStage::params, target.name + ": " + candidate.params.text() + " (" + std::to_string(candidate.microseconds) +
                              " us estimated); facts: " + request.facts.text() + "\n");
  for (const Program& program : lowered.programs) {
    if (dump_enabled(DumpStage::kernel)) {
      dump(DumpStage::kernel, to_string(program));
    }
  }
  return lowered;
}

LoweredGroup lower_first(const GroupCall& call, const GroupTarget& target, const SizeValues& sizes,
                         const Alignments& alignments, const std::vector<Candidate>& candidates, Made made) {
  std::string refused;
  for (const Candidate& candidate : candidates) {
    try {
      return lower_candidate(call, target, sizes, alignments, candidate, made);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::schedule) {
        throw;
      }
      refused = error.what();
    }
  }
  fail(ErrorKind::schedule, "no schedule fits ", target.name, ": ", refused);
}

}  // namespace

LoweredGroup lower_group(const GroupCall& call, const GroupTarget& target, const SizeValues& sizes,
                         const Alignments& alignments, const std::vector<Candidate>& candidates, Made made) {
  ensure(target.device.gpu == (target.target == Target::gpu), "device properties do not fit the target");
  const TimedScope timed("schedule and lower " + target.name);
  try {
    return lower_first(call, target, sizes, alignments, candidates, made);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + origin_text(target.name, call.group));
  }
}

}  // namespace nvfuser
