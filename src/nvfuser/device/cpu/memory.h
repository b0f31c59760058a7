// SPDX-License-Identifier: Apache-2.0
// Memory of a host kernel: plain pointers and arrays that the compiler can vectorise over.  A task is one thread, so
// what blocks share on a GPU is scratch of the thread, and a barrier is nothing.
#pragma once

#if __has_include("divisor.h")
#include "divisor.h"
#include "types.h"
#else
#include "nvfuser/device/generic/divisor.h"
#include "nvfuser/device/generic/types.h"
#endif

namespace rt {

/// A buffer that nothing else in the kernel writes, and one that another parameter may share.
template <class T>
using Global = T* __restrict;
template <class T>
using Coherent = T*;

/// A local array; starts on a line of the cache when it fills one.
template <class T, int N>
struct alignas(sizeof(T) * N >= 64 ? 64 : alignof(T)) Array {
  T v[N];
  RT_MEMBER T& operator[](long long i) { return v[i]; }
  RT_MEMBER const T& operator[](long long i) const { return v[i]; }
  RT_MEMBER void set(long long i, const T& value) { v[i] = value; }
};

// ---- scratch of a task

template <class T>
using Shared = T*;

/// Most bytes that a host kernel may plan.
inline constexpr long long kScratchBytes = 256 * 1024;
alignas(64) static thread_local unsigned char scratch_block[kScratchBytes];

template <class T>
RT_FN Shared<T> shared(long long byte_offset, long long, const char*) {
  return reinterpret_cast<T*>(scratch_block + byte_offset);
}
RT_FN void sync() {}

// ---- copies

/// N consecutive elements between any two memories; the ranges are apart or equal.
template <int N, class To, class From>
RT_FN void copy(To& to, long long i, From& from, long long j) {
  static_assert(sizeof(to[i]) == sizeof(from[j]), "copies do not convert");
  __builtin_memcpy(&to[i], &from[j], N * sizeof(to[i]));
}

#if defined(__SSE__) && !defined(__clang__)
/// The widest vector, and its store past the cache.
#if defined(__AVX512F__)
typedef float StreamVector __attribute__((vector_size(64)));
RT_FN void store_past_cache(float* to, StreamVector value) { __builtin_ia32_movntps512(to, value); }
#elif defined(__AVX__)
typedef float StreamVector __attribute__((vector_size(32)));
RT_FN void store_past_cache(float* to, StreamVector value) { __builtin_ia32_movntps256(to, value); }
#else
typedef float StreamVector __attribute__((vector_size(16)));
RT_FN void store_past_cache(float* to, StreamVector value) { __builtin_ia32_movntps(to, value); }
#endif

/// `count` elements to memory that is not read again soon: whole vectors go past the cache, which saves reading the
/// lines that they replace.  The two ranges are apart.
template <class T>
RT_FN void stream_out(T* to, const T* from, long long count) {
  constexpr long long kWidth = sizeof(StreamVector);
  char* out = reinterpret_cast<char*>(to);
  const char* in = reinterpret_cast<const char*>(from);
  long long bytes = count * static_cast<long long>(sizeof(T));
  const long long start = -reinterpret_cast<long long>(out) & (kWidth - 1), head = start < bytes ? start : bytes;
  __builtin_memcpy(out, in, head);
  out += head, in += head, bytes -= head;
  for (; bytes >= kWidth; out += kWidth, in += kWidth, bytes -= kWidth) {
    StreamVector value;
    __builtin_memcpy(&value, in, kWidth);
    store_past_cache(reinterpret_cast<float*>(out), value);
  }
  __builtin_memcpy(out, in, bytes);
}
/// Before other threads may look: stores past the cache are ordered by nothing else.
RT_FN void finish_streams() { __builtin_ia32_sfence(); }
#else
template <class T>
RT_FN void stream_out(T* to, const T* from, long long count) {
  __builtin_memcpy(to, from, count * sizeof(T));
}
RT_FN void finish_streams() {}
#endif

/// What an element of an integer tensor tells of an axis; brought to the axis where it lies outside.
template <class Index, class T>
RT_FN Index pick(T told, Index extent) {
  const auto index = static_cast<long long>(told);
  return index < 0 ? 0 : index < extent ? static_cast<Index>(index) : extent - 1;
}

// ---- division by a launch-time number

using unchecked::div;
using unchecked::mod;
using unchecked::wrap;

}  // namespace rt
