// SPDX-License-Identifier: Apache-2.0
// choose (pure arithmetic on a Problem), apply (loop transforms on a kernel), derive_facts (what holds for these
// sizes).
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "nvfuser/base/device_props.h"
#include "nvfuser/graph/kernel.h"
#include "nvfuser/schedule/facts.h"
#include "nvfuser/schedule/params.h"

namespace nvfuser {

/// What choose reads of one buffer.
struct ProblemBuffer {
  int element_bytes;
  int64_t elements;  ///< distinct elements that are touched
  bool output;
  /// Most consecutive elements of the flat order that are consecutive and aligned in memory, up to 16, wherever all of
  /// them exist; 0: neighbours are not adjacent in memory at all (broadcast or strided), so the buffer does not limit
  /// the others.
  int max_vector;
  int max_vector_tile;  ///< the same along the tile axis that the buffer follows (transposed problems)
  bool other;           ///< follows the other tile axis: goes through a shared tile
  bool across = false;  ///< mixed: a result of what is reduced across rows
};

/// What a form of a kernel's statistics does along a row.
struct RowForm {
  int readings = 1;    ///< passes that read the row where nothing of it is kept
  int joins = 1;       ///< reductions one behind the other
  double issue = 0;    ///< instructions per place over all passes, accesses not counted
  double once = 0;     ///< the same where each value is computed once
  double special = 0;  ///< special-function operations per place over all passes
};

/// Summary of a group with its sizes.  Plain numbers: choose never looks at IR.
struct Problem {
  int64_t points = 0;  ///< elements of the reference
  std::vector<ProblemBuffer> buffers;
  double bytes = 0;              ///< least DRAM bytes
  double written = 0;            ///< share of bytes that is written, 0..1
  int full_inputs = 0;           ///< inputs with as many elements as the reference
  int place = 8;                 ///< elements of a 16-byte place: 16 / narrowest_bytes
  double issue = 0;              ///< instructions per place (choose.md section 1)
  double special = 0;            ///< special-function operations per place
  int narrowest_bytes = 2;       ///< narrowest element among full-size buffers
  int widest_bytes = 4;          ///< widest element among full-size buffers
  bool transposed = false;       ///< two inner axes: tile families apply
  int64_t inner = 0, other = 0;  ///< extents of the two tile axes when transposed
  int64_t row = 0;               ///< extent of the innermost axis
  int peel = 0;                  ///< the widest vector of rows that all full-size buffers start at the same distance
                                 ///< from aligned elements; 0 where they do not
  int64_t rows = 0;              ///< kept points, where the kernel reduces: rows; 0 where it does not
  int64_t columns = 0;           ///< reduced points: elements of a row
  bool outer = false;            ///< the innermost axis is kept, what is reduced lies further out
  int64_t piece = 0;             ///< outer: elements behind the reduced axes, neighbours in memory
  bool mixed = false;       ///< the kernel reduces across rows too; the rest of this is about reductions along them
  int across = 0;           ///< mixed: fields of the tuples of reductions across rows
  double held = 0;          ///< mixed: registers an element of what several passes read, each value computed once
  int sums = 0;             ///< fields of the tuples of all reductions
  int passes = 0;           ///< times that what is reduced is walked where nothing keeps it
  bool whole_rows = false;  ///< rows are single pieces of memory in all full-size inputs
  std::array<RowForm, 2> forms;  ///< by Form, where the kernel reduces
  bool streams = false;          ///< are there chains, so that the forms differ?
  int64_t run = 0;               ///< CPU: elements of the innermost run in which every index is affine
};

struct Candidate {
  Params params;
  double microseconds;  ///< estimate
};

/// Ranked candidates, best first; the last one cannot fail.  Under 20 us, no allocation beyond the result.  Empty for a
/// mixed problem that two kernels are expected to do in less time.
std::vector<Candidate> choose(const Problem& problem, const DeviceProps& device);

/// Values of sizes (extents, free strides) by name for one call.
using SizeValues = std::unordered_map<std::string, int64_t>;
/// Bytes to which each buffer's address is aligned: inputs then outputs.
struct Alignments {
  std::vector<int64_t> inputs, outputs;
};

Problem summarize(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments);
/// Transforms the kernel's loops as params say and ends with assign_loops.
void apply(Kernel& kernel, const Params& params);
/// Evaluates every property that lowering asks about.
Facts derive_facts(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments);

}  // namespace nvfuser
