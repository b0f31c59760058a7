// SPDX-License-Identifier: Apache-2.0
// Compiled kernels by their text, and the compile that fills several stores with one unit.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/lower/lower.h"

namespace nvfuser {

/// Compiled kernels of one fusion by their text's key; shared by its plans.  Its owner locks it.
class KernelStore {
 public:
  struct Entry {
    std::shared_ptr<Module> module;
    int kernel;
  };
  const Entry* find(const std::string& key) const;
  void add(const std::string& key, Entry entry) { entries_.emplace(key, std::move(entry)); }

 private:
  std::map<std::string, Entry> entries_;
};

/// What one plan wants compiled, for which machine, and the store that keeps it.
struct KernelOrder {
  KernelStore* store;
  std::vector<Program*> programs;
  Way way;
  int arch;     ///< Way::cuda
  int ordinal;  ///< Way::cuda
};

/// Compiles what the stores do not hold yet, one unit for all orders of equal way and device.  In a unit of several
/// orders the programs get names that tell them apart.  Entries for each order, parallel to its programs.
std::vector<std::vector<KernelStore::Entry>> fetch_kernels(const std::vector<KernelOrder>& orders);

}  // namespace nvfuser
