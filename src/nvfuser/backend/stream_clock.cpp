// SPDX-License-Identifier: Apache-2.0
// The clock of work that is done when its launch returns, and the choice of a clock.
#include "nvfuser/backend/stream_clock.h"

#include <chrono>

#include "nvfuser/backend/cuda/event_clock.h"
#include "nvfuser/base/errors.h"

namespace nvfuser {
namespace {

class SteadyClock final : public StreamClock {
 public:
  void mark(void*) override { marks_.push_back(std::chrono::steady_clock::now()); }

  std::vector<double> milliseconds() override {
    std::vector<double> times;
    for (size_t k = 1; k < marks_.size(); ++k) {
      times.push_back(std::chrono::duration<double, std::milli>(marks_[k] - marks_[k - 1]).count());
    }
    return times;
  }

 private:
  std::vector<std::chrono::steady_clock::time_point> marks_;
};

}  // namespace

std::unique_ptr<StreamClock> make_stream_clock(Way way, int device, void* stream) {
  if (way != Way::cuda) {
    return std::make_unique<SteadyClock>();
  }
  std::string why;
  const CudaApi* api = cuda_api(&why);
  check(api != nullptr, ErrorKind::device, why);
  return make_event_clock(*api, device, stream);
}

}  // namespace nvfuser
