// SPDX-License-Identifier: Apache-2.0
// The way of one group from maps to kernel IR.
#include "nvfuser/runtime/group_compiler.h"

#include <algorithm>
#include <unordered_set>

#include "nvfuser/base/dump.h"
#include "nvfuser/base/options.h"
#include "nvfuser/graph/instantiate.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/runtime/origin.h"

namespace nvfuser {
namespace {

std::unique_ptr<Kernel> instantiate_group(const GroupCall& call) {
  InstantiateRequest request;
  request.fusion = call.fusion;
  request.outputs = call.group.outputs;
  request.inputs = call.group.inputs;
  request.output_layouts = call.output_layouts;
  request.input_layouts = call.input_layouts;
  return instantiate(request);
}

void bind_strides(const Tensor& buffer, const std::vector<int64_t>& strides, SizeValues& sizes) {
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    const std::string name = buffer.name + "_s" + std::to_string(axis);
    sizes[name] = strides[axis];
  }
}

/// The device that runs the text of a target.
Target check_target(const DeviceProps& device, Target target) {
  ensure(device.gpu == (target == Target::gpu), "device properties do not fit the target");
  return target;
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
  }
}

}  // namespace

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

SizeValues bind_sizes(const Kernel& kernel, const GroupCall& call, ScalarBinding& binding) {
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
    bind_strides(*kernel.inputs[k], call.input_strides[k], sizes);
  }
  for (size_t k = 0; k < kernel.outputs.size(); ++k) {
    bind_strides(*kernel.outputs[k], call.output_strides[k], sizes);
  }
  return sizes;
}

namespace {

/// A kind of facts, as the option `withhold` names it.
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
Facts allowed(Facts facts) {
  const std::vector<std::string> withheld = options().withhold;
  for (const FactKind& kind : kFactKinds) {
    if (std::find(withheld.begin(), withheld.end(), kind.name) != withheld.end()) {
      kind.drop(facts);
    }
  }
  return facts;
}

/// The first candidate that lowers.
LoweredGroup lower_candidates(const GroupCall& call, ScalarBinding& binding, const DeviceProps& device, Target target,
                              const std::string& name) {
  check_target(device, target);
  std::unique_ptr<Kernel> kernel = instantiate_group(call);
  const SizeValues sizes = bind_sizes(*kernel, call, binding);
  const std::vector<Candidate> candidates = choose(summarize(*kernel, sizes, call.alignments), device);
  std::string refused;
  const size_t first = std::min<size_t>(options().candidate, candidates.size() - 1);
  for (size_t k = first; k < candidates.size(); ++k) {
    const Params& params = candidates[k].params;
    if (k > first) {
      kernel = instantiate_group(call);
    }
    try {
      apply(*kernel, params);
      LowerRequest request;
      request.facts = allowed(derive_facts(*kernel, sizes, call.alignments));
      request.kernel = std::move(kernel);
      request.name = name;
      request.target = target;
      request.min_blocks_per_sm = params.blocks_per_sm;
      request.aliases = call.aliases;
      LoweredGroup lowered{lower(request), params, sizes};
      dump(DumpStage::params, name + ": " + params.text() + " (" + std::to_string(candidates[k].microseconds) +
                                  " us estimated); facts: " + lowered.program.facts.text() + "\n");
      if (dump_enabled(DumpStage::kernel)) {
        dump(DumpStage::kernel, to_string(lowered.program));
      }
      return lowered;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::schedule) {
        throw;
      }
      refused = error.what();
    }
  }
  fail(ErrorKind::schedule, "no schedule fits ", name, ": ", refused);
}

}  // namespace

LoweredGroup lower_group(const GroupCall& call, ScalarBinding& binding, const DeviceProps& device, Target target,
                         const std::string& name) {
  const TimedScope timed("schedule and lower " + name);
  try {
    return lower_candidates(call, binding, device, target, name);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + origin_text(name, call.group));
  }
}

}  // namespace nvfuser
