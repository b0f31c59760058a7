// SPDX-License-Identifier: Apache-2.0
// Content hashes: the same bytes give the same value in every process and on every machine, so they may name files of
// the disk cache.  Not for adversaries.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace nvfuser {

/// 128 bits of content hash.
struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
  auto operator<=>(const Hash128&) const = default;

  /// 32 hexadecimal digits: a file name.
  std::string hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text(32, '0');
    for (int i = 0; i < 16; ++i) {
      text[i] = kDigits[(high >> (60 - 4 * i)) & 15];
      text[16 + i] = kDigits[(low >> (60 - 4 * i)) & 15];
    }
    return text;
  }
};

/// A bijection of 64-bit words in which every input bit reaches every output bit.
constexpr uint64_t mix_bits(uint64_t word) {
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93u;
  word ^= word >> 29;
  word *= 0xa3b195354a39b70du;
  word ^= word >> 32;
  return word;
}

/// Collects values in order.  Two lanes: for a fixed prefix each lane is a bijection of the next word, so two equally
/// long sequences that differ in one word never meet in it.
class Hasher {
 public:
  constexpr explicit Hasher(uint64_t seed = 0) : first_(seed ^ kFirst), second_(mix_bits(seed + kSecond)) {}

  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  constexpr Hasher& add(T value) {
    return word(static_cast<uint64_t>(value));
  }
  Hasher& add(double value) { return word(std::bit_cast<uint64_t>(value)); }
  Hasher& add(Hash128 value) { return word(value.high).word(value.low); }
  /// The length goes in first, so that "ab", "c" and "a", "bc" differ.
  Hasher& add(std::string_view text) { return bytes(text.data(), text.size()); }
  Hasher& add(const std::string& text) { return add(std::string_view(text)); }
  Hasher& add(const char* text) { return add(std::string_view(text)); }
  Hasher& bytes(const void* data, size_t size) {
    word(size);
    auto at = static_cast<const unsigned char*>(data);
    for (; size > 0; size -= size < 8 ? size : 8, at += 8) {
      uint64_t piece = 0;
      if (std::endian::native == std::endian::little) {
        std::memcpy(&piece, at, size < 8 ? size : 8);
      } else {
        for (size_t i = 0; i < (size < 8 ? size : 8); ++i) {
          piece |= uint64_t{at[i]} << (8 * i);
        }
      }
      word(piece);
    }
    return *this;
  }

  constexpr uint64_t value64() const { return mix_bits(first_ ^ std::rotl(second_, 17)); }
  constexpr Hash128 value128() const {
    return {mix_bits(first_ + std::rotl(second_, 31)), mix_bits(second_ ^ std::rotl(first_, 23))};
  }

 private:
  static constexpr uint64_t kFirst = 0x8f1bbcdc5a827999u;
  static constexpr uint64_t kSecond = 0x6ed9eba1ca62c1d6u;

  constexpr Hasher& word(uint64_t value) {
    first_ = mix_bits(std::rotl(first_, 25) + value * kFirst);
    second_ = mix_bits((second_ ^ value) * 0x9fb21c651e98df25u + kSecond);
    return *this;
  }

  uint64_t first_, second_;
};

inline uint64_t hash64(std::string_view text) { return Hasher().add(text).value64(); }
inline Hash128 hash128(std::string_view text) { return Hasher().add(text).value128(); }

/// For unordered containers with string keys; finds by string_view without a copy.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return hash64(text); }
};

}  // namespace nvfuser
