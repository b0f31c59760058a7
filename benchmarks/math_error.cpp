// SPDX-License-Identifier: Apache-2.0
// Errors of the float32 functions of the device library, over all 2^32 floats or every STEP-th of them:
//   math_error NAME|all [STEP]
// prints the largest error in ulp of the true result, where it is, and how many special results (infinities, NaN, signs
// of zeros) differ from the mathematical library's.  Compile it with the flags of host kernels, or without -march for
// the forms without fma.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "nvfuser/device/generic/math.h"

namespace nvfuser {
namespace {

using Loop = void (*)(const float* in, float* out, int count);

struct Function {
  const char* name;
  Loop loop;
  double (*exact)(double);
};

double exact_sigmoid(double x) { return rt::sigmoid(x); }
double exact_rsqrt(double x) { return 1.0 / std::sqrt(x); }
double exact_reciprocal(double x) { return 1.0 / x; }
double exact_erfinv(double x) { return rt::erfinv(x); }
double exact_erfcinv(double x) { return rt::erfcinv(x); }
double exact_log1p(double x) { return std::log1p(x); }

#define ROW(name, exact)                        \
  {#name,                                       \
   [](const float* in, float* out, int count) { \
     for (int i = 0; i < count; ++i)            \
       out[i] = rt::name(in[i]);                \
   },                                           \
   exact}

const Function kFunctions[] = {
    ROW(exp, std::exp),        ROW(exp2, std::exp2),        ROW(expm1, std::expm1),
    ROW(log, std::log),        ROW(log2, std::log2),        ROW(log10, std::log10),
    ROW(log1p, exact_log1p),   ROW(tanh, std::tanh),        ROW(sinh, std::sinh),
    ROW(cosh, std::cosh),      ROW(sigmoid, exact_sigmoid), ROW(erf, std::erf),
    ROW(erfc, std::erfc),      ROW(sin, std::sin),          ROW(cos, std::cos),
    ROW(tan, std::tan),        ROW(asin, std::asin),        ROW(acos, std::acos),
    ROW(atan, std::atan),      ROW(asinh, std::asinh),      ROW(acosh, std::acosh),
    ROW(atanh, std::atanh),    ROW(rsqrt, exact_rsqrt),     ROW(sqrt, std::sqrt),
    ROW(erfinv, exact_erfinv), ROW(erfcinv, exact_erfcinv), ROW(reciprocal, exact_reciprocal),
    ROW(lgamma, std::lgamma),
};

#undef ROW

struct Worst {
  double ulp = 0;
  float at = 0;
  uint64_t specials = 0;
  float special_at = 0;
};

/// Distance of `got` from the true result in units of the last place of a float there; negative: a wrong special.
double ulp_error(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  if (std::isnan(nearest) || std::isnan(got))
    return std::isnan(nearest) && std::isnan(got) ? 0 : -1;
  if (std::isinf(nearest) || std::isinf(got))
    return nearest == got ? 0 : -1;
  if (exact == 0)
    return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : -1;
  const double ulp = std::ldexp(1.0, std::max(std::ilogb(exact) - 23, -149));
  return std::fabs(got - exact) / ulp;
}

void sweep(const Function& function, uint64_t first, uint64_t last, uint64_t step, Worst& worst) {
  constexpr int kBlock = 4096;
  std::vector<float> in(kBlock), out(kBlock);
  for (uint64_t base = first; base < last; base += step * kBlock) {
    int count = 0;
    for (uint64_t bits = base; count < kBlock && bits < last; bits += step)
      in[count++] = std::bit_cast<float>(static_cast<uint32_t>(bits));
    function.loop(in.data(), out.data(), count);
    for (int i = 0; i < count; ++i) {
      const double error = ulp_error(out[i], function.exact(in[i]));
      if (error < 0)
        ++worst.specials, worst.special_at = in[i];
      if (error > worst.ulp)
        worst.ulp = error, worst.at = in[i];
    }
  }
}

void report(const Function& function, uint64_t step) {
  const unsigned count = std::max(1u, std::thread::hardware_concurrency());
  std::vector<Worst> worst(count);
  std::vector<std::thread> threads;
  const uint64_t total = uint64_t{1} << 32, share = total / count;
  for (unsigned t = 0; t < count; ++t) {
    const uint64_t last = t + 1 == count ? total : share * (t + 1);
    threads.emplace_back([&, t, last] { sweep(function, share * t, last, step, worst[t]); });
  }
  for (auto& thread : threads)
    thread.join();
  Worst all;
  for (const Worst& w : worst) {
    if (w.ulp > all.ulp)
      all.ulp = w.ulp, all.at = w.at;
    if (w.specials)
      all.special_at = w.special_at;
    all.specials += w.specials;
  }
  std::printf("%-10s %.3f ulp at %.9g; %llu wrong specials", function.name, all.ulp, all.at,
              static_cast<unsigned long long>(all.specials));
  if (all.specials)
    std::printf(", one at %.9g", all.special_at);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace
}  // namespace nvfuser

int main(int argc, char** argv) {
  const char* name = argc > 1 ? argv[1] : "all";
  const uint64_t step = argc > 2 ? std::max(1ull, std::strtoull(argv[2], nullptr, 0)) : 1;
  bool found = false;
  for (const nvfuser::Function& function : nvfuser::kFunctions)
    if (!std::strcmp(name, "all") || !std::strcmp(name, function.name))
      nvfuser::report(function, step), found = true;
  if (!found)
    std::fprintf(stderr, "no function '%s'\n", name);
  return found ? 0 : 1;
}
