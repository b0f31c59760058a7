// SPDX-License-Identifier: Apache-2.0
// choose for rows: decisions for known devices, and against what was measured.
#include <map>

#include "nvfuser/schedule/estimate.h"
#include "row_cases.h"

namespace nvfuser {
namespace {

Problem problem_of(const char* program, const Sizes& sizes, DataType type = DataType::BFloat16) {
  const KernelCase test = row_case(row_program(program), sizes, type);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  return summarize(*kernel, size_values(test, *kernel), all_aligned(*kernel));
}

std::vector<Candidate> ranked(const char* program, const Sizes& sizes) {
  return choose(problem_of(program, sizes), known_device("H200"));
}

/// Generated kernels on an H200, as share of a copy of the same bytes (2026-11-21, all candidates with launch bounds).
struct Measured {
  const char* program;
  Sizes sizes;
  int threads, batch, blocks;
  Home home;
  double share;
};
const Measured kMeasured[] = {
    {"sum", {16384, 8192}, 512, 2, 4, Home::registers, .945},
    {"sum", {16384, 8192}, 512, 4, 0, Home::reload, .942},
    {"sum", {16384, 8192}, 256, 4, 8, Home::registers, .900},
    {"sum", {16384, 8192}, 128, 8, 8, Home::registers, .897},
    {"softmax", {131072, 1024}, 64, 2, 16, Home::registers, .975},
    {"softmax", {131072, 1024}, 32, 4, 8, Home::registers, .967},
    {"softmax", {16384, 8192}, 256, 4, 4, Home::registers, .958},
    {"softmax", {16384, 8192}, 512, 2, 4, Home::registers, .951},
    {"softmax", {16384, 8192}, 128, 8, 8, Home::registers, .928},
    {"softmax", {4096, 32768}, 512, 8, 2, Home::registers, .937},
    {"softmax", {4096, 32768}, 1024, 4, 0, Home::reload, .883},
    {"softmax", {4096, 32768}, 1024, 4, 2, Home::registers, .716},
    {"RMS norm", {131072, 1024}, 64, 2, 16, Home::registers, .967},
    {"RMS norm", {131072, 1024}, 128, 1, 16, Home::registers, .970},
    {"RMS norm", {16384, 8192}, 512, 2, 4, Home::registers, .942},
    {"RMS norm", {16384, 8192}, 256, 4, 4, Home::registers, .939},
    {"RMS norm", {16384, 8192}, 128, 8, 8, Home::registers, .933},
    {"RMS norm", {4096, 32768}, 512, 8, 2, Home::registers, .944},
    {"RMS norm", {4096, 32768}, 1024, 4, 0, Home::reload, .931},
    {"RMS norm", {4096, 32768}, 512, 4, 0, Home::reload, .746},
    {"layer norm", {16384, 8192}, 512, 2, 4, Home::registers, .948},
    {"layer norm", {16384, 8192}, 128, 8, 8, Home::registers, .941},
    {"layer norm", {16384, 8192}, 256, 4, 4, Home::registers, .937},
    {"layer norm", {4096, 32768}, 512, 8, 2, Home::registers, .933},
    {"layer norm", {4096, 32768}, 1024, 4, 0, Home::reload, .874},
    {"layer norm", {4096, 32768}, 512, 4, 0, Home::reload, .720},
};

bool is(const Params& params, const Measured& row) {
  return params.threads == row.threads && params.batch == row.batch && params.home == row.home && params.rows == 1 &&
         params.form == Form::resident;
}

/// What was measured is among the candidates, and the first of those in the list is within 2 % of the best of them.
TEST(ChooseRows, TakesWhatWasFastest) {
  std::map<std::pair<std::string, Sizes>, std::vector<const Measured*>> cases;
  for (const Measured& row : kMeasured) {
    cases[{row.program, row.sizes}].push_back(&row);
  }
  for (const auto& [what, rows] : cases) {
    double best = 0, first = 0;
    for (const Candidate& candidate : ranked(what.first.c_str(), what.second)) {
      for (const Measured* row : rows) {
        if (is(candidate.params, *row)) {
          first = first == 0 ? row->share : first;
        }
      }
    }
    for (const Measured* row : rows) {
      best = std::max(best, row->share);
    }
    EXPECT_GE(first, .98 * best) << what.first << " " << what.second[1];
  }
}

std::string first(const char* program, const Sizes& sizes) { return ranked(program, sizes)[0].params.text(); }

TEST(ChooseRows, H200) {
  EXPECT_EQ(first("sum", {16384, 8192}), "rows threads=512 batch=2 vector=8 blocks=4 stream=1 home=registers");
  EXPECT_EQ(first("softmax", {131072, 1024}), "rows threads=64 batch=2 vector=8 blocks=32 home=registers");
  EXPECT_EQ(first("softmax", {16384, 8192}), "rows threads=512 batch=2 vector=8 blocks=4 home=registers");
  EXPECT_EQ(first("softmax", {4096, 32768}), "rows threads=512 batch=8 vector=8 blocks=2 home=registers");
  EXPECT_EQ(first("RMS norm", {131072, 1024}), "rows threads=64 batch=2 vector=8 blocks=32 home=registers");
  EXPECT_EQ(first("RMS norm", {16384, 8192}), "rows threads=512 batch=2 vector=8 blocks=4 home=registers");
  EXPECT_EQ(first("RMS norm", {4096, 32768}), "rows threads=512 batch=8 vector=8 blocks=2 home=registers");
  EXPECT_EQ(first("layer norm", {131072, 1024}), "rows threads=64 batch=2 vector=8 blocks=32 home=registers");
  EXPECT_EQ(first("layer norm", {16384, 8192}), "rows threads=512 batch=2 vector=8 blocks=4 home=registers");
  EXPECT_EQ(first("layer norm", {4096, 32768}), "rows threads=512 batch=8 vector=8 blocks=2 home=registers");
  EXPECT_EQ(first("logsumexp", {8192, 128256}),
            "rows threads=1024 batch=4 vector=8 blocks=2 home=reload form=streaming");
  EXPECT_EQ(first("softmax", {1 << 20, 64}), "rows threads=128 batch=2 vector=8 blocks=16 rows=32 home=registers");
  EXPECT_EQ(first("softmax", {1 << 20, 16}), "rows threads=128 batch=2 vector=8 blocks=16 rows=128 home=registers");
}

/// The fastest of those that were measured, or within 4 % of it.
TEST(ChooseRows, RowsBetweenPowersOfTwoOfH200) {
  EXPECT_EQ(first("softmax", {33650, 2584}), "rows threads=64 batch=8 vector=8 blocks=16 home=registers");
  EXPECT_EQ(first("sum", {28546, 2984}), "rows threads=256 batch=2 vector=8 blocks=8 stream=1 home=registers");
  EXPECT_EQ(first("sum", {136631, 742}),
            "rows threads=128 batch=4 vector=8 blocks=12 rows=4 peel=1 stream=1 home=registers");
  EXPECT_EQ(first("sum", {45475, 2251}), "rows threads=64 batch=9 vector=8 blocks=16 peel=1 stream=1 home=registers");
  EXPECT_EQ(first("logsumexp", {10378, 54641}),
            "rows threads=512 batch=2 vector=8 blocks=4 peel=1 home=reload form=streaming");
  // Two rows of a thread share weights and biases, which are the same for both where they start at one place.
  EXPECT_EQ(first("layer norm", {130561, 257}),
            "rows threads=128 batch=5 vector=8 blocks=6 rows=16 unroll=2 peel=1 home=registers");
  EXPECT_EQ(first("layer norm", {1605, 44801}),
            "rows threads=256 batch=6 vector=8 blocks=3 unroll=2 peel=1 cluster=4 home=registers");
  EXPECT_EQ(first("RMS norm", {1750, 54211}),
            "rows threads=256 batch=4 vector=8 blocks=4 unroll=2 peel=1 cluster=8 home=registers");
  EXPECT_EQ(first("layer norm", {261, 128255}),
            "rows threads=256 batch=8 vector=8 blocks=2 unroll=2 peel=1 cluster=8 home=registers");
  EXPECT_EQ(first("layer norm", {2382, 29443}),
            "rows threads=256 batch=4 vector=8 blocks=4 unroll=2 peel=1 cluster=4 home=registers");
}

/// The fastest of all candidates where all were measured; softmax 133x131072 was 25.9 microseconds, the next one 28.1.
TEST(ChooseRows, FewLongRowsOfH200) {
  const std::string cluster = "rows threads=256 batch=8 vector=8 blocks=4 cluster=8 home=registers";
  EXPECT_EQ(first("softmax", {133, 1 << 17}), cluster);
  EXPECT_EQ(first("RMS norm", {133, 1 << 17}), cluster);
  EXPECT_EQ(first("layer norm", {133, 1 << 17}), cluster);
  const std::string teams = "rows threads=256 batch=8 vector=8 blocks=4 share=64 grid=8 finish=barrier home=registers";
  EXPECT_EQ(first("RMS norm", {133, 1 << 20}),
            "rows threads=256 batch=4 vector=8 blocks=4 share=128 stages=3 grid=4 finish=barrier home=shared");
  for (const int64_t rows : {7, 133}) {
    EXPECT_EQ(first("layer norm", {rows, 1 << 20}),
              "rows threads=256 batch=8 vector=8 blocks=2 share=64 stages=3 grid=4 finish=barrier home=shared");
  }
  EXPECT_EQ(first("softmax", {7, 1 << 20}), teams + " form=streaming");
  for (const Candidate& candidate : ranked("softmax", {3, 1 << 16})) {
    EXPECT_LE(candidate.params.grid, 3) << "a team for each row: " << candidate.params.text();
  }
  EXPECT_EQ(first("softmax", {1, 1 << 20}),
            "rows threads=512 batch=2 vector=8 blocks=4 share=128 finish=dependent home=reload form=streaming");
  // A cluster holds rows for a second pass; blocks that count themselves in take long over little.
  for (const int64_t rows : {1, 7}) {
    EXPECT_EQ(first("sum", {rows, 1 << 17}),
              "rows threads=1024 batch=4 vector=8 blocks=2 share=4 finish=dependent home=reload");
  }
  EXPECT_EQ(first("sum", {133, 1 << 20}),
            "rows threads=1024 batch=4 vector=8 blocks=2 share=32 finish=dependent home=reload");
}

}  // namespace
}  // namespace nvfuser
