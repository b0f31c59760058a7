// SPDX-License-Identifier: Apache-2.0
// Memory of a CUDA kernel: global buffers and shared memory are raw pointers, local arrays raw arrays; vector copies
// are single instructions of up to 16 bytes.
#pragma once

#include "rt/divisor.h"
#include "rt/flavor.h"
#include "rt/within.h"

#ifndef RT_KERNEL
#define RT_KERNEL(name, threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks) name
#endif

/// A kernel of clusters of so many blocks along y.
#ifndef RT_CLUSTER_KERNEL
#define RT_CLUSTER_KERNEL(name, threads, blocks, cluster) \
  extern "C" __global__ void __cluster_dims__(1, cluster, 1) __launch_bounds__(threads, blocks) name
#endif

/// The one block of dynamic shared memory.
extern __shared__ __align__(16) unsigned char rt_shared_block[];

namespace rt {

/// A buffer that nothing else in the kernel writes, and one that another parameter may share.
template <class T>
using Global = T* __restrict__;
template <class T>
using Coherent = T*;

template <class T>
struct Shared {
  T* p;
  RT_FN T& operator[](int i) const { return p[i]; }
  RT_FN void set(int i, T value) const { p[i] = value; }
};

/// Byte offset and count are checked by the emulator, which also wants the name.
template <class T>
RT_FN Shared<T> shared(int byte_offset, int, const char*) {
  return {reinterpret_cast<T*>(rt_shared_block + byte_offset)};
}

/// Alignment that lets copies of up to 16 bytes start at any multiple of their width.
template <int Bytes>
inline constexpr int kArrayAlignment = Bytes >= 16  ? 16
                                       : Bytes >= 8 ? 8
                                       : Bytes >= 4 ? 4
                                       : Bytes >= 2 ? 2
                                                    : 1;

/// Lives in registers when every index is a constant after unrolling.
template <class T, int N>
struct alignas(kArrayAlignment<int(sizeof(T)) * N>) alignas(T) Array {
  T v[N];
  RT_FN T& operator[](int i) { return v[i]; }
  RT_FN void set(int i, T value) { v[i] = value; }
};

/// Address of element i of any memory.
template <class T, class I>
RT_FN T* address(T* p, I i) {
  return p + i;
}
template <class T, class I>
RT_FN T* address(const Shared<T>& s, I i) {
  return s.p + i;
}
template <class T, int N, class I>
RT_FN T* address(Array<T, N>& a, I i) {
  return a.v + i;
}

/// The type that moves so many bytes in one instruction.
template <int Bytes>
struct Chunk;
template <>
struct Chunk<1> {
  using type = unsigned char;
};
template <>
struct Chunk<2> {
  using type = unsigned short;
};
template <>
struct Chunk<4> {
  using type = unsigned int;
};
template <>
struct Chunk<8> {
  using type = uint2;
};
template <>
struct Chunk<16> {
  using type = uint4;
};

template <int N, class T, class S>
RT_FN void copy_elements(T* to, const S* from) {
  static_assert(sizeof(T) == sizeof(S), "copies do not convert");
  if constexpr (N == 1) {
    *to = *from;
  } else {
    constexpr int kBytes = N * int(sizeof(T)) < 16 ? N * int(sizeof(T)) : 16;
    using Word = typename Chunk<kBytes>::type;
#pragma unroll
    for (int k = 0; k < N * int(sizeof(T)) / kBytes; ++k) {
      reinterpret_cast<Word*>(to)[k] = reinterpret_cast<const Word*>(from)[k];
    }
  }
}

/// N consecutive elements; both indices are multiples of N.
template <int N, class To, class I, class From, class J>
RT_FN void copy(To& to, I i, From& from, J j) {
  copy_elements<N>(address(to, i), address(from, j));
}

/// So many bytes, which take no room in the first-level cache.
template <int Bytes>
RT_FN typename Chunk<Bytes>::type load_once(const void* p) {
  typename Chunk<Bytes>::type x;
  if constexpr (Bytes == 16)
    asm("ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
        : "l"(p));
  else if constexpr (Bytes == 8)
    asm("ld.global.L1::no_allocate.v2.u32 {%0, %1}, [%2];" : "=r"(x.x), "=r"(x.y) : "l"(p));
  else if constexpr (Bytes == 4)
    asm("ld.global.L1::no_allocate.u32 %0, [%1];" : "=r"(x) : "l"(p));
  else
    x = *static_cast<const typename Chunk<Bytes>::type*>(p);
  return x;
}

/// As copy, from a buffer that nothing in the kernel writes, of elements that nothing reads again.
template <int N, class T, int M, class I, class From, class J>
RT_FN void copy_once(Array<T, M>& to, I i, From& from, J j) {
  constexpr int kBytes = N * int(sizeof(T)) < 16 ? N * int(sizeof(T)) : 16;
  using Word = typename Chunk<kBytes>::type;
  const char* at = reinterpret_cast<const char*>(address(from, j));
#pragma unroll
  for (int k = 0; k < N * int(sizeof(T)) / kBytes; ++k) {
    reinterpret_cast<Word*>(address(to, i))[k] = load_once<kBytes>(at + k * kBytes);
  }
}

/// Any value.
RT_FN uint2 anything() {
  uint2 x;
  asm("" : "=r"(x.x), "=r"(x.y));
  return x;
}

/// The aligned 8 bytes each that hold N elements, whole 16 bytes, wherever these start.
template <int N, class T>
struct Pieces {
  static constexpr int kOwn = N * int(sizeof(T)) / 8, kMost = kOwn + (sizeof(T) < 8 ? 1 : 0), kWords = 2 * kOwn;
  static_assert(kOwn % 2 == 0, "parts of 16 bytes");
  unsigned w[kWords + 2];

  /// Those that `takes`, from an address on; nobody asks for what the others hold.
  template <class Takes>
  RT_MEMBER void read(const char* first, const Takes& takes) {
#pragma unroll
    for (int k = 0; k < kMost; ++k) {
      uint2 x = anything();
      if (takes(k)) {
        asm("ld.global.nc.v2.u32 {%0, %1}, [%2];" : "=r"(x.x), "=r"(x.y) : "l"(first + 8 * k));
      }
      w[2 * k] = x.x, w[2 * k + 1] = x.y;
    }
  }

  /// The elements, `off` bytes behind the first piece.
  RT_MEMBER void shift(T* to, int off) {
    if constexpr (sizeof(T) < 8) {
#pragma unroll
      for (int k = 0; k < kWords + 1; ++k) {
        w[k] = (off & 4) != 0 ? w[k + 1] : w[k];
      }
    }
    if constexpr (sizeof(T) < 4) {
#pragma unroll
      for (int k = 0; k < kWords; ++k) {
        w[k] = __funnelshift_r(w[k], w[k + 1], off * 8);
      }
    }
#pragma unroll
    for (int k = 0; k < kWords / 4; ++k) {
      reinterpret_cast<uint4*>(to)[k] = {w[4 * k], w[4 * k + 1], w[4 * k + 2], w[4 * k + 3]};
    }
  }
};

/// Bytes from the aligned 8 to element i.
template <class T, class I>
RT_FN int bytes_off(const T* p, I i) {
  const auto start = static_cast<unsigned>(reinterpret_cast<unsigned long long>(p));
  return static_cast<int>((start + static_cast<unsigned>(i) * unsigned(sizeof(T))) & 7u);
}
/// Address of element i, `off` bytes less: their difference from the buffer's own is the same for all elements.
template <class T, class I>
RT_FN const char* address_less(const T* p, I i, int off) {
  return reinterpret_cast<const char*>(p) - off + static_cast<long long>(i) * int(sizeof(T));
}

/// As copy, of whole 16 bytes from any element on, which is as far from a multiple of N as `start`.  For elements that
/// nothing in the kernel writes.
template <int N, class T, int M, class I, class From, class J, class S>
RT_FN void copy_unaligned(Array<T, M>& to, I i, From& from, J j, S start) {
  const int off = bytes_off(from, start);
  Pieces<N, T> pieces;
  pieces.read(address_less(from, j, off), [=](int k) { return k < Pieces<N, T>::kOwn || off != 0; });
  pieces.shift(address(to, i), off);
}

// ---- vectors of which some lanes, one at least, lie in a row of `columns`: lane 0 at `column`.

/// As copy: what is read beyond the row, into lanes that nobody asks for, shares aligned 16 bytes with some of it.
template <int N, bool kOnce = false, class T, int M, class I, class From, class J, class C, class D>
RT_FN void load_within(Array<T, M>& to, I i, From& from, J j, C column, D columns) {
  constexpr int kPiece = N * int(sizeof(T)) > 16 ? 16 / int(sizeof(T)) : N, kBytes = kPiece * int(sizeof(T));
  using Word = typename Chunk<kBytes>::type;
  const auto row = inner::inside(column, columns);
#pragma unroll
  for (int k = 0; k < N / kPiece; ++k) {
    const auto* const at = address(from, j) + k * kPiece;
    if (kPiece == N || row.template some<kPiece>(k * kPiece)) {
      reinterpret_cast<Word*>(address(to, i))[k] = kOnce ? load_once<kBytes>(at) : *reinterpret_cast<const Word*>(at);
    }
  }
}
template <int N, class To, class I, class From, class J, class C, class D>
RT_FN void load_once_within(To& to, I i, From& from, J j, C column, D columns) {
  load_within<N, true>(to, i, from, j, column, columns);
}

/// As copy_unaligned; pieces that hold nothing of the row are not read.  With a lane inside, the first piece does not
/// lie beyond the row's end, nor the last before its start.
template <int N, class T, int M, class I, class From, class J, class S, class C, class D>
RT_FN void load_unaligned_within(Array<T, M>& to, I i, From& from, J j, S start, C column, D columns) {
  constexpr int kLanes = sizeof(T) < 8 ? 8 / int(sizeof(T)) : 1, kParts = sizeof(T) < 8 ? 1 : int(sizeof(T)) / 8;
  const int off = bytes_off(from, start);
  const auto row = inner::inside(column - (sizeof(T) < 8 ? off / int(sizeof(T)) : 0), columns);
  Pieces<N, T> pieces;
  pieces.read(address_less(from, j, off), [=](int k) {
    const int lane = k / kParts * kLanes;
    return lane == 0                                          ? row.column > -kLanes
           : k / kParts == (Pieces<N, T>::kMost - 1) / kParts ? row.column + lane < row.columns
                                                              : row.template some<kLanes>(lane);
  });
  pieces.shift(address(to, i), off);
}

/// Only lanes inside are written.
template <int N, class T, class I, int M, class J, class C, class D>
RT_FN void store_within(T* to, I i, Array<T, M>& from, J j, C column, D columns) {
  constexpr int kWord = N * int(sizeof(T)) < 4 ? N * int(sizeof(T)) : 4, kWords = N * int(sizeof(T)) / kWord;
  const auto row = inner::inside(column, columns);
  // Packed once for both ways.
  typename Chunk<kWord>::type w[kWords];
#pragma unroll
  for (int k = 0; k < kWords; ++k) {
    w[k] = reinterpret_cast<const typename Chunk<kWord>::type*>(address(from, j))[k];
    if constexpr (kWord == 4) {
      asm("" : "+r"(w[k]));
    }
  }
  if (row.template all<N>()) {
    copy_elements<N>(address(to, i), reinterpret_cast<const T*>(w));
  } else {
    T* at = address(to, i);
    asm("" : "+l"(at));  // once for all lanes
    __builtin_assume(__isGlobal(at));
#pragma unroll
    for (int k = 0; k < N; ++k) {
      if (row.holds(k)) {
        at[k] = reinterpret_cast<const T*>(w)[k];
      }
    }
  }
}

/// Block-wide barrier.
RT_FN void sync() { __syncthreads(); }

/// What an element of an integer tensor tells of an axis; brought to the axis where it lies outside.
template <class Index, class T>
RT_FN Index pick(T told, Index extent) {
  const auto index = static_cast<long long>(told);
  return index < 0 ? 0 : index < extent ? static_cast<Index>(index) : extent - 1;
}

using unchecked::div;
using unchecked::mod;
using unchecked::wrap;

}  // namespace rt
