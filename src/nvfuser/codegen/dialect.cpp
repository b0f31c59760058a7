// SPDX-License-Identifier: Apache-2.0
// The two dialects.
#include "nvfuser/codegen/dialect.h"

namespace nvfuser {

namespace {

// Local and shared memory is set by name, so that in the emulator a read is a plain value, whatever the expression.
constexpr Dialect kGpu{
    .grid_index = {"blockIdx.x", "blockIdx.y", "blockIdx.z"},
    .block_index = {"threadIdx.x", "threadIdx.y", "threadIdx.z"},
    .loop_index = "Index",
    .set = "$to.set($i, $value);",
    .move_element = "rt::copy<1>($to, $i, $from, $j);",
    .move_vector = "rt::copy<$width>($to, $i, $from, $j);",
    .load_unaligned = "rt::copy_unaligned<$width>($to, $i, $from, $j, $start);",
    .load_once = "rt::copy_once<$width>($to, $i, $from, $j);",
    .within = {"rt::load_within<$width>($to, $i, $from, $j, $column, $columns);",
               "rt::load_once_within<$width>($to, $i, $from, $j, $column, $columns);",
               "rt::load_unaligned_within<$width>($to, $i, $from, $j, $start, $column, $columns);",
               "rt::store_within<$width>($to, $i, $from, $j, $column, $columns);"},
    .move_streamed = "",
    .fold = "rt::fold<$combiner, $width>($acc, $at, $sources);",
    .fold_within = "rt::fold_within<$combiner, $width>($acc, $at, $sources, $column, $columns);",
    .tuples = "rt::Array<$combiner::Tuple, $count>",
    .folded = "rt::Array<$combiner::Tuple, $count>",
    .unroll = "#pragma unroll",
    .vectorize = "#pragma unroll",
    .kernel_head = "RT_KERNEL($name, $threads, $blocks)($parameters)",
    .cluster_head = "RT_CLUSTER_KERNEL($name, $threads, $blocks, $cluster)($parameters)",
    .tasks = false,
};

// Loop variables have the width of addresses: narrower ones could wrap around as far as the compiler knows (under a
// condition even where it may assume that they do not), and it would gather and scatter what is consecutive.
// The function of the tasks is never inlined: its parameters are restrict pointers, which inlining would forget.  Nor
// may GCC conclude anything from its body: where induction variables have become addresses without a base, GCC 12 takes
// the stores of a loop that it does not vectorise for local ones, the function for one without effects, and drops the
// call.
constexpr Dialect kCpu{
    .grid_index = {"task % grid[0]", "task / grid[0] % grid[1]", "task / grid[0] / grid[1]"},
    .block_index = {"0", "0", "0"},
    .loop_index = "long long",
    .set = "$to[$i] = $value;",
    .move_element = "$to[$i] = $from[$j];",
    .move_vector = "rt::copy<$width>($to, $i, $from, $j);",
    .load_unaligned = "",
    .load_once = "",
    .within = {},
    .move_streamed = "rt::stream_out(&$to[$i], &$from[$j], $count < $width ? $count : $width);",
    .fold = "rt::fold_up_to<$combiner, $width>($acc, $at, $sources, $count);",
    .fold_within = "",
    .tuples = "rt::Tuples<$combiner, $count>",
    .folded = "rt::Array<rt::Lanes<$combiner>, $count>",
    .unroll = "",
    .vectorize = "#pragma GCC ivdep",
    .kernel_head =
        "static __attribute__((noinline, noipa)) void $name_tasks($parameters, const long long* grid, long long begin, "
        "long long end)",
    .cluster_head = "",
    .tasks = true,
};

bool is_word(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

const Dialect& dialect_of(Target target) { return target == Target::gpu ? kGpu : kCpu; }

std::string fill(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      out += text[at++];
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && is_word(text[end])) {
      ++end;
    }
    const std::string_view name = text.substr(at + 1, end - at - 1);
    bool known = false;
    for (const auto& [key, value] : values) {
      if (key == name) {
        out += value;
        known = true;
      }
    }
    ensure(known, "a dialect names $", name, ", which nothing fills");
    at = end;
  }
  return out;
}

}  // namespace nvfuser
