// SPDX-License-Identifier: Apache-2.0
// choose for kernels that reduce rows.
#include <algorithm>
#include <bit>
#include <span>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/work.h"

namespace nvfuser {

int row_blocks(const CandidateList& list, const Params& params) {
  const double wanted = rows_work(list.problem(), params).registers;
  int blocks = list.device().threads_per_sm / params.threads;
  while (blocks > 1 && registers_a_thread(list.device(), params.threads, blocks) < wanted) {
    blocks -= params.peel ? 1 : blocks / 2;
  }
  return std::clamp(blocks, 1, list.device().blocks_per_sm);
}

namespace {

constexpr int64_t kRowLanes = 512, kShortestLanes = 16;  ///< CPU: elements of a row at a time
constexpr int kShared = 128;                             ///< threads of a block that takes several rows
constexpr int64_t kThreadRow = 64;                       ///< bytes of a row that a thread may have to itself
constexpr int64_t kShortestPeeled = 16;                  ///< vectors of a row below which its ends are too much of it
constexpr double kRare = 1.3;                            ///< handicap of kernels beside the usual ones
constexpr double kMaskedTwice = 1.05;  ///< of softmax whose rows are masked for each statistic, in place of both at
                                       ///< once (130561x257, 8190x4097, 8748x12255, H200: 1.10, 1.07, 1.00)

constexpr int kMostOfTwo = 5;    ///< loads a thread of each of two rows
constexpr double kTwoRows = .8;  ///< short rows that share weights and biases: their vectors, which start anywhere,
                                 ///< are moved into place once (layer norm of 130561x257, H200: 49.5 to 46.8 us)

/// Threads that share a row, and loads of each.
struct Team {
  int threads, batch;
};
/// The usual ones, so that a few kernels serve all lengths: each for rows of up to threads * batch vectors.  Where
/// lengths were measured (1,024, 8,192 and 32,768 of 2 bytes, H200) these were within 1 % of the best.
constexpr Team kUsual[] = {{4, 1},   {16, 1},  {32, 2},  {64, 2},  {128, 2},
                           {256, 2}, {512, 2}, {512, 4}, {512, 8}, {1024, 8}};
/// The same for rows of one input that are written: rows of 2,049 to 4,096 leave half of 256 threads idle (softmax of
/// 2584, 3072, 3584 and 4096 columns, H200: .89, .94, .96, .99 of what 256 threads with 2 loads each take).
constexpr Team kUsualWritten[] = {{4, 1},  {16, 1},  {32, 2},  {64, 2},  {128, 2},
                                  {64, 8}, {512, 2}, {512, 4}, {512, 8}, {1024, 8}};
/// The same for rows whose ends are peeled: lengths that are a little more than a power of two are common, and the more
/// of a thread's vectors lie between the ends, the fewer instructions they take (layer norm of 4097 and 9066 columns,
/// cross-entropy of 1589 and 3026, H200: 1.15, 1.12, 1.30, 1.28 of what fewer threads with 4 and 3 loads each reach).
constexpr Team kUsualPeeled[] = {{8, 5},  {8, 9},  {16, 5},  {16, 9},  {32, 5},
                                 {32, 9}, {64, 9}, {128, 9}, {256, 8}, {512, 8}};
/// The same for sums alone, which have registers to spare: a row to two warps (sums of 742, 790, 1982, 2102 and 2251
/// columns, H200: .97 of what a row to a warp takes).
constexpr Team kUsualPeeledSums[] = {{8, 5},  {8, 9},  {16, 5},  {32, 4},  {32, 5},
                                     {64, 4}, {64, 9}, {128, 9}, {256, 8}, {512, 8}};
/// The same for single elements.
constexpr Team kUsualSingle[] = {{8, 1}, {32, 4}, {32, 8}, {128, 8}, {256, 8}, {512, 8}, {1024, 8}};
/// Loads of a thread; peeled rows of a power of two and an end take one more than eight.
constexpr int kBatches[] = {1, 2, 4, 8, 16, 32};
constexpr int kLongestBatch = 8;  ///< of rows that several threads share
/// The first are the usual ones of rows that lie aligned, of peeled ones, and of peeled ones that are read once for
/// statistics which make a thread wait for itself (cross-entropy of 54641 columns, H200: 271 us, 295 with 1,024
/// threads).
constexpr Team kReloaded[] = {{1024, 4}, {1024, 2}, {512, 2}, {1024, 8}, {512, 4}, {512, 8}};

/// One kind of access to rows: all its candidates.
class RowCandidates {
 public:
  RowCandidates(CandidateList& list, Params usual, double handicap)
      : list_(list), usual_(usual), handicap_(handicap), columns_(list.problem().columns) {
    columns_ += usual.peel ? usual.vector - 1 : 0;
  }

  void add_all() {
    const bool single = usual_.vector == 1 && list_.widest_vector() > 1;
    const bool written = !usual_.stream && list_.problem().full_inputs == 1;
    const bool sums = usual_.stream && !list_.problem().streams;
    const std::span<const Team> usual = single         ? std::span<const Team>(kUsualSingle)
                                        : !usual_.peel ? (written ? std::span<const Team>(kUsualWritten) : kUsual)
                                        : sums         ? std::span<const Team>(kUsualPeeledSums)
                                                       : kUsualPeeled;
    const auto first = std::find_if(usual.begin(), usual.end(), [&](const Team& team) { return fits(team); });
    if (first != usual.end()) {
      add(*first, Home::registers, 1);
    }
    for (int threads = 1; threads <= 1024; threads *= 2) {
      const auto batch = std::find_if(std::begin(kBatches), std::end(kBatches),
                                      [&](int count) { return fits({threads, count + (peels_a_few(count) ? 1 : 0)}); });
      if (batch != std::end(kBatches) && (*batch <= kLongestBatch || threads == 1)) {
        add({threads, *batch + (peels_a_few(*batch) ? 1 : 0)}, Home::registers, kRare);
      }
    }
    for (const Team& team : kReloaded) {
      const bool common = first == usual.end() && &team == &kReloaded[!usual_.peel              ? 0
                                                                      : list_.problem().streams ? 2
                                                                                                : 1];
      add(team, Home::reload, common ? 1 : kRare);
    }
  }

 private:
  bool fits(const Team& team) const {
    const bool thread_row = list_.problem().columns * list_.problem().widest_bytes <= kThreadRow;
    return int64_t{team.threads} * team.batch * usual_.vector >= columns_ && (team.threads > 1 || thread_row);
  }

  bool peels_a_few(int batch) const { return usual_.peel && batch == kLongestBatch; }

  void add(const Team& team, Home home, double handicap) {
    Params params = usual_;
    params.batch = team.batch;
    params.home = home;
    params.rows = team.threads <= 32 ? kShared / team.threads : 1;
    params.threads = team.threads * params.rows;
    params.blocks_per_sm = row_blocks(list_, params);
    if (params.peel && home == Home::registers && params.rows > 1 && params.batch <= kMostOfTwo &&
        shared_inputs(list_.problem()) > 1) {
      Params two = params;
      two.unroll = 2;
      two.blocks_per_sm = row_blocks(list_, two);
      list_.add(two, handicap * handicap_ * kTwoRows);
    }
    const bool streams = list_.problem().streams;
    const bool apart = !streams || (home == Home::registers && !params.peel);
    list_.add(params, handicap * handicap_ * (apart ? 1 : home == Home::reload ? kRare : kMaskedTwice));
    if (streams) {
      params.form = Form::streaming;
      params.stream = false;  // cross-entropy 8192x128256 (H200): 1.065 of a copy, 1.023 past the first-level cache
      list_.add(params, handicap * handicap_ * (apart ? kRare : 1));
    }
  }

  CandidateList& list_;
  Params usual_;
  double handicap_;
  int64_t columns_;
};

std::vector<Candidate> gpu_rows(CandidateList& list) {
  const Problem& problem = list.problem();
  const int common = list.common_vector(), widest = list.widest_vector();
  Params usual{.family = Family::rows, .vector = common};
  usual.stream = reads_alone(problem);
  const bool peels = problem.peel >= widest && widest > 1 && problem.columns >= kShortestPeeled * widest;
  RowCandidates(list, usual, common == 1 || common == widest ? (peels ? kRare : 1) : kRare).add_all();
  if (common < widest && problem.peel > common) {
    usual.vector = std::min(widest, problem.peel);
    usual.peel = true;
    RowCandidates(list, usual, peels ? 1 : kRare).add_all();
  }
  if (common > 1 && common < widest && !peels) {
    usual.vector = 1;
    usual.peel = false;
    RowCandidates(list, usual, 1).add_all();
  }
  add_row_shares(list);
  add_ring_rows(list);
  add_shared_rings(list);
  add_cluster_rows(list);
  return list.ranked({.family = Family::rows, .threads = 256});
}

std::vector<Candidate> cpu_rows(CandidateList& list) {
  const int64_t lanes = std::min<int64_t>(
      kRowLanes, std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(kShortestLanes, list.problem().columns))));
  list.add({.family = Family::cpu_rows, .threads = 1, .task = lanes, .piece = row_piece(list.problem())});
  return list.ranked({.family = Family::cpu_rows, .threads = 1, .task = kRowLanes});
}

}  // namespace

std::vector<Candidate> choose_rows(CandidateList& list) { return list.device().gpu ? gpu_rows(list) : cpu_rows(list); }

}  // namespace nvfuser
