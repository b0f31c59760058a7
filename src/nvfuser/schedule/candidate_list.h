// SPDX-License-Identifier: Apache-2.0
// The list of candidates that the families of choose fill, each with its estimate, and its ranking.
#pragma once

#include <vector>

#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

/// First architectures (compute capability * 10) whose kernels start before the one in front has ended; that have bulk
/// copies; that have clusters.
inline constexpr int kEarlyStarts = 90, kBulkCopies = 90, kClusters = 90;

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
/// The least power of two that is n or more, from 1 on.
int64_t power_above(int64_t n);
/// The next power of two, or three halves of one, from 1 on: numbers of blocks that few kernels serve.
int64_t round_down(int64_t n);
int64_t round_up(int64_t n);

class CandidateList {
 public:
  /// Both outlive the list.
  CandidateList(const Problem& problem, const DeviceProps& device) : problem_(problem), device_(device) {}

  const Problem& problem() const { return problem_; }
  const DeviceProps& device() const { return device_; }

  /// Estimates a candidate that is not in the list yet.  It is ranked as if it took `handicap` times as long: kernels
  /// that few sizes have in common have to be so much faster.
  void add(const Params& params, double handicap = 1);
  /// Widest vector for registers: the narrowest type fills 16 bytes unless the others grow too large with it.
  int widest_vector() const;
  /// The widest vector that all full-size buffers (of one side, if `other` says which) allow.
  int common_vector(int ProblemBuffer::* widest = &ProblemBuffer::max_vector, const bool* other = nullptr) const;
  /// Blocks an SM: older devices hold fewer threads.
  int blocks(int threads, int wanted) const;

  /// By estimated time; among equals by taste.
  std::vector<Candidate> ranked();
  /// The same; `last` cannot fail and ends the list.
  std::vector<Candidate> ranked(const Params& last);

 private:
  struct Entry {
    Params params;
    double microseconds = 0;
    double spill = 0;
    double ranked_as = 0;
  };
  static bool simpler(const Entry& a, const Entry& b);

  const Problem& problem_;
  const DeviceProps& device_;
  std::vector<Entry> entries_;
};

/// Is next to nothing written, but results of reductions?
inline bool reads_alone(const Problem& problem) {
  constexpr double kReadOnly = .02;
  return problem.written < kReadOnly;
}
/// Candidates of problems that reduce.
std::vector<Candidate> choose_rows(CandidateList& list);
/// As many blocks an SM as registers allow without spills: as the compiler likes it, kernels of rows take more of them.
int row_blocks(const CandidateList& list, const Params& params);
/// Adds those in which several blocks share a row.
void add_row_shares(CandidateList& list);
/// Adds those in which a cluster holds a row that one block cannot.
void add_cluster_rows(CandidateList& list);
/// Adds candidates in which blocks stay and take rows that come by a ring in shared memory.
void add_ring_rows(CandidateList& list);
/// Adds the same where teams of blocks share a row.
void add_shared_rings(CandidateList& list);
/// Are rows pieces of memory that bulk copies bring whole, in vectors of that width, on a device that has them?
/// `peel`: with what lies around them in aligned memory.
bool comes_whole(const CandidateList& list, int vector, bool peel = false);
/// CPU: elements of a row that a task takes, by the sizes alone; 0 where a row is one task.
int64_t row_piece(const Problem& problem);
/// The same where the innermost axis is kept.
std::vector<Candidate> choose_columns(CandidateList& list);
/// The same where rows are reduced along them and across them; empty where two kernels do that in less time.
std::vector<Candidate> choose_mixed(CandidateList& list);

}  // namespace nvfuser
