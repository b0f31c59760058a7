// SPDX-License-Identifier: Apache-2.0
// Division by a number that is known at launch; part of memory.h.  runtime/divisor.h fills the fields and says why the
// quotients are right.  Unchecked: cuda and cpu take the functions as rt::div, rt::mod and rt::wrap, the emulator
// checks first.
#pragma once

#if __has_include("flavor.h")
#include "flavor.h"
#else
#include "rt/flavor.h"
#endif

namespace rt {

template <class Index>
struct Divisor;
template <>
struct Divisor<int> {
  unsigned divisor, multiplier, shift;
};
template <>
struct Divisor<long long> {
  unsigned long long divisor, multiplier, shift;
};

namespace unchecked {

/// 0 <= x < 2^31, so that 2x * multiplier / 2^32 needs no 64-bit shift.
RT_FN int div(int x, const Divisor<int>& d) {
  return static_cast<int>(native::high_product(2u * static_cast<unsigned>(x), d.multiplier) >> d.shift);
}
RT_FN int mod(int x, const Divisor<int>& d) { return x - div(x, d) * static_cast<int>(d.divisor); }
RT_FN long long div(long long x, const Divisor<long long>& d) {
  return static_cast<long long>(static_cast<unsigned long long>(x) / d.divisor);
}
RT_FN long long mod(long long x, const Divisor<long long>& d) {
  return static_cast<long long>(static_cast<unsigned long long>(x) % d.divisor);
}

/// 0 <= x < 2 * divisor: the remainder by one subtraction, which comes round to a large number where it is too much.
RT_FN int wrap(int x, const Divisor<int>& d) {
  const unsigned whole = static_cast<unsigned>(x), less = whole - d.divisor;
  return static_cast<int>(less < whole ? less : whole);
}
RT_FN long long wrap(long long x, const Divisor<long long>& d) {
  const auto whole = static_cast<unsigned long long>(x), less = whole - d.divisor;
  return static_cast<long long>(less < whole ? less : whole);
}

}  // namespace unchecked
}  // namespace rt
