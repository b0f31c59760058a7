// SPDX-License-Identifier: Apache-2.0
// choose: snapshots of decisions and estimates for known devices; the estimate against measured and fitted figures.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "nvfuser/schedule/estimate.h"

namespace nvfuser {
namespace {

constexpr int kAny = 16;  ///< elements side by side: more than any vector takes

/// Builds Problems as summarize does.
class Case {
 public:
  Case(int64_t points, double issue, double special) {
    problem_.points = problem_.run = points;
    problem_.issue = issue;
    problem_.special = special;
  }
  Case& in(int bytes, int64_t elements, int vector = kAny) {
    return buffer({bytes, elements, false, vector, vector, false});
  }
  Case& out(int bytes, int64_t elements, int vector = kAny) {
    return buffer({bytes, elements, true, vector, vector, false});
  }
  Case& turned_in(int bytes, int64_t elements, int vector = kAny) {
    return buffer({bytes, elements, false, 0, vector, true});
  }
  Case& run(int64_t elements) {
    problem_.run = elements;
    return *this;
  }
  Case& tiles(int64_t inner, int64_t other) {
    problem_.transposed = true;
    problem_.inner = inner;
    problem_.other = other;
    return *this;
  }

  operator Problem() const {
    Problem p = problem_;
    double written = 0;
    p.narrowest_bytes = 16;
    p.widest_bytes = 0;
    for (const ProblemBuffer& b : p.buffers) {
      const double bytes = static_cast<double>(b.elements) * b.element_bytes;
      p.bytes += bytes;
      written += b.output ? bytes : 0;
      if (is_full(p, b)) {
        p.full_inputs += !b.output;
        p.narrowest_bytes = std::min(p.narrowest_bytes, b.element_bytes);
        p.widest_bytes = std::max(p.widest_bytes, b.element_bytes);
      }
    }
    p.written = p.bytes > 0 ? written / p.bytes : 1;
    if (p.widest_bytes == 0) {
      p.narrowest_bytes = p.widest_bytes = 4;
    }
    p.place = 16 / p.narrowest_bytes;
    return p;
  }

 private:
  Case& buffer(const ProblemBuffer& b) {
    problem_.buffers.push_back(b);
    return *this;
  }
  Problem problem_;
};

Case bias_gelu() {
  const int64_t n = int64_t{16384} * 8192;
  return Case(n, 95, 16).in(2, n).in(2, 8192).out(2, n).run(8192);
}
Case silu_mul() {
  const int64_t n = int64_t{16384} * 14336;
  return Case(n, 80, 16).in(2, n).in(2, n).out(2, n);
}
Case scale_bias_relu() {
  const int64_t n = int64_t{64} * 56 * 56 * 256;
  return Case(n, 45, 0).in(2, n).in(2, 256).in(2, 256).out(2, n).run(256);
}
Case add_permute() {
  const int64_t n = int64_t{16} * 1024 * 32 * 128;
  return Case(n, 40, 0).in(2, n).in(2, n).out(2, n).run(128);
}
Case relu_transpose() {
  const int64_t n = int64_t{16384} * 8192;
  return Case(n, 34, 0).turned_in(2, n).out(2, n).tiles(16384, 8192).run(16384);
}
Case copy(int64_t mib) {
  const int64_t n = mib << 19;
  return Case(n / 2, 8, 0).in(2, n / 2).out(2, n / 2);
}

std::string first(const Problem& problem, const char* device) {
  return choose(problem, known_device(device))[0].params.text();
}

TEST(Estimate, FlatRowOfTheFit) {
  // gelu(x + b), 16384 x 8192, bf16: the terms with which the constants were fitted, in ns; 132.0 us less 2.5 us of
  // write-back that the clock of those measurements adds.
  const Params params{.threads = 256, .batch = 1, .vector = 8, .blocks_per_sm = 8};
  const Estimate e = estimate(bias_gelu(), params, known_device("H200"));
  EXPECT_NEAR(e.resident, 8, 0);
  EXPECT_NEAR(e.tiles, 65538, 655);
  EXPECT_NEAR(e.life, 987, 10);
  EXPECT_NEAR(e.memory, 246, 2.5);
  EXPECT_NEAR(e.issue, 126, 1.3);
  EXPECT_NEAR(e.special, 165, 1.7);
  EXPECT_NEAR(e.period, 251, 2.5);
  EXPECT_NEAR(e.stream, 124.8, 1.2);
  EXPECT_NEAR(e.tail, .5, .05);
  EXPECT_NEAR(e.total, 132.0 - 2.5, 1.3);
}

/// Times of hand-written flat kernels on an H200 by a clock that adds 2.53 us.
struct Measured {
  const char* what;
  Problem problem;
  int threads, batch, blocks;
  double microseconds;
};

TEST(Estimate, MeasuredFlatKernels) {
  const Measured rows[] = {
      {"gelu", bias_gelu(), 256, 1, 8, 131.0},
      {"gelu, 128 threads", bias_gelu(), 128, 1, 12, 129.2},
      {"scale, bias, relu", scale_bias_relu(), 256, 1, 8, 53.4},
      {"copy of 256 MiB", copy(512), 256, 1, 8, 129.6},
  };
  for (const Measured& row : rows) {
    const Params params{.threads = row.threads, .batch = row.batch, .vector = 8, .blocks_per_sm = row.blocks};
    EXPECT_NEAR(estimate(row.problem, params, known_device("H200")).total + 2.53, row.microseconds,
                .05 * row.microseconds)
        << row.what;
  }
}

TEST(Choose, H200) {
  EXPECT_EQ(first(bias_gelu(), "H200"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(silu_mul(), "H200"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(scale_bias_relu(), "H200"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(add_permute(), "H200"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(relu_transpose(), "H200"), "tile threads=256 batch=1 vector=8 other=8 blocks=4 tile=128");
}

TEST(Choose, OtherGpus) {
  EXPECT_EQ(first(bias_gelu(), "A100"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(silu_mul(), "A100"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(relu_transpose(), "A100"), "tile threads=256 batch=1 vector=8 other=8 blocks=4 tile=128");
  EXPECT_EQ(first(bias_gelu(), "B200"), "flat threads=256 batch=2 vector=8 blocks=8");
  EXPECT_EQ(first(silu_mul(), "B200"), "flat threads=256 batch=1 vector=8 blocks=8");
  EXPECT_EQ(first(bias_gelu(), "RTX5090"), "flat threads=256 batch=1 vector=8 blocks=6");
}

TEST(Choose, Cpu) {
  EXPECT_EQ(first(bias_gelu(), "CPU"), "cpu_flat task=8192 stream=1");
  EXPECT_EQ(first(silu_mul(), "CPU"), "cpu_flat task=262144 stream=1");
  EXPECT_EQ(first(scale_bias_relu(), "CPU"), "cpu_flat task=256 stream=1");
  EXPECT_EQ(first(relu_transpose(), "CPU"), "cpu_tile tile=64");
  EXPECT_EQ(first(Case(1000, 20, 0).in(4, 1000).out(4, 1000), "CPU"), "cpu_flat task=16384");
}

TEST(Choose, TinyOddAndEmpty) {
  EXPECT_EQ(first(Case(1000, 20, 0).in(4, 1000).out(4, 1000), "H200"), "flat threads=256 batch=1 vector=4 blocks=8");
  EXPECT_EQ(first(Case(1, 20, 0).in(4, 1, 0).out(4, 1, 0), "H200"), "flat threads=256 batch=1 vector=4 blocks=8");
  EXPECT_EQ(first(Case(0, 20, 0).in(4, 0).out(4, 0), "H200"), "flat threads=256 batch=1 vector=4 blocks=8");
  EXPECT_EQ(first(Case(0, 0, 0), "CPU"), "cpu_flat task=16384");
  // An odd number of elements: single elements, more of them in flight.
  const int64_t odd = 12345677;
  EXPECT_EQ(first(Case(odd, 40, 0).in(2, odd, 1).in(2, odd, 1).out(2, odd, 1), "H200"),
            "flat threads=256 batch=4 vector=1 blocks=8");
}

TEST(Choose, VectorsFitTypesAndRegisters) {
  const int64_t n = 1 << 24;
  EXPECT_EQ(choose(Case(n, 30, 0).in(4, n).out(2, n), known_device("H200"))[0].params.vector, 8)
      << "the narrow type fills 16 bytes";
  EXPECT_EQ(choose(Case(n, 30, 0).in(8, n).out(1, n), known_device("H200"))[0].params.vector, 4)
      << "32 bytes of the wide type";
  EXPECT_EQ(choose(Case(n, 30, 0).in(4, n).out(4, n), known_device("H200"))[0].params.vector, 4);
  EXPECT_EQ(choose(Case(n, 30, 0).in(2, n, 4).out(2, n, 4), known_device("H200"))[0].params.vector, 4)
      << "8-byte alignment";
  EXPECT_EQ(choose(Case(n, 30, 0).in(2, n).in(2, n, 0).out(2, n), known_device("H200"))[0].params.vector, 8)
      << "a strided input does not limit the others";
  Case many(n, 60, 0);
  for (int k = 0; k < 24; ++k) {
    many.in(4, n);
  }
  const Params chosen = choose(many.out(4, n), known_device("H200"))[0].params;
  EXPECT_LE(chosen.vector * 25 * 4, 256) << "registers for all inputs at once";
}

TEST(Choose, SmallTransposesAvoidPaddedTiles) {
  const int64_t thin = 3, wide = 1 << 20;
  const Problem problem = Case(thin * wide, 30, 0).turned_in(4, thin * wide, 1).out(4, thin * wide).tiles(thin, wide);
  EXPECT_EQ(choose(problem, known_device("H200"))[0].params.family, Family::flat);
}

TEST(Choose, AlwaysHasAWayThatCannotFail) {
  for (const char* device : {"H200", "A100", "B200", "RTX5090", "CPU"}) {
    for (const Problem& problem : {Problem(bias_gelu()), Problem(relu_transpose()), Problem(Case(0, 0, 0)),
                                   Problem(Case(7, 1, 0).out(8, 7, 1))}) {
      const std::vector<Candidate> candidates = choose(problem, known_device(device));
      ASSERT_FALSE(candidates.empty());
      const Params& last = candidates.back().params;
      EXPECT_EQ(last.vector, 1);
      EXPECT_EQ(last.family, known_device(device).gpu ? Family::flat : Family::cpu_flat);
      for (const Candidate& c : candidates) {
        EXPECT_TRUE(std::isfinite(c.microseconds)) << c.params.text();
        for (int n : {c.params.threads, c.params.batch, c.params.vector, c.params.vector_other}) {
          EXPECT_EQ(n & (n - 1), 0) << c.params.text();
        }
      }
      EXPECT_LE(candidates.size(), 24u);
    }
  }
}

}  // namespace
}  // namespace nvfuser
