// SPDX-License-Identifier: Apache-2.0
// Borrow, run, wrap.
#include "python_call.h"

#include <string>

namespace nvfuser::python {
namespace {

/// Items of lists and tuples stand for themselves.
bool is_nested(nb::handle object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }

template <class Visit>
void for_each(nb::handle sequence, Visit&& visit) {
  if (PyList_Check(sequence.ptr())) {
    for (Py_ssize_t k = 0; k < PyList_Size(sequence.ptr()); ++k) {
      visit(nb::handle(PyList_GetItem(sequence.ptr(), k)));
    }
  } else if (PyTuple_Check(sequence.ptr())) {
    for (Py_ssize_t k = 0; k < PyTuple_Size(sequence.ptr()); ++k) {
      visit(nb::handle(PyTuple_GetItem(sequence.ptr(), k)));
    }
  } else {
    for (nb::handle item : sequence) {
      visit(item);
    }
  }
}

/// What is wrong with an input, and which it is.
[[noreturn]] void refuse_input(const Fusion& fusion, int position, const std::string& why) {
  const std::string text = describe_input(fusion, position);
  throw nb::type_error(
      ("input " + std::to_string(position) + ": " + why + (text.empty() ? "" : "; it is for " + text)).c_str());
}

[[noreturn]] void refuse_writing(const std::string& name) {
  throw nb::value_error((name + " is read-only, but an output is written into it").c_str());
}

}  // namespace

void PythonCall::borrow(nb::object object) {
  const Exchange* exchange = exchange_of(object);
  if (exchange == nullptr) {
    object = nb::module_::import_("nvfuser.tensors").attr("as_known")(object);
    if (std::optional<ScalarValue> number = python_scalar(object)) {
      arguments_.add(*number, executor_.is_sizing(arguments_.size()));
      held_.push_back({std::move(object), nullptr});
      return;
    }
    exchange = exchange_of(object);
  }
  exchange->borrow(object, arguments_);
  held_.push_back({std::move(object), exchange});
}

void PythonCall::add_input(nb::handle object) {
  if (is_nested(object)) {
    return for_each(object, [&](nb::handle item) { add_input(item); });
  }
  const int position = arguments_.size();
  const Fusion& fusion = *executor_.fusion();
  try {
    if (std::optional<ScalarValue> number = python_scalar(object)) {
      arguments_.add(*number, executor_.is_sizing(position));
      held_.push_back({nb::borrow(object), nullptr});
    } else {
      borrow(nb::borrow(object));
    }
  } catch (const nb::python_error& error) {
    if (!error.matches(PyExc_TypeError)) {
      throw;
    }
    refuse_input(fusion, position, nb::cast<std::string>(nb::str(error.value())));
  } catch (const nb::builtin_exception& error) {
    refuse_input(fusion, position, error.what());
  } catch (const Error& error) {
    refuse_input(fusion, position, error.what());
  }
}

void PythonCall::add_inputs(nb::handle inputs) {
  if (!is_nested(inputs) && !nb::hasattr(inputs, "__iter__")) {
    throw nb::type_error(
        ("expected a list of inputs, got " + nb::cast<std::string>(nb::handle(inputs.type()).attr("__name__")))
            .c_str());
  }
  for_each(inputs, [&](nb::handle item) { add_input(item); });
}

void PythonCall::add_targets(nb::handle targets) {
  arguments_.begin_targets();
  size_t position = 0;
  for_each(targets, [&](nb::handle item) {
    if (python_scalar(item) || exchange_of(item) == nullptr) {
      throw nb::type_error(("out[" + std::to_string(position) + "]: expected a tensor").c_str());
    }
    borrow(nb::borrow(item));
    ++position;
  });
}

const Exchange& PythonCall::results_exchange() const {
  for (const Held& held : held_) {
    if (held.exchange != nullptr) {
      return *held.exchange;
    }
  }
  return default_exchange();
}

nb::list PythonCall::run(FusionExecutor& executor, const Plan& plan, ExecuteOptions options) {
  const std::vector<OutputSpec>& specs = FusionExecutor::outputs_of(plan);
  std::pmr::vector<void*> addresses(specs.size(), nullptr, &memory_);
  std::pmr::vector<Held> results(&memory_);
  results.reserve(specs.size());
  const Exchange& exchange = results_exchange();
  for (size_t k = 0; k < specs.size(); ++k) {
    const OutputSpec& spec = specs[k];
    if (spec.alias_input >= 0) {
      if (const Held& target = held_[spec.alias_input]; !target.exchange->writable(target.object)) {
        refuse_writing("input " + std::to_string(spec.alias_input) + ", " +
                       describe_input(*executor.fusion(), spec.alias_input) + ",");
      }
      results.push_back(held_[spec.alias_input]);
    } else if (spec.given >= 0) {
      const int position = arguments_.inputs() + spec.given;
      if (!held_[position].exchange->writable(held_[position].object)) {
        refuse_writing("out[" + std::to_string(spec.given) + "]");
      }
      addresses[k] = arguments_.data(position);
      results.push_back(held_[position]);
    } else if (spec.same_as >= 0) {
      results.push_back(results[spec.same_as]);
    } else {
      results.push_back({exchange.make(spec, addresses[k]), &exchange});
    }
  }
  options.stream = exchange.stream(FusionExecutor::device_of(plan));
  {
    nb::gil_scoped_release release;
    executor.run(plan, arguments_, addresses, options);
  }
  nb::list visible;
  for (size_t k = 0; k < specs.size(); ++k) {
    const bool ours = specs[k].alias_input < 0 && specs[k].given < 0;
    if (!ours) {
      results[k].exchange->written(results[k].object);
    }
    if (!specs[k].hidden && !specs[k].workspace) {
      visible.append(ours ? results[k].exchange->finish(std::move(results[k].object)) : results[k].object);
    }
  }
  return visible;
}

}  // namespace nvfuser::python
