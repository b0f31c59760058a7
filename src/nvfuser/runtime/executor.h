// SPDX-License-Identifier: Apache-2.0
// From inputs to kernels: facts -> Plan -> steps.  One executor serves one fusion; calls may come from several threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/fusion.h"

namespace nvfuser {

struct Device {
  enum class Kind : uint8_t { cpu, cuda } kind = Kind::cpu;
  int index = 0;
  bool operator==(const Device&) const = default;
};

/// A tensor argument.  Strides in elements.
struct TensorArgument {
  void* data = nullptr;
  DataType dtype = DataType::Null;
  Device device;
  std::vector<int64_t> sizes, strides;
};
using Argument = std::variant<TensorArgument, ScalarValue>;

/// What the caller has to allocate for one output.
struct OutputSpec {
  DataType dtype;
  Device device;
  std::vector<int64_t> sizes, strides;  ///< strides in elements; 0 for expanded axes
  int64_t elements = 0;                 ///< elements that memory must hold
  int alias_input = -1;                 ///< >= 0: the buffer of this input is the output's, nothing to allocate
  int same_as = -1;                     ///< >= 0: the tensor of that output, nothing to allocate
  bool hidden = false;                  ///< not returned
  bool workspace = false;               ///< memory of one call alone, after the fusion's outputs; not returned
  int given = -1;                       ///< >= 0: the caller's tensor of that position, nothing to allocate
};

class CallProfile;

/// How to run, where the caller wants to say so.
struct ExecuteOptions {
  std::optional<Way> way;  ///< none: cuda for CUDA inputs, else host, else evaluator
  void* stream = nullptr;
  uint64_t seed = 1;         ///< emulator: the order in which threads run
  std::string device_props;  ///< emulator: known device whose schedules are run; "" = H200
  /// Values of the fusion's random leaves; none: the state of default_generator(), which moves by what the fusion
  /// declares.
  std::optional<RandomState> random;
  CallProfile* profile = nullptr;  ///< where the call is being profiled (see profiler.h)
};

/// A call that is ready to run: outputs described, kernels compiled.
struct Plan;
class FusionExecutor;
class CallArguments;

/// One call of a batch.
struct Preparation {
  FusionExecutor* executor;
  std::vector<Argument> arguments;
  ExecuteOptions options;
};

class FusionExecutor {
 public:
  explicit FusionExecutor(std::shared_ptr<Fusion> fusion);
  ~FusionExecutor();

  /// The plan of a call by its facts; null when none was made yet.  Adds facts to the call.
  std::shared_ptr<const Plan> find(CallArguments& call, const ExecuteOptions& options = {});
  /// Finds the plan of a call by its facts, or checks the arguments against the fusion (errors name the input, what was
  /// expected and what came) and makes it.  Devices: all tensors on one device; CPU tensors without axes
  /// may mix: kernels get their values, read at the call.  Arguments behind the fusion's inputs are tensors into which
  /// its visible outputs are written.  Adds facts to the call, unless `find` has.  ErrorKind::device, with nothing
  /// done, where options.stream is being captured and there is no plan.
  std::shared_ptr<const Plan> prepare(CallArguments& call, const ExecuteOptions& options = {});
  std::shared_ptr<const Plan> prepare(const std::vector<Argument>& arguments, const ExecuteOptions& options = {});
  /// The plans of several calls, of any executors, with all kernels of one way compiled as one unit.  An error of one
  /// call is the error of all, and a failing compiler is an error.
  static std::vector<std::shared_ptr<const Plan>> prepare_all(const std::vector<Preparation>& calls);
  /// Texts of the kernels of a call, lowered for its way and device and not compiled: no device and no compiler is
  /// needed.
  static std::vector<std::string> kernel_texts(const Preparation& call);
  /// Runs a plan on buffers: `outputs` parallel to outputs_of(plan), ignored where alias_input or same_as is set.
  void run(const Plan& plan, const CallArguments& call, std::span<void* const> outputs,
           const ExecuteOptions& options = {});
  void run(const Plan& plan, const std::vector<Argument>& arguments, const std::vector<void*>& outputs,
           const ExecuteOptions& options = {});
  /// Is input k a scalar whose value decides the size of some tensor?
  bool is_sizing(int k) const;
  int input_count() const;
  /// How the last call ran; none before the first.
  std::optional<Way> last_way() const;
  /// Plans that are kept.
  size_t plan_count() const;
  static const std::vector<OutputSpec>& outputs_of(const Plan& plan);
  static Way way_of(const Plan& plan);
  static Device device_of(const Plan& plan);
  /// Does it take microseconds on the calling thread alone?  A caller need not let others run meanwhile.
  static bool is_brief(const Plan& plan);
  /// How far a call moves the offset of its random generator.
  static uint64_t offset_advance_of(const Plan& plan);
  /// Text of all kernels of a plan; Params and Facts of each, one line.
  static std::string kernel_text(const Plan& plan);
  static std::string describe(const Plan& plan);
  /// Why the evaluator runs this plan although nobody asked for it; empty otherwise.
  static const std::string& fallback_reason(const Plan& plan);

  const std::shared_ptr<Fusion>& fusion() const { return fusion_; }

  /// A number of the caller's, which profiles show.
  int64_t fusion_id = 0;

 private:
  void add_facts(CallArguments& call, const ExecuteOptions& options) const;

  std::shared_ptr<Fusion> fusion_;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nvfuser
