// SPDX-License-Identifier: Apache-2.0
// Narrow floats to float32 and back, all by bits.  Part of convert.h; cuda/narrow.h is its twin with instructions.
#pragma once

namespace rt::inner {

RT_FN float widen(float16 x) { return half_value(x.bits); }
RT_FN float widen(bfloat16 x) { return bits_to_float(static_cast<uint32>(x.bits) << 16); }
RT_FN float widen(float8_e5m2 x) { return widen(float16{static_cast<uint16>(x.bits << 8)}); }
RT_FN float widen(float8_e4m3fn x) { return e4m3_value(x.bits); }
RT_FN float widen(float8_e8m0fnu x) { return e8m0_value(x.bits); }
RT_FN float widen(float4_e2m1fn x) { return e2m1_value(x.bits); }

template <class To>
RT_FN To narrow(float x) {
  if constexpr (kSame<To, float16>)
    return {static_cast<uint16>(half_bits(x))};
  else if constexpr (kSame<To, bfloat16>)
    return {static_cast<uint16>(bfloat16_bits(x))};
  else if constexpr (kSame<To, float8_e4m3fn>)
    return {static_cast<uint8>(e4m3_bits(x))};
  else if constexpr (kSame<To, float8_e5m2>)
    return {static_cast<uint8>(e5m2_bits(x))};
  else if constexpr (kSame<To, float8_e8m0fnu>)
    return {static_cast<uint8>(e8m0_bits(x))};
  else
    return {static_cast<uint8>(e2m1_bits(x))};
}

}  // namespace rt::inner
