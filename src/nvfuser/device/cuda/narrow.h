// SPDX-License-Identifier: Apache-2.0
// Narrow floats to float32 and back by conversion instructions, by bits where the machine has none or rounds otherwise
// (its float8_e5m2 saturates).  Part of convert.h; twin of generic/narrow.h.
#pragma once

namespace rt::inner {

RT_FN float widen(float16 x) {
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
  return r;
}
/// Joined with zeros: of a register that holds two, either half then takes one instruction, where a shift takes two.
RT_FN float widen(bfloat16 x) {
  float r;
  asm("mov.b32 %0, {%1, %2};" : "=f"(r) : "h"(uint16(0)), "h"(x.bits));
  return r;
}
RT_FN float widen(float8_e5m2 x) { return widen(float16{static_cast<uint16>(x.bits << 8)}); }
RT_FN float widen(float8_e4m3fn x) {
#if __CUDA_ARCH__ >= 890
  uint32 pair;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(static_cast<uint16>(x.bits)));
  return widen(float16{static_cast<uint16>(pair)});
#else
  return e4m3_value(x.bits);
#endif
}
RT_FN float widen(float8_e8m0fnu x) { return e8m0_value(x.bits); }
RT_FN float widen(float4_e2m1fn x) { return e2m1_value(x.bits); }

RT_FN uint32 e4m3_instruction(float x) {
#if __CUDA_ARCH__ >= 890
  uint16 pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
  return pair;
#else
  return e4m3_bits(x);
#endif
}

template <class To>
RT_FN To narrow(float x) {
  if constexpr (kSame<To, float16>) {
    To r;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
    return r;
  } else if constexpr (kSame<To, bfloat16>) {
    To r;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
    return r;
  } else if constexpr (kSame<To, float8_e4m3fn>) {
    return {static_cast<uint8>(e4m3_instruction(x))};
  } else if constexpr (kSame<To, float8_e5m2>) {
    return {static_cast<uint8>(e5m2_bits(x))};
  } else if constexpr (kSame<To, float8_e8m0fnu>) {
    return {static_cast<uint8>(e8m0_bits(x))};
  } else {
    return {static_cast<uint8>(e2m1_bits(x))};
  }
}

}  // namespace rt::inner
