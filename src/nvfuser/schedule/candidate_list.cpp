// SPDX-License-Identifier: Apache-2.0
// Ranking: by estimated time; among equals (1 %) by taste.
#include "nvfuser/schedule/candidate_list.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <tuple>

#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

namespace {

constexpr int kWidestBytes = 32;    ///< of one buffer in a thread's vector
constexpr int kHeldBytes = 256;     ///< of all buffers together
constexpr double kSpillLimit = 24;  ///< bytes a thread that cost little
constexpr double kEqual = 1.01;     ///< estimates that measurements do not tell apart

/// Threads of a block that forms are simplest with: 1024 for rows in pieces, 512 for rows in registers, else 256, so
/// that blocks that wait for each other are many (norms of 133x1048576, layer norm of 1469x85432, H200).
int usual_threads(const Params& p) {
  const bool waits = p.home == Home::registers && (p.blocks > 1 || p.cluster > 1);
  return p.family != Family::rows || waits ? 256 : p.home == Home::reload && p.blocks == 1 ? 1024 : 512;
}

}  // namespace

int64_t power_above(int64_t n) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(1, n))));
}

int64_t round_down(int64_t n) {
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, n))));
  return power + power / 2 <= n ? power + power / 2 : power;
}

int64_t round_up(int64_t n) {
  const int64_t power = power_above(n);
  return power > 2 && power / 4 * 3 >= n ? power / 4 * 3 : power;
}

void CandidateList::add(const Params& params, double handicap) {
  if (std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.params == params; })) {
    return;
  }
  const Estimate e = estimate(problem_, params, device_);
  entries_.push_back({params, e.total, e.spill, e.total * handicap});
}

int CandidateList::widest_vector() const {
  int vector = 16 / problem_.narrowest_bytes;
  int bytes = 0;
  for (const ProblemBuffer& buffer : problem_.buffers) {
    bytes += is_full(problem_, buffer) ? buffer.element_bytes : 0;
  }
  while (vector > 1 && (vector * problem_.widest_bytes > kWidestBytes || vector * bytes > kHeldBytes)) {
    vector /= 2;
  }
  return vector;
}

int CandidateList::common_vector(int ProblemBuffer::* widest, const bool* other) const {
  int vector = widest_vector();
  for (const ProblemBuffer& buffer : problem_.buffers) {
    const bool counts = is_full(problem_, buffer) && buffer.*widest > 0 && (other == nullptr || buffer.other == *other);
    vector = counts ? std::min(vector, buffer.*widest) : vector;
  }
  return vector;
}

int CandidateList::blocks(int threads, int wanted) const {
  return std::max(1, std::min(wanted, device_.threads_per_sm / threads));
}

/// Simple forms first: rows as they lie, no ring or one of fewer stages, fewer vectors a thread, large tiles (rows of
/// 256 bytes: 0.939 of a copy against 0.889 with 128 for relu + transpose 16384x8192 of 2 bytes on an H200), the usual
/// threads, more blocks.
bool CandidateList::simpler(const Entry& a, const Entry& b) {
  const auto distance = [](const Params& p) {
    const auto width = [](int n) { return static_cast<int>(std::bit_width(static_cast<unsigned>(n))); };
    return std::abs(width(p.threads) - width(usual_threads(p)));
  };
  const auto key = [&](const Entry& e) {
    const int batch = e.params.family == Family::rows ? 0 : e.params.batch;
    return std::tuple(e.params.peel, e.params.cluster, e.params.stages, e.params.form, batch, -e.params.tile,
                      distance(e.params), -e.params.blocks_per_sm, e.ranked_as);
  };
  return key(a) < key(b);
}

std::vector<Candidate> CandidateList::ranked() {
  if (entries_.empty()) {
    return {};
  }
  const bool some_fit =
      std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.spill <= kSpillLimit; });
  if (some_fit) {
    std::erase_if(entries_, [](const Entry& e) { return e.spill > kSpillLimit; });
  }
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.ranked_as < b.ranked_as; });
  const double limit = entries_.front().ranked_as * kEqual;
  auto worse = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.ranked_as > limit; });
  std::stable_sort(entries_.begin(), worse, simpler);
  std::vector<Candidate> list;
  for (const Entry& entry : entries_) {
    list.push_back({entry.params, entry.microseconds});
  }
  return list;
}

std::vector<Candidate> CandidateList::ranked(const Params& last) {
  std::vector<Candidate> list = ranked();
  if (list.empty() || list.back().params != last) {
    list.push_back({last, estimate(problem_, last, device_).total});
  }
  return list;
}

}  // namespace nvfuser
