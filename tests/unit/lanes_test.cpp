// SPDX-License-Identifier: Apache-2.0
// Lanes of a vectorised loop and its scalar tail give the bits of the plain arithmetic, complex products above all,
// whose parts the compiler computes in neighbouring lanes.
#include <array>
#include <bit>
#include <random>

#include "backend_fixture.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/device/generic/math.h"

namespace nvfuser {
namespace {

template <class C>
struct Row {
  const char* name;
  const char* text;     ///< over a[i], b[i], c[i]
  C (*exact)(C, C, C);  ///< compiled into this test, without instructions that round a product and a sum at once
};

template <class C>
constexpr Row<C> kRows[] = {
    {"mul", "rt::mul(a[i], b[i])", [](C a, C b, C) { return rt::mul(a, b); }},
    {"truediv", "rt::truediv(a[i], b[i])", [](C a, C b, C) { return rt::truediv(a, b); }},
    {"reciprocal", "rt::reciprocal(a[i])", [](C a, C, C) { return rt::reciprocal(a); }},
    {"lerp", "rt::lerp(a[i], b[i], c[i])", [](C a, C b, C c) { return rt::lerp(a, b, c); }},
    {"conjugate", "rt::mul(a[i], rt::make_complex(b[i].re, -b[i].im))",
     [](C a, C b, C) { return rt::mul(a, rt::make_complex(b.re, -b.im)); }},
    {"sub_add", "rt::make_complex(a[i].re * b[i].re - c[i].re, a[i].im * b[i].im + c[i].im)",
     [](C a, C b, C c) { return rt::make_complex(a.re * b.re - c.re, a.im * b.im + c.im); }},
    {"add_sub", "rt::make_complex(a[i].re * b[i].re + c[i].re, a[i].im * b[i].im - c[i].im)",
     [](C a, C b, C c) { return rt::make_complex(a.re * b.re + c.re, a.im * b.im - c.im); }},
};

/// The argument image of every kernel here.
template <class C>
struct Arguments {
  const C *a, *b, *c;
  C* out;
  long long count;
};

template <class C>
std::string unit_text(const std::string& type) {
  std::string text =
      "#include \"rt/types.h\"\n#include \"rt/math.h\"\n#include \"rt/memory.h\"\n"
      "using C = rt::" +
      type + ";\nstruct Arguments { const C *a, *b, *c; C* out; long long count; };\n";
  for (const Row<C>& row : kRows<C>) {
    const std::string name = row.name;
    text += "static __attribute__((noinline)) void loop_" + name +
            "(rt::Global<const C> a, rt::Global<const C> b, rt::Global<const C> c, rt::Global<C> out, long long n) {\n"
            "  #pragma GCC ivdep\n  for (long long i = 0; i < n; ++i) out[i] = " +
            row.text + ";\n}\nextern \"C\" void k_" + name +
            "(const void* image, const long long*, long long, long long) {\n"
            "  const Arguments& p = *static_cast<const Arguments*>(image);\n  loop_" +
            name + "(p.a, p.b, p.c, p.out, p.count);\n}\n";
  }
  return text;
}

template <class C>
std::vector<C> values(unsigned seed, size_t count) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> part(-2, 2);
  std::vector<C> out(count);
  for (C& z : out) {
    z = {static_cast<decltype(C::re)>(part(random)), static_cast<decltype(C::re)>(part(random))};
  }
  return out;
}

/// Also of NaN, and of zeros with their sign.
std::array<uint32_t, 2> bits_of(rt::complex64 z) { return std::bit_cast<std::array<uint32_t, 2>>(z); }
std::array<uint64_t, 2> bits_of(rt::complex128 z) { return std::bit_cast<std::array<uint64_t, 2>>(z); }

template <class C>
void expect_equal_bits(const std::string& type) {
  CompileRequest request{};
  request.way = Way::host;
  request.text = unit_text<C>(type);
  for (const Row<C>& row : kRows<C>) {
    request.kernels.push_back({std::string("k_") + row.name, sizeof(Arguments<C>), false});
  }
  const auto module = compile(request);
  constexpr size_t kCount = 203;  // whole vectors of any width, and a tail
  const std::vector<C> a = values<C>(1, kCount), b = values<C>(2, kCount), c = values<C>(3, kCount);
  for (size_t k = 0; k < std::size(kRows<C>); ++k) {
    const Row<C>& row = kRows<C>[k];
    std::vector<C> out(kCount);
    const Arguments<C> arguments{a.data(), b.data(), c.data(), out.data(), kCount};
    LaunchRequest launch;
    launch.image = &arguments;
    launch.image_bytes = sizeof arguments;
    module->launch(static_cast<int>(k), launch);
    for (size_t i = 0; i < kCount; ++i) {
      const C exact = row.exact(a[i], b[i], c[i]);
      ASSERT_EQ(bits_of(out[i]), bits_of(exact)) << row.name << " of " << type << " at " << i;
    }
  }
}

class Lanes : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!host_compiler_available(&why)) {
      GTEST_SKIP() << why;
    }
  }
  const TestFolder folder_;
  const ScopedOption folder_option_{"cache_dir", folder_.path};
};

TEST_F(Lanes, OfComplexFloatsRoundEachStep) { expect_equal_bits<rt::complex64>("complex64"); }
TEST_F(Lanes, OfComplexDoublesRoundEachStep) { expect_equal_bits<rt::complex128>("complex128"); }

}  // namespace
}  // namespace nvfuser
