// SPDX-License-Identifier: Apache-2.0
// Times between marks in a stream of work: by events of the driver on a GPU, by the steady clock where a launch returns
// when it is done.
#pragma once

#include <memory>
#include <vector>

#include "nvfuser/backend/module.h"

namespace nvfuser {

class StreamClock {
 public:
  virtual ~StreamClock() = default;
  /// The moment at which the stream has done all that it was given before.  Waits for nothing.
  virtual void mark(void* stream) = 0;
  /// Milliseconds from each mark to the next; waits for the last one.
  virtual std::vector<double> milliseconds() = 0;
};

/// Null where nothing can be timed: the stream is being captured.
std::unique_ptr<StreamClock> make_stream_clock(Way way, int device, void* stream);

}  // namespace nvfuser
