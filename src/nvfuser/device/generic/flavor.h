// SPDX-License-Identifier: Apache-2.0
// What the machine gives, for every host compile: kernels of the cpu target, the emulator, and the library's evaluator.
// The generic headers reach the machine through this file alone; cuda/flavor.h is its twin.
#pragma once

#define RT_FN static inline __attribute__((always_inline))
// The same for static members.
#define RT_MEMBER inline __attribute__((always_inline))

// The C library's, under names of our own: only GCC has builtins of them, and this header includes nothing.
extern "C" float nvfuser_lgammaf(float, int*) __asm__("lgammaf_r");
extern "C" double nvfuser_lgamma(double, int*) __asm__("lgamma_r");

namespace rt::native {

/// Whether a rare range may be left to a branch.  Not here: a loop with a branch is not vectorised.
inline constexpr bool kBranches = false;

// ---- exact operations; with -march=native each is an instruction that vectorises.  fma rounds once only where kFma.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
inline constexpr bool kFma = true;
RT_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
RT_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
inline constexpr bool kFma = false;
RT_FN float fma(float a, float b, float c) { return a * b + c; }
RT_FN double fma(double a, double b, double c) { return a * b + c; }
#endif
RT_FN float abs(float x) { return __builtin_fabsf(x); }
RT_FN double abs(double x) { return __builtin_fabs(x); }
RT_FN float sqrt(float x) { return __builtin_sqrtf(x); }
RT_FN double sqrt(double x) { return __builtin_sqrt(x); }
RT_FN float floor(float x) { return __builtin_floorf(x); }
RT_FN double floor(double x) { return __builtin_floor(x); }
RT_FN float ceil(float x) { return __builtin_ceilf(x); }
RT_FN double ceil(double x) { return __builtin_ceil(x); }
RT_FN float trunc(float x) { return __builtin_truncf(x); }
RT_FN double trunc(double x) { return __builtin_trunc(x); }
/// To nearest, ties to even: the rounding mode is never changed.
RT_FN float rint(float x) { return __builtin_rintf(x); }
RT_FN double rint(double x) { return __builtin_rint(x); }
RT_FN float copysign(float x, float sign) { return __builtin_copysignf(x, sign); }
RT_FN double copysign(double x, double sign) { return __builtin_copysign(x, sign); }

/// NaN of either operand wins.
template <class T>
RT_FN T minimum(T a, T b) {
  return a < b ? a : a != a ? a : b;
}
template <class T>
RT_FN T maximum(T a, T b) {
  return a > b ? a : a != a ? a : b;
}

/// The upper half of the product.
RT_FN unsigned high_product(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32);
}

/// x itself, for values that a selection may drop: the GPU's twin keeps the compiler from jumping around them.
RT_FN float computed(float x) { return x; }

/// x itself, for products that a difference or a sum takes: GCC 12 makes one instruction of the neighbours
/// { a * b - c, d * e + f } of a vector, which rounds once whatever -ffp-contract says, so that lanes and the rest of
/// the loop would differ.  It does not see that a flipped sign is a negation, and finds no product here.
RT_FN float unfused(float x) { return __builtin_bit_cast(float, __builtin_bit_cast(unsigned, -x) ^ 0x80000000u); }
RT_FN double unfused(double x) {
  return __builtin_bit_cast(double, __builtin_bit_cast(unsigned long long, -x) ^ 0x8000000000000000ull);
}

/// x but no more than the limit; NaN stays.
RT_FN float cut(float x, float limit) { return x > limit ? limit : x; }

/// max(x, 0); NaN stays.
RT_FN float relu(float x) { return x < 0.0f ? 0.0f : x; }

// ---- quotients of inner formulas: at least 1 ulp, any value for denormals
RT_FN float reciprocal(float x) { return 1.0f / x; }
RT_FN float quotient(float a, float b) { return a / b; }
/// The nearest float: a step of Newton's behind the quotient, with its residue in double.  None where x is 0, infinite
/// or NaN.
RT_FN float rsqrt(float x) {
  const float root = 1.0f / __builtin_sqrtf(x);
  const double near = root, residue = 1.0 - unfused(near * near * x);
  return residue == residue ? static_cast<float>(near + unfused(0.5 * near * residue)) : root;
}
RT_FN double rsqrt(double x) { return 1.0 / __builtin_sqrt(x); }
/// The exact 1 / x.
RT_FN float exact_reciprocal(float x) { return 1.0f / x; }

// ---- the mathematical library, for double and for rare functions of float
RT_FN double exp(double x) { return __builtin_exp(x); }
RT_FN double exp2(double x) { return __builtin_exp2(x); }
RT_FN double expm1(double x) { return __builtin_expm1(x); }
RT_FN double log(double x) { return __builtin_log(x); }
RT_FN double log2(double x) { return __builtin_log2(x); }
RT_FN double log10(double x) { return __builtin_log10(x); }
RT_FN double log1p(double x) { return __builtin_log1p(x); }
RT_FN double sin(double x) { return __builtin_sin(x); }
RT_FN double cos(double x) { return __builtin_cos(x); }
RT_FN double tan(double x) { return __builtin_tan(x); }
RT_FN double sinh(double x) { return __builtin_sinh(x); }
RT_FN double cosh(double x) { return __builtin_cosh(x); }
RT_FN double tanh(double x) { return __builtin_tanh(x); }
RT_FN double asin(double x) { return __builtin_asin(x); }
RT_FN double acos(double x) { return __builtin_acos(x); }
RT_FN double atan(double x) { return __builtin_atan(x); }
RT_FN double atan2(double y, double x) { return __builtin_atan2(y, x); }
RT_FN double asinh(double x) { return __builtin_asinh(x); }
RT_FN double acosh(double x) { return __builtin_acosh(x); }
RT_FN double atanh(double x) { return __builtin_atanh(x); }
RT_FN double erf(double x) { return __builtin_erf(x); }
RT_FN double erfc(double x) { return __builtin_erfc(x); }
RT_FN float hypot(float x, float y) { return __builtin_hypotf(x, y); }
RT_FN double hypot(double x, double y) { return __builtin_hypot(x, y); }
RT_FN float pow(float x, float y) { return __builtin_powf(x, y); }
RT_FN double pow(double x, double y) { return __builtin_pow(x, y); }
RT_FN float fmod(float x, float y) { return __builtin_fmodf(x, y); }
RT_FN double fmod(double x, double y) { return __builtin_fmod(x, y); }
// The plain functions also write a global sign.
RT_FN float lgamma(float x) {
  int sign;
  return nvfuser_lgammaf(x, &sign);
}
RT_FN double lgamma(double x) {
  int sign;
  return nvfuser_lgamma(x, &sign);
}

}  // namespace rt::native
