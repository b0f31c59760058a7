// SPDX-License-Identifier: Apache-2.0
// One event a mark, all in the device's primary context.
#include "nvfuser/backend/cuda/event_clock.h"

#include "nvfuser/backend/cuda/cuda_context.h"

namespace nvfuser {
namespace {

class EventClock final : public StreamClock {
 public:
  EventClock(const CudaApi& api, int device) : api_(api), context_(api, device) {}

  ~EventClock() override {
    // At exit the driver may be gone already: its refusal is not an error.
    CUcontext popped = nullptr;
    if (api_.cuCtxPushCurrent(context_.get()) != kCudaSuccess) {
      return;
    }
    for (CUevent event : events_) {
      api_.cuEventDestroy(event);
    }
    api_.cuCtxPopCurrent(&popped);
  }

  bool is_captured(void* stream) const {
    const CurrentContext current(api_, context_.get());
    return nvfuser::is_captured(api_, static_cast<CUstream>(stream));
  }

  void mark(void* stream) override {
    const CurrentContext current(api_, context_.get());
    CUevent event = nullptr;
    check_cuda(api_, api_.cuEventCreate(&event, 0), "cuEventCreate");
    events_.push_back(event);
    check_cuda(api_, api_.cuEventRecord(event, static_cast<CUstream>(stream)), "cuEventRecord");
  }

  std::vector<double> milliseconds() override {
    const CurrentContext current(api_, context_.get());
    std::vector<double> times;
    if (!events_.empty()) {
      check_cuda(api_, api_.cuEventSynchronize(events_.back()), "cuEventSynchronize");
    }
    for (size_t k = 1; k < events_.size(); ++k) {
      float passed = 0;
      check_cuda(api_, api_.cuEventElapsedTime(&passed, events_[k - 1], events_[k]), "cuEventElapsedTime");
      times.push_back(passed);
    }
    return times;
  }

 private:
  const CudaApi& api_;
  PrimaryContext context_;
  std::vector<CUevent> events_;
};

}  // namespace

std::unique_ptr<StreamClock> make_event_clock(const CudaApi& api, int device, void* stream) {
  auto clock = std::make_unique<EventClock>(api, device);
  if (clock->is_captured(stream)) {
    return nullptr;
  }
  return clock;
}

}  // namespace nvfuser
