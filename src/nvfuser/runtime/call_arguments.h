// SPDX-License-Identifier: Apache-2.0
// The arguments of one call, flat: what the cache of plans compares is written once, while tensors are borrowed.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// Arguments in the order of the fusion's inputs, then tensors that results are written into.  Facts are words: for a
/// tensor its dtype, rank, alignment and device in one, then sizes, then strides (0 for axes of size 1 or less, where
/// they mean nothing).  A scalar's value is a fact only where `add` is told so.
class CallArguments {
 public:
  /// All memory comes from `memory`, so that a call over a buffer on the stack allocates nothing.
  explicit CallArguments(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : words_(memory), items_(memory), scalars_(memory) {}

  /// Room for so many arguments of a few axes each: nothing moves while they are added.
  void reserve(size_t count) {
    items_.reserve(count);
    words_.reserve(kWordsEach * count + kWordsEach);
  }

  /// Room for the sizes and then the strides (in elements) of the tensor that is added; to be filled before `seal`.
  int64_t* add(void* data, DataType dtype, Device device, int rank);
  /// Brings the strides of the tensor added last to the form that facts have.
  void seal() {
    const Item& item = items_.back();
    int64_t* sizes = words_.data() + item.first;
    for (int axis = 0; axis < item.rank; ++axis) {
      sizes[item.rank + axis] = sizes[axis] > 1 ? sizes[item.rank + axis] : 0;
    }
  }
  void add(const ScalarValue& value, bool is_fact);
  void add(const Argument& argument, bool is_fact);

  /// What is added from here on are tensors for results.
  void begin_targets() { inputs_ = static_cast<int>(items_.size()); }

  int size() const { return static_cast<int>(items_.size()); }
  int inputs() const { return inputs_ < 0 ? size() : inputs_; }
  bool is_tensor(int k) const { return items_[k].scalar < 0; }
  /// The address of a tensor; null for a scalar.
  void* data(int k) const { return items_[k].data; }
  Device device(int k) const { return items_[k].device; }
  DataType dtype(int k) const { return items_[k].dtype; }
  std::span<const int64_t> sizes(int k) const { return {words_.data() + items_[k].first, size_t(items_[k].rank)}; }
  std::span<const int64_t> strides(int k) const {
    return {words_.data() + items_[k].first + items_[k].rank, size_t(items_[k].rank)};
  }
  const ScalarValue& scalar(int k) const { return scalars_[items_[k].scalar]; }

  /// Adds a fact that belongs to no argument.
  void add_fact(int64_t word) { words_.push_back(word); }
  std::span<const int64_t> facts() const { return words_; }
  /// All facts are there.
  void complete() { is_complete_ = true; }
  bool is_complete() const { return is_complete_; }
  /// Arguments `from`.. as the slow path takes them.
  std::vector<Argument> arguments(int from, int to) const;

 private:
  struct Item {
    void* data;
    int first;  ///< word of the first size
    int16_t rank;
    int16_t scalar;  ///< position among the scalars; -1 for a tensor
    DataType dtype;
    Device device;
  };

  static constexpr size_t kWordsEach = 5;

  std::pmr::vector<int64_t> words_;
  std::pmr::vector<Item> items_;
  std::pmr::vector<ScalarValue> scalars_;
  int inputs_ = -1;
  bool is_complete_ = false;
};

}  // namespace nvfuser
