// SPDX-License-Identifier: Apache-2.0
// Calls from Python.  `Executable` is the base of what users call, so that no Python code runs between them and a plan.
#include "bindings.h"
#include "docs_call.h"
#include "nvfuser/ir/titles.h"
#include "nvfuser/runtime/executor.h"
#include "nvfuser/runtime/profiler.h"
#include "python_call.h"

namespace nvfuser::python {
namespace {

struct Executable {
  std::shared_ptr<FusionExecutor> executor;  ///< null until the first call
};

/// Once for each reason why no kernel runs: a Python warning.
void warn_of(const Plan& plan) {
  const std::string& reason = FusionExecutor::fallback_reason(plan);
  if (!reason.empty()) [[unlikely]] {
    nb::module_::import_("nvfuser.ways").attr("warn_once")(reason);
  }
}

/// The plan of a call with its inputs added.  On the way, and nowhere later, a plan is made.
std::shared_ptr<const Plan> plan_of(FusionExecutor& executor, PythonCall& call, ExecuteOptions& options) {
  std::shared_ptr<const Plan> plan = executor.find(call.arguments(), options);
  if (!plan) [[unlikely]] {
    options.stream = call.stream();
    nb::gil_scoped_release release;
    plan = executor.prepare(call.arguments(), options);
  }
  warn_of(*plan);
  return plan;
}

nb::list run_call(FusionExecutor& executor, nb::handle inputs, nb::handle out, ExecuteOptions& options) {
  PythonCall call(executor);
  call.add_inputs(inputs);
  if (!out.is_none()) {
    call.add_targets(out);
  }
  const std::shared_ptr<const Plan> plan = plan_of(executor, call, options);
  call.allocate(*plan);
  call.launch(executor, *plan, options);
  return call.finish(*plan);
}

nb::list execute(FusionExecutor& executor, nb::handle inputs, nb::handle out, ExecuteOptions& options) {
  if (profilers_on.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    if (const std::shared_ptr<CallProfile> profile = begin_profile(executor.fusion_id)) {
      options.profile = profile.get();
      nb::list results = run_call(executor, inputs, out, options);
      end_profile(profile);
      return results;
    }
  }
  return run_call(executor, inputs, out, options);
}

/// A Way, or what nvfuser.ways makes one of.
std::optional<Way> to_way(nb::handle target) {
  if (target.is_none()) {
    return std::nullopt;
  }
  Way way;
  if (!nb::try_cast(target, way)) {
    way = nb::cast<Way>(nb::module_::import_("nvfuser.ways").attr("way_of")(target));
  }
  return way;
}

/// The name of a GPU; None is none.
std::string device_name(nb::handle schedule_for) {
  std::string name;
  if (schedule_for.is_none() || (PyUnicode_Check(schedule_for.ptr()) && PyUnicode_GetLength(schedule_for.ptr()) == 0)) {
    return name;  // nearly all calls
  }
  if (!nb::try_cast(schedule_for, name)) {
    throw nb::type_error(("argument 'schedule_for': expected a str, got " + class_name(schedule_for)).c_str());
  }
  return name;
}

/// Joint ownership: another thread may take the executor away while the call runs.
std::shared_ptr<FusionExecutor> executor_of(const nb::pointer_and_handle<Executable>& self) {
  const auto held = [&] {
    nb::ft_object_guard guard(self.h);
    return self.p->executor;
  };
  std::shared_ptr<FusionExecutor> executor = held();
  if (executor == nullptr) [[unlikely]] {
    self.h.attr("_ready")();
    executor = held();
  }
  return executor;
}

/// The first steps of a call, for measurements: 1 inputs are borrowed, 2 the plan is found, 3 results are made.
[[gnu::cold]] void part_of_call(FusionExecutor& executor, nb::handle inputs, nb::handle out, int steps) {
  PythonCall call(executor);
  ExecuteOptions options;
  call.add_inputs(inputs);
  if (!out.is_none()) {
    call.add_targets(out);
  }
  if (steps >= 2) {
    const std::shared_ptr<const Plan> plan = plan_of(executor, call, options);
    if (steps >= 3) {
      call.allocate(*plan);
    }
  }
}

}  // namespace

void bind_call(nb::module_& m) {
  nb::class_<Executable>(m, "Executable", docs::kExecutable)
      .def(nb::init<>())
      .def("__repr__",
           [](nb::handle self) {
             const std::shared_ptr<FusionExecutor>& executor = nb::inst_ptr<Executable>(self)->executor;
             return repr_text(class_name(self), executor ? summary_of(*executor->fusion()) : "empty");
           })
      .def_prop_rw(
          "executor", [](const Executable& self) { return self.executor; },
          [](Executable& self, std::shared_ptr<FusionExecutor> executor) { self.executor = std::move(executor); },
          nb::for_getter(nb::sig("def executor(self) -> FusionExecutor | None")),
          nb::for_setter(nb::sig("def executor(self, executor: FusionExecutor | None) -> None")),
          nb::for_setter(nb::arg("executor").none()), nb::lock_self(),
          "What plans and runs the calls; None before the first.")
      .def(
          "execute",
          [](nb::pointer_and_handle<Executable> self, nb::handle inputs, nb::handle out, nb::handle target,
             nb::handle schedule_for, uint64_t seed, nb::handle save_repro_inputs) {
            if (save_repro_inputs.ptr() != Py_False && !save_repro_inputs.is_none()) [[unlikely]] {
              self.h.attr("_keep_call")(inputs, target, schedule_for, seed, save_repro_inputs);
            }
            const std::shared_ptr<FusionExecutor> executor = executor_of(self);
            ExecuteOptions options;
            options.way = to_way(target);
            options.seed = seed;
            options.device_props = device_name(schedule_for);
            return execute(*executor, inputs, out, options);
          },
          "inputs"_a, nb::kw_only(), "out"_a = nb::none(), "target"_a = nb::none(), "schedule_for"_a.none() = "",
          "seed"_a = 1, "save_repro_inputs"_a.none() = false,
          nb::sig("def execute(self, inputs: Iterable[object], *, out: Sequence[object] | None = None, "
                  "target: str | Way | None = None, schedule_for: str = '', seed: int = 1, "
                  "save_repro_inputs: bool | str | os.PathLike[str] | None = False) -> list[typing.Any]"),
          docs::kExecute);
  m.def("part_of_call", &part_of_call, "executor"_a, "inputs"_a, "out"_a.none(), "steps"_a,
        nb::sig("def part_of_call(executor: FusionExecutor, inputs: Sequence[object], out: Sequence[object] | None, "
                "steps: int) -> None"),
        "The first steps of a call, for measurements: 1 inputs are borrowed, 2 the plan is found, 3 results are made.");
}

}  // namespace nvfuser::python
