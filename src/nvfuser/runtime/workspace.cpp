// SPDX-License-Identifier: Apache-2.0
// Placement by liveness.
#include "nvfuser/runtime/workspace.h"

#include <algorithm>
#include <numeric>

namespace nvfuser {
namespace {

int64_t rounded(int64_t bytes) { return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment; }

bool overlap(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

/// From the first step that touches a buffer to the last; one that none touches holds nothing.
Lifetime lifetime_of(const Plan& plan, int buffer) {
  const OutputSpec& spec = plan.outputs[buffer - plan.inputs];
  Lifetime lifetime{-1, -1, spec.elements * bytes_of(spec.dtype)};
  const auto touches = [&](const std::vector<int>& buffers) {
    return std::find(buffers.begin(), buffers.end(), buffer) != buffers.end();
  };
  for (size_t k = 0; k < plan.steps.size(); ++k) {
    if (touches(plan.steps[k].reads) || touches(plan.steps[k].writes)) {
      lifetime.first = lifetime.first < 0 ? static_cast<int>(k) : lifetime.first;
      lifetime.last = static_cast<int>(k);
    }
  }
  return lifetime.first < 0 ? Lifetime{0, 0, 0} : lifetime;
}

/// One tensor of bytes.
OutputSpec workspace_spec(const Device& device, int64_t bytes) {
  OutputSpec spec{};
  spec.dtype = DataType::Bool;
  spec.device = device;
  spec.sizes = {bytes};
  spec.strides = {1};
  spec.elements = bytes;
  spec.workspace = true;
  return spec;
}

/// Where nothing needs a byte there is no workspace: who is handed a tensor of it gets no address.
void drop_addresses(Plan& plan, int base) {
  for (KernelStep& step : plan.steps) {
    std::erase_if(step.patches, [&](const Patch& patch) { return patch.buffer >= base; });
  }
}

}  // namespace

WorkspaceLayout place(std::span<const Lifetime> lifetimes) {
  WorkspaceLayout layout;
  layout.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  std::vector<size_t> placed;  // by offset
  for (const size_t k : order) {
    const int64_t bytes = rounded(lifetimes[k].bytes);
    int64_t offset = 0;
    for (const size_t other : placed) {
      if (!overlap(lifetimes[k], lifetimes[other])) {
        continue;
      }
      if (offset + bytes <= layout.offsets[other]) {
        break;
      }
      offset = std::max(offset, layout.offsets[other] + rounded(lifetimes[other].bytes));
    }
    layout.offsets[k] = offset;
    layout.bytes = std::max(layout.bytes, offset + bytes);
    const auto behind =
        std::find_if(placed.begin(), placed.end(), [&](size_t other) { return layout.offsets[other] > offset; });
    placed.insert(behind, k);
  }
  return layout;
}

void place_workspace(Plan& plan) {
  const auto first = std::find_if(plan.outputs.begin(), plan.outputs.end(), [](const auto& s) { return s.workspace; });
  if (first == plan.outputs.end()) {
    return;
  }
  const int base = plan.inputs + static_cast<int>(first - plan.outputs.begin());
  const int end = plan.inputs + static_cast<int>(plan.outputs.size());
  std::vector<Lifetime> lifetimes;
  for (int buffer = base; buffer < end; ++buffer) {
    lifetimes.push_back(lifetime_of(plan, buffer));
  }
  const WorkspaceLayout layout = place(lifetimes);
  for (KernelStep& step : plan.steps) {
    for (Patch& patch : step.patches) {
      if (patch.buffer >= base) {
        patch.place = layout.offsets[patch.buffer - base];
        patch.buffer = base;
      }
    }
  }
  plan.placed.assign(first, plan.outputs.end());
  plan.outputs.erase(first, plan.outputs.end());
  if (layout.bytes > 0) {
    plan.outputs.push_back(workspace_spec(plan.device, layout.bytes));
  } else {
    drop_addresses(plan, base);
  }
}

}  // namespace nvfuser
