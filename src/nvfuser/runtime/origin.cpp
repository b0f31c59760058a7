// SPDX-License-Identifier: Apache-2.0
// Operations behind a kernel, each line once.
#include "nvfuser/runtime/origin.h"

#include <algorithm>
#include <sstream>
#include <unordered_set>

namespace nvfuser {
namespace {

/// A message names as many operations as a reader looks at.
constexpr size_t kNamed = 8;

class OpList {
 public:
  void add(const Expr& expr) {
    const std::string title = (std::ostringstream() << OpTitle{expr}).str();
    if (std::find(titles_.begin(), titles_.end(), title) == titles_.end()) {
      titles_.push_back(title);
    }
  }

  std::string text(const std::string& name) const {
    std::string text = "; in the kernel " + name;
    for (size_t k = 0; k < std::min(titles_.size(), kNamed); ++k) {
      text += (k == 0 ? " of " : ", ") + titles_[k];
    }
    return text + (titles_.size() > kNamed ? " and " + std::to_string(titles_.size() - kNamed) + " more" : "");
  }

 private:
  std::vector<std::string> titles_;
};

}  // namespace

std::string origin_text(const std::string& name, const Group& group) {
  OpList ops;
  std::unordered_set<const Val*> seen(group.inputs.begin(), group.inputs.end());
  std::vector<const Val*> work(group.outputs.begin(), group.outputs.end());
  std::vector<const Expr*> found;
  for (const TensorView* output : group.outputs) {
    seen.erase(output);  // of a group that copies
  }
  while (!work.empty()) {
    const Val* value = work.back();
    work.pop_back();
    if (value->is_tensor() && value->definition() != nullptr && seen.insert(value).second) {
      found.push_back(value->definition());
      work.insert(work.end(), value->definition()->inputs().begin(), value->definition()->inputs().end());
    }
  }
  std::sort(found.begin(), found.end(), [](const Expr* a, const Expr* b) { return a->number() < b->number(); });
  std::for_each(found.begin(), found.end(), [&](const Expr* expr) { ops.add(*expr); });
  return ops.text(name);
}

std::string origin_text(const Program& program) {
  OpList ops;
  for (const Tensor* tensor : program.kernel->tensors) {
    if (tensor->expr != nullptr) {
      ops.add(*tensor->expr);
    }
  }
  return ops.text(program.name);
}

}  // namespace nvfuser
