// SPDX-License-Identifier: Apache-2.0
// Facts as numbers to compare.
#include "nvfuser/schedule/facts_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nvfuser/schedule/addresses.h"

namespace nvfuser {

bool needs_wide(const Kernel& kernel, const SizeOf& value) {
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  for (const Reference& reference : kernel.references) {
    double space = 1;
    for (const Id* loop : reference.loops) {
      space *= static_cast<double>(std::max<int64_t>(1, evaluate(loop->extent, value)));
    }
    if (space > kMost) {
      return true;
    }
  }
  for (const Tensor* access : kernel.tensors) {
    if (access->op != TensorOp::load && access->op != TensorOp::store) {
      continue;
    }
    double range = 1;
    for (const Allocation::Dim& dim : buffer_of_access(kernel, *access).allocation->dims) {
      range += static_cast<double>(std::max<int64_t>(0, evaluate(dim.extent, value) - 1)) *
               std::abs(static_cast<double>(evaluate(dim.stride, value)));
    }
    if (range > kMost) {
      return true;
    }
  }
  return false;
}

FactsCheck::FactsCheck(const Kernel& kernel, const Facts& facts)
    : kernel_(kernel),
      wide_(facts.wide),
      divisors_(facts.divisors.begin(), facts.divisors.end()),
      least_(facts.least.begin(), facts.least.end()),
      same_(facts.same.begin(), facts.same.end()) {
  for (const Transform& transform : kernel.transforms) {
    const auto known = [&](const auto& pair) {
      return pair.first == transform.inputs[0]->extent && pair.second == transform.factor;
    };
    if (transform.kind == Transform::Kind::split && !transform.inputs[0]->extent->is_constant() &&
        facts.divides(transform) && std::none_of(exact_.begin(), exact_.end(), known)) {
      exact_.emplace_back(transform.inputs[0]->extent, transform.factor);
    }
  }
  ensure(exact_.size() == facts.exact.size(), "every exact split is a split of the kernel");
  for (const Reference& reference : kernel.references) {
    fits_.insert(fits_.end(), reference.fits.begin(), reference.fits.end());
  }
  const auto add = [&](const std::vector<Tensor*>& buffers, bool output) {
    for (size_t k = 0; k < buffers.size(); ++k) {
      if (const auto found = facts.alignment.find(buffers[k]->name); found != facts.alignment.end()) {
        aligned_.push_back({output, k, found->second});
      }
    }
  };
  add(kernel.inputs, false);
  add(kernel.outputs, true);
}

void FactsCheck::require(const SizeValues& sizes, const Alignments& alignments) const {
  check(holds(sizes, alignments), ErrorKind::schedule, "the schedule's preconditions do not hold for these sizes");
}

bool FactsCheck::holds(const SizeValues& sizes, const Alignments& alignments) const {
  const SizeOf value = [&sizes](const Atom& atom) { return sizes.at(atom.name); };
  const auto divides = [&](const auto& split) {
    const int64_t extent = evaluate(split.first, value);
    return extent > 0 && extent % evaluate(split.second, value) == 0;
  };
  const auto is_aligned = [&](const Aligned& wanted) {
    const std::vector<int64_t>& bytes = wanted.output ? alignments.outputs : alignments.inputs;
    return bytes.at(wanted.position) % wanted.bytes == 0;
  };
  return std::all_of(aligned_.begin(), aligned_.end(), is_aligned) &&
         std::all_of(divisors_.begin(), divisors_.end(),
                     [&](const auto& f) { return sizes.at(f.first) > 0 && sizes.at(f.first) % f.second == 0; }) &&
         std::all_of(least_.begin(), least_.end(), [&](const auto& f) { return sizes.at(f.first) >= f.second; }) &&
         std::all_of(same_.begin(), same_.end(),
                     [&](const auto& f) { return sizes.at(f.first) == sizes.at(f.second); }) &&
         std::all_of(exact_.begin(), exact_.end(), divides) &&
         std::all_of(fits_.begin(), fits_.end(),
                     [&](const Fit& fit) { return evaluate(fit.extent, value) <= evaluate(fit.bound, value); }) &&
         (wide_ || !needs_wide(kernel_, value));
}

}  // namespace nvfuser
