// SPDX-License-Identifier: Apache-2.0
// What the machine gives on a GPU: instructions by name, and the functions that NVRTC itself provides.  Twin of
// generic/flavor.h.
#pragma once

#define RT_FN __device__ __forceinline__
// The same for static members.
#define RT_MEMBER __device__ __forceinline__

namespace rt::native {

/// Whether a rare range may be left to a branch: threads of a warp rarely part there.
inline constexpr bool kBranches = true;
/// Whether fma rounds once.
inline constexpr bool kFma = true;

// ---- exact operations
RT_FN float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
RT_FN double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
RT_FN float abs(float x) { return ::fabsf(x); }
RT_FN double abs(double x) { return ::fabs(x); }
RT_FN float sqrt(float x) { return __fsqrt_rn(x); }
RT_FN double sqrt(double x) { return __dsqrt_rn(x); }
RT_FN float floor(float x) { return ::floorf(x); }
RT_FN double floor(double x) { return ::floor(x); }
RT_FN float ceil(float x) { return ::ceilf(x); }
RT_FN double ceil(double x) { return ::ceil(x); }
RT_FN float trunc(float x) { return ::truncf(x); }
RT_FN double trunc(double x) { return ::trunc(x); }
RT_FN float rint(float x) { return ::rintf(x); }
RT_FN double rint(double x) { return ::rint(x); }
RT_FN float copysign(float x, float sign) { return ::copysignf(x, sign); }
RT_FN double copysign(double x, double sign) { return ::copysign(x, sign); }

template <class T>
RT_FN T minimum(T a, T b) {
  return a < b ? a : a != a ? a : b;
}
template <class T>
RT_FN T maximum(T a, T b) {
  return a > b ? a : a != a ? a : b;
}
template <>
RT_FN float minimum<float>(float a, float b) {
  float r;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
  return r;
}
template <>
RT_FN float maximum<float>(float a, float b) {
  float r;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
  return r;
}

/// max(x, 0) in one instruction; NaN stays.
RT_FN float relu(float x) { return maximum(x, 0.0f); }

/// The upper half of the product.
RT_FN unsigned high_product(unsigned a, unsigned b) { return __umulhi(a, b); }

/// x itself, and it is computed: without this the compiler turns a selection of x into a branch around its formula,
/// where the threads of a warp part.
RT_FN float computed(float x) {
  asm volatile("" : "+f"(x));
  return x;
}

/// x itself: every thread contracts alike.
template <class T>
RT_FN T unfused(T x) {
  return x;
}

/// x but no more than the limit; NaN stays.
RT_FN float cut(float x, float limit) { return minimum(x, limit); }

// ---- approximations: 1 ulp for reciprocal and rsqrt, 2 for ex2; .ftz flushes denormals, which the callers allow
RT_FN float reciprocal(float x) {
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
RT_FN float quotient(float a, float b) { return a * reciprocal(b); }
RT_FN float rsqrt(float x) { return ::rsqrtf(x); }
RT_FN double rsqrt(double x) { return ::rsqrt(x); }
RT_FN float exact_reciprocal(float x) { return __frcp_rn(x); }
RT_FN float exp2_approx(float x) {
  float r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}

// ---- the mathematical library
RT_FN double exp(double x) { return ::exp(x); }
RT_FN double exp2(double x) { return ::exp2(x); }
RT_FN double expm1(double x) { return ::expm1(x); }
RT_FN double log(double x) { return ::log(x); }
RT_FN double log2(double x) { return ::log2(x); }
RT_FN double log10(double x) { return ::log10(x); }
RT_FN double log1p(double x) { return ::log1p(x); }
RT_FN double sin(double x) { return ::sin(x); }
RT_FN double cos(double x) { return ::cos(x); }
RT_FN double tan(double x) { return ::tan(x); }
RT_FN double sinh(double x) { return ::sinh(x); }
RT_FN double cosh(double x) { return ::cosh(x); }
RT_FN double tanh(double x) { return ::tanh(x); }
RT_FN double asin(double x) { return ::asin(x); }
RT_FN double acos(double x) { return ::acos(x); }
RT_FN double atan(double x) { return ::atan(x); }
RT_FN double atan2(double y, double x) { return ::atan2(y, x); }
RT_FN double asinh(double x) { return ::asinh(x); }
RT_FN double acosh(double x) { return ::acosh(x); }
RT_FN double atanh(double x) { return ::atanh(x); }
RT_FN double erf(double x) { return ::erf(x); }
RT_FN double erfc(double x) { return ::erfc(x); }
RT_FN float hypot(float x, float y) { return ::hypotf(x, y); }
RT_FN double hypot(double x, double y) { return ::hypot(x, y); }
RT_FN float pow(float x, float y) { return ::powf(x, y); }
RT_FN double pow(double x, double y) { return ::pow(x, y); }
RT_FN float fmod(float x, float y) { return ::fmodf(x, y); }
RT_FN double fmod(double x, double y) { return ::fmod(x, y); }
RT_FN float lgamma(float x) { return ::lgammaf(x); }
RT_FN double lgamma(double x) { return ::lgamma(x); }

}  // namespace rt::native
