// SPDX-License-Identifier: Apache-2.0
// Params: the decisions of a schedule.  A Params value, the fusion and the Facts determine the kernel's text.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace nvfuser {

enum class Family : uint8_t {
  flat,         ///< GPU: all axes merged, one vector a thread and batch
  tile,         ///< GPU: square tiles through shared memory, for tensors with different innermost axes
  cpu_flat,     ///< CPU: outer axes to tasks, innermost run as lanes
  cpu_tile,     ///< CPU: tiles as tasks
  rows,         ///< GPU: a row of what is reduced together to a block
  cpu_rows,     ///< CPU: such a row to a task
  columns,      ///< GPU: a strip of neighbours, each with what is reduced to it further out in memory, to a block
  cpu_columns,  ///< CPU: such a strip to a task
  mixed,        ///< GPU: rows that are reduced along them and across them, by turns to blocks that stay
  cpu_mixed,    ///< CPU: such rows, some to a task
};

/// Where a row lives between the passes over it.
enum class Home : uint8_t {
  reload,     ///< in global memory: every pass reads it again
  registers,  ///< in the registers of its threads
  shared,     ///< the same, by way of a ring in shared memory, in which the block's next rows arrive meanwhile
};

/// How what several blocks know of one row becomes one.
enum class GridFinish : uint8_t {
  second,     ///< in the next kernel
  dependent,  ///< in the next kernel, which starts before this one has ended
  last,       ///< in the block that is last
  barrier,    ///< behind a barrier of the whole grid
};

/// What a row's statistics are.
enum class Form : uint8_t {
  resident,   ///< one after the other, as the fusion has them: max, then the sum of exp(x - max)
  streaming,  ///< such chains as one reduction, in one pass
};

struct Params {
  Family family = Family::flat;
  int threads = 128;      ///< per block
  int batch = 1;          ///< GPU: vectors a thread handles per input before first use; cpu_mixed: lane loops of a row
  int vector = 1;         ///< GPU: elements of the innermost run that a thread handles at once
  int vector_other = 1;   ///< tile: the same along the other tile axis
  int blocks_per_sm = 0;  ///< launch bound; 0: none
  int tile = 0;           ///< tile, cpu_tile: extent of a side in elements
  int lanes = 0;          ///< columns: threads side by side along the strip; the others take other rows of it
  int64_t task = 0;       ///< cpu_flat: elements of the innermost run that a task handles, the extent of its lane loop;
                          ///< cpu_columns: columns of a strip; cpu_mixed: of a lane loop
  bool peel = false;      ///< GPU: vectors of a row begin at aligned elements, wherever the row starts; columns, mixed:
                          ///< as the rows of a block all start at one place
  bool stream = false;    ///< CPU: results go to memory past the cache; rows, columns: they are read past the
                          ///< first-level cache
  Home home = Home::reload;    ///< rows, columns
  Form form = Form::resident;  ///< rows
  int rows = 1;                ///< rows, mixed: rows that a block takes side by side, its threads in equal shares
  int unroll = 1;              ///< mixed, cpu_columns, rows (peeled, of one start): rows that a thread takes at once
  int stages = 0;              ///< home shared: turns of the ring
  int values = 0;     ///< mixed: rows, all that a block takes, whose own values it loads before its first turn;
                      ///< 0: each turn loads those of its rows
  bool hold = false;  ///< mixed: values that several passes over a row read stay in registers; else each pass computes
                      ///< them
  int grid = 0;       ///< home shared, mixed: blocks, or clusters of them, which take rows by turns
  int blocks = 1;     ///< rows: blocks that share a row; columns: a strip
  GridFinish finish = GridFinish::second;  ///< rows that blocks share
  int64_t piece = 0;     ///< cpu_rows: elements of a row that a task takes; cpu_columns: rows of a strip; 0: all;
                         ///< cpu_mixed: rows
  int runs = 0;          ///< cpu_columns: levels of runs of rows, each of which is summed up apart
  int cluster = 1;       ///< rows, mixed: blocks of a cluster that hold a row together
  bool counter = false;  ///< home shared: blocks claim rows from a counter instead, each as it becomes free
  auto operator<=>(const Params&) const = default;
  /// One line, such as "flat threads=256 batch=1 vector=8".
  std::string text() const;
  /// Its first word.
  std::string_view family_name() const;
};

}  // namespace nvfuser
