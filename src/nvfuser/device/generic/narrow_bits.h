// SPDX-License-Identifier: Apache-2.0
// Narrow floats by integer arithmetic on their bits, straight-line, so that host loops over them vectorise.  Part of
// convert.h.
#pragma once

namespace rt::inner {

RT_FN float bits_to_float(uint32 bits) { return bit_cast<float>(bits); }

/// Value of a format with `mantissa` fraction bits at the low end and `exponent` bits above.  Denormals get the
/// exponent of the smallest normal and its value is taken away again: no float on the way is denormal, which some
/// machines compute slowly.
template <int exponent, int mantissa>
RT_FN float widen_magnitude(uint32 bits) {
  constexpr uint32 bias = (1u << (exponent - 1)) - 1u, smallest = (128u - bias) << 23;
  const uint32 moved = bits << (23 - mantissa);
  const float denormal = bits_to_float(moved + smallest) - bits_to_float(smallest);
  const float normal = bits_to_float(moved + ((127u - bias) << 23));
  return bits < (1u << mantissa) ? denormal : normal;
}

/// Rounds a non-negative finite float to such a format, as its bits; exponents out of range run on into the bits above.
/// Below the normals of the format a sum with the right power of two lets the hardware round at its last place.
template <int exponent, int mantissa>
RT_FN uint32 narrow_magnitude(uint32 bits) {
  constexpr uint32 bias = (1u << (exponent - 1)) - 1u;
  constexpr uint32 smallest = (128u - bias) << 23;  // its smallest normal
  constexpr uint32 magic = (128u - bias + (23u - mantissa)) << 23;
  const uint32 denormal = bit_cast<uint32>(bits_to_float(bits) + bits_to_float(magic)) - magic;
  constexpr int shift = 23 - mantissa;
  const uint32 normal = (bits + ((1u << (shift - 1)) - 1u) + ((bits >> shift) & 1u) - ((127u - bias) << 23)) >> shift;
  return bits < smallest ? denormal : normal;
}

// ---- from the bits of each format

RT_FN float half_value(uint32 bits) {
  const uint32 magnitude = bits & 0x7fffu;
  const uint32 finite = bit_cast<uint32>(widen_magnitude<5, 10>(magnitude));
  const uint32 value = magnitude >= 0x7c00u ? 0x7f800000u | (magnitude << 13) : finite;
  return bits_to_float(value | ((bits & 0x8000u) << 16));
}
RT_FN float e4m3_value(uint32 bits) {
  const uint32 magnitude = bits & 0x7fu;
  const uint32 finite = bit_cast<uint32>(widen_magnitude<4, 3>(magnitude));
  return bits_to_float((magnitude == 0x7fu ? 0x7fc00000u : finite) | ((bits & 0x80u) << 24));
}
RT_FN float e8m0_value(uint32 bits) {
  const uint32 special = bits == 0 ? 0x00400000u : 0x7fc00000u;
  return bits_to_float(bits == 0 || bits == 0xffu ? special : bits << 23);
}
RT_FN float e2m1_value(uint32 bits) {
  return bits_to_float(bit_cast<uint32>(widen_magnitude<2, 1>(bits & 7u)) | ((bits & 8u) << 28));
}

// ---- to the bits of each format

RT_FN uint32 half_bits(float x) {
  const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
  const uint32 finite = narrow_magnitude<5, 10>(magnitude);
  const uint32 special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  return (magnitude >= 0x47800000u ? special : finite) | ((bits >> 16) & 0x8000u);
}
RT_FN uint32 bfloat16_bits(float x) {
  const uint32 bits = bit_cast<uint32>(x);
  const uint32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded;
}
RT_FN uint32 e5m2_bits(float x) {
  const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
  const uint32 finite = narrow_magnitude<5, 2>(magnitude);
  const uint32 special = magnitude > 0x7f800000u ? 0x7fu : 0x7cu;
  return (magnitude >= 0x47800000u ? special : finite) | ((bits >> 24) & 0x80u);
}
/// Everything beyond 448, infinity too, becomes 448.
RT_FN uint32 e4m3_bits(float x) {
  const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
  const uint32 finite = narrow_magnitude<4, 3>(magnitude > 0x43e00000u ? 0x43e00000u : magnitude);
  return (magnitude > 0x7f800000u ? 0x7fu : finite) | ((bits >> 24) & 0x80u);
}
/// The sign is dropped; a tie goes up, except between the two smallest values.
RT_FN uint32 e8m0_bits(float x) {
  const uint32 bits = bit_cast<uint32>(x), exponent = (bits >> 23) & 0xffu, fraction = bits & 0x7fffffu;
  const uint32 up = fraction + (exponent != 0 ? 1u : 0u) > 0x400000u ? 1u : 0u;
  return exponent == 0xffu ? 0xffu : exponent + up;
}
/// Has neither infinity nor NaN: everything beyond 6 becomes 6.
RT_FN uint32 e2m1_bits(float x) {
  const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
  return (magnitude >= 0x40c00000u ? 7u : narrow_magnitude<2, 1>(magnitude)) | ((bits >> 28) & 8u);
}

}  // namespace rt::inner
