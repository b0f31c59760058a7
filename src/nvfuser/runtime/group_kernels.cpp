// SPDX-License-Identifier: Apache-2.0
// Which kernel of a group serves a call.  All of them give the same bits, so the choice is about time alone.
#include "nvfuser/runtime/group_kernels.h"

#include <algorithm>
#include <limits>

#include "nvfuser/base/options.h"
#include "nvfuser/schedule/estimate.h"

namespace nvfuser {
namespace {

/// A kernel that is there may take this much longer than the best candidate.
constexpr double kTolerance = 1.1;
/// 64-bit indices where 32 bits do: more than the tolerance, so they do not serve small sizes for long.
constexpr double kWideLoss = 1.2;
/// Kernels made for particular sizes; then whatever there is serves, or one kernel without facts.
constexpr size_t kSpecialised = 6;
constexpr double kLongCall = 10;  ///< microseconds
/// Candidates of which each takes the place of one that spills.
constexpr int kTries = 3;

/// The problem as a kernel sees it that moves no wider vectors than those it was made for.
Problem as_seen(Problem problem, const Problem& made_for) {
  for (size_t k = 0; k < problem.buffers.size(); ++k) {
    ProblemBuffer& buffer = problem.buffers[k];
    buffer.max_vector = std::min(buffer.max_vector, made_for.buffers[k].max_vector);
    buffer.max_vector_tile = std::min(buffer.max_vector_tile, made_for.buffers[k].max_vector_tile);
  }
  return problem;
}

/// Rows that fill their teams need no tests, but that is seen in long calls alone.
Made made_of_rows(const Problem& problem, const Candidate& best) {
  const Params& params = best.params;
  const int64_t wave = int64_t{params.threads} / params.rows * params.vector * params.batch;
  const bool rows = params.family == Family::rows && params.blocks == 1 && params.stages == 0;
  const bool gains = best.microseconds >= kLongCall && problem.columns % wave == 0;
  return rows && !gains ? Made::for_accesses : Made::for_call;
}

}  // namespace

bool spills(const GroupKernel& kernel) {
  const Options& now = options();  // a schedule that was asked for stays
  return now.candidate == 0 && kernel.module != nullptr && kernel.local_bytes >= static_cast<int64_t>(now.spill_limit);
}

GroupKernels::GroupKernels(GroupCall call, const DeviceProps& device, Target target, std::string name)
    : call_(std::move(call)),
      device_(device),
      target_(target),
      name_(std::move(name)),
      base_(instantiate_group(call_)),
      summary_(*base_) {}

double GroupKernels::expected(const GroupKernel& kernel, const Problem& problem, const SizeValues& sizes) const {
  const double time = estimate(as_seen(problem, kernel.made_for), kernel.lowered.params, device_).total;
  const bool loses =
      kernel.lowered.programs.front().wide &&
      !needs_wide(*kernel.lowered.programs.front().kernel, [&](const Atom& atom) { return sizes.at(atom.name); });
  return loses ? time * kWideLoss : time;
}

GroupKernels::Found GroupKernels::best_of_known(const Problem& problem, const SizeValues& sizes,
                                                const Alignments& alignments) const {
  Found best{nullptr, std::numeric_limits<double>::infinity()};
  for (const std::shared_ptr<GroupKernel>& kernel : kernels_) {
    if (kernel->lowered.check.holds(sizes, alignments)) {
      const double time = expected(*kernel, problem, sizes);
      best = time < best.microseconds ? Found{kernel, time} : best;
    }
  }
  return best;
}

std::shared_ptr<GroupKernel> GroupKernels::of_params(const Params& params, const SizeValues& sizes,
                                                     const Alignments& alignments, Made made) const {
  const auto found = std::find_if(kernels_.begin(), kernels_.end(), [&](const auto& kernel) {
    return kernel->asked == params && (kernel->made == made || made == Made::for_accesses) &&
           kernel->lowered.check.holds(sizes, alignments);
  });
  return found != kernels_.end() ? *found : nullptr;
}

std::shared_ptr<GroupKernel> GroupKernels::make(const Problem& problem, const SizeValues& sizes,
                                                const Alignments& alignments, const std::vector<Candidate>& candidates,
                                                Made made) {
  try {
    const GroupTarget target{device_, target_, name_};
    LoweredGroup lowered = lower_group(call_, target, sizes, alignments, candidates, made);
    kernels_.push_back(std::make_shared<GroupKernel>(
        GroupKernel{std::move(lowered), problem, candidates.front().params, made, nullptr}));
    return kernels_.back();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::schedule) {
      refused_ = error;
    }
    throw;
  }
}

/// Where the first ones all spill, the one that does so least.
std::shared_ptr<GroupKernel> GroupKernels::best_without_spills(const Problem& problem, const SizeValues& sizes,
                                                               const Alignments& alignments,
                                                               std::vector<Candidate> candidates) {
  std::shared_ptr<GroupKernel> least;
  for (int k = 0; k < kTries && !candidates.empty(); ++k) {
    const Made made = made_of_rows(problem, candidates.front());
    const std::shared_ptr<GroupKernel> same = of_params(candidates.front().params, sizes, alignments, made);
    if (same == nullptr) {
      return make(problem, sizes, alignments, candidates, made);
    }
    if (!spills(*same)) {
      return same;
    }
    least = least == nullptr || same->local_bytes < least->local_bytes ? same : least;
    candidates.erase(candidates.begin());
  }
  return least;
}

std::shared_ptr<GroupKernel> GroupKernels::pick(const SizeValues& sizes, const Alignments& alignments) {
  if (refused_) {
    throw Error(*refused_);
  }
  const Problem problem = summary_.at(sizes, alignments);
  std::vector<Candidate> candidates = choose(problem, device_);
  check(!candidates.empty(), ErrorKind::schedule, name_, ": reductions along rows and across them are kernels apart");
  if (const size_t first = std::min<size_t>(options().candidate, candidates.size() - 1); first > 0) {
    candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(first));
    return make(problem, sizes, alignments, candidates, Made::for_call);
  }
  if (reduces(*base_)) {
    return best_without_spills(problem, sizes, alignments, std::move(candidates));
  }
  const Found known = best_of_known(problem, sizes, alignments);
  const bool full = kernels_.size() >= kSpecialised;
  if (known.kernel != nullptr && (full || known.microseconds <= kTolerance * candidates.front().microseconds)) {
    return known.kernel;
  }
  if (full) {
    candidates.erase(candidates.begin(), candidates.end() - 1);
  }
  return make(problem, sizes, alignments, candidates, full ? Made::for_all : Made::for_call);
}

void GroupKernels::drop_uncompiled() {
  std::erase_if(kernels_, [](const auto& kernel) { return kernel->module == nullptr; });
}

}  // namespace nvfuser
