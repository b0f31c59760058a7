// SPDX-License-Identifier: Apache-2.0
// Profiles of calls: what each kernel moved and how long it took, what the call cost on the host, what was compiled.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nvfuser/backend/stream_clock.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// One launch.  Bytes: each distinct element that the kernel's tensors have, once.  A bandwidth is bytes read and
/// written by time; 0 where there is no time.
struct KernelProfile {
  std::string name;
  std::string scheduler;  ///< family of its schedule; "evaluator" where no kernel runs
  int segment = 0;
  int device = 0;
  uint64_t stream = 0;      ///< the driver's handle; 0 on the CPU
  int64_t correlation = 0;  ///< counts the launches that were profiled in this process
  double compile_ms = 0;    ///< its equal share of the compile that this call waited for; 0 without one
  double time_ms = 0;       ///< on the device; 0 while the stream is being captured
  double bandwidth_gbs = 0;
  double peak_percent = 0;  ///< of the device's data-sheet bandwidth; 0 where that is not known (CPUs)
  std::array<int64_t, 3> grid{1, 1, 1}, block{1, 1, 1}, cluster{1, 1, 1};
  int64_t dynamic_shared = 0, static_shared = 0;
  int registers = 0;  ///< of a thread; 0 where the compiler does not tell
  int64_t input_bytes = 0, output_bytes = 0;
};

/// One call.  Its bytes are those of the fusion's inputs and outputs, whatever passes between its kernels.
struct FusionProfile {
  int64_t fusion_id = 0;
  double event_ms = 0;       ///< from the start of the first kernel to the end of the last
  double kernel_ms = 0;      ///< sum over the kernels
  double host_ms = 0;        ///< from the call to its return, compiles included
  double compile_ms = 0;     ///< making the plan: rewrites, schedules, compiles; 0 where it was there
  double bandwidth_gbs = 0;  ///< bytes by kernel_ms
  double peak_percent = 0;
  int64_t input_bytes = 0, output_bytes = 0;
  std::vector<KernelProfile> kernels;
};

/// A call while it runs, then its profile.
class CallProfile {
 public:
  /// `scheduler`: the name that kernels get instead of their schedule's; empty for that.
  CallProfile(int64_t fusion_id, std::string scheduler);

  /// Wraps the making of a plan: adds to the time of compiles.
  void add_compile(std::chrono::steady_clock::duration time) { compile_ += time; }
  /// Before the first launch.
  void begin_steps(const Plan& plan, const CallArguments& call, const ExecuteOptions& options);
  /// After each launch.
  void end_step();
  /// The call returns.
  void end();

  /// Waits for the device at the first use.  After `end`; from any thread.
  const FusionProfile& profile();

 private:
  void describe_steps(const Plan& plan, const CallArguments& call, const ExecuteOptions& options);
  void add_times();

  std::mutex mutex_;
  FusionProfile profile_;
  std::string scheduler_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::duration compile_{};
  std::chrono::steady_clock::duration own_{};  ///< what the profile itself cost the host
  std::unique_ptr<StreamClock> clock_;         ///< gone once its times are in the profile
  void* stream_ = nullptr;
  double peak_gbs_ = 0;
};

/// Adds the time of its scope to a profile's compiles.
class CompileTime {
 public:
  explicit CompileTime(CallProfile* profile) : profile_(profile), start_(std::chrono::steady_clock::now()) {}
  ~CompileTime() {
    if (profile_ != nullptr) {
      profile_->add_compile(std::chrono::steady_clock::now() - start_);
    }
  }
  CompileTime(const CompileTime&) = delete;
  CompileTime& operator=(const CompileTime&) = delete;

 private:
  CallProfile* profile_;
  std::chrono::steady_clock::time_point start_;
};

/// Profiles the calls of the thread that starts it, until it is stopped.  Each thread may have one at a time.
class Profiler {
 public:
  /// `scheduler`: see CallProfile.
  explicit Profiler(std::string scheduler = {});
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// Forgets the last profile.  ErrorKind::definition when this thread has a profiler that is on.
  void start();
  /// Does nothing when it is off.  From any thread.
  void stop();
  /// The last call that returned while it was on; null when there is none.
  std::shared_ptr<CallProfile> last() const;

  /// The last call that was profiled in this thread; null when there is none.
  static std::shared_ptr<CallProfile> last_of_thread();
  /// Forgets the last profile of this thread.
  static void reset_thread();

  struct Recorder;

 private:
  std::shared_ptr<Recorder> recorder_;
};

/// How many profilers of this process are on: what a call asks first.
extern std::atomic<int> profilers_on;

/// A profile for a call that begins; null unless a profiler of this thread is on.
std::shared_ptr<CallProfile> begin_profile(int64_t fusion_id);
/// The call has returned: its profile is the thread's last.
void end_profile(const std::shared_ptr<CallProfile>& profile);

}  // namespace nvfuser
