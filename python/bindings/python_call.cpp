// SPDX-License-Identifier: Apache-2.0
// Borrow, run, wrap.
#include "python_call.h"

#include <algorithm>
#include <string>

#include "nvfuser/ir/titles.h"

namespace nvfuser::python {
namespace {

/// Calls of up to so many tensors move nothing while they are added.
constexpr size_t kFewArguments = 12;

/// Items of lists and tuples stand for themselves.
bool is_nested(nb::handle object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }

/// An item of a list, held: what is done with it may run code that changes the list.  Invalid past the end.
nb::object item_of(nb::handle list, Py_ssize_t position) {
#if defined(NB_FREE_THREADED)
  return nb::steal(PyList_GetItemRef(list.ptr(), position));
#else
  return nb::borrow(PyList_GetItem(list.ptr(), position));
#endif
}

template <class Visit>
void for_each(nb::handle sequence, Visit&& visit) {
  if (PyList_Check(sequence.ptr())) {
    for (Py_ssize_t k = 0; k < PyList_Size(sequence.ptr()); ++k) {
      const nb::object item = item_of(sequence, k);
      if (!item.is_valid()) {
        nb::raise_python_error();  // another thread made the list shorter
      }
      visit(nb::handle(item));
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
[[noreturn, gnu::cold]] void refuse_input(const Fusion& fusion, int position, const std::string& why) {
  const std::string text = describe_input(fusion, position);
  throw nb::type_error(
      ("input " + std::to_string(position) + ": " + why + (text.empty() ? "" : "; it is for " + text)).c_str());
}

[[noreturn, gnu::cold]] void refuse_writing(const std::string& name) {
  throw nb::value_error((name + " is read-only, but an output is written into it").c_str());
}

}  // namespace

PythonCall::PythonCall(const FusionExecutor& executor) : executor_(executor) {
  const size_t count = std::max<size_t>(kFewArguments, 2 * static_cast<size_t>(executor.input_count()));
  arguments_.reserve(count);
  held_.reserve(count);
}

void PythonCall::lend(nb::handle object, const Exchange& exchange) {
  exchange.borrow(object, arguments_);
  held_.push_back({nb::borrow(object), &exchange});
}

/// An object of a type that was not asked for last.
void PythonCall::add_unknown(nb::handle object) {
  std::optional<ScalarValue> number = python_scalar(object);
  nb::object known = nb::borrow(object);
  const Exchange* exchange = number ? nullptr : exchange_of(object);
  if (!number && exchange == nullptr) {
    known = nb::module_::import_("nvfuser.tensors").attr("as_known")(object);
    number = python_scalar(known);
    exchange = number ? nullptr : exchange_of(known);
  }
  if (number) {
    arguments_.add(*number, executor_.is_sizing(arguments_.size()));
    held_.push_back({std::move(known), nullptr});
  } else {
    lend(known, *exchange);
  }
}

void PythonCall::add_input(nb::handle object) {
  const Exchange* exchange = quick_exchange_of(object);
  if (exchange == nullptr && is_nested(object)) {
    return for_each(object, [&](nb::handle item) { add_input(item); });
  }
  const int position = arguments_.size();
  const Fusion& fusion = *executor_.fusion();
  try {
    exchange != nullptr ? lend(object, *exchange) : add_unknown(object);
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
    const Exchange* exchange = quick_exchange_of(item);
    if (exchange == nullptr && (python_scalar(item) || (exchange = exchange_of(item)) == nullptr)) {
      throw nb::type_error(("out[" + std::to_string(position) + "]: expected a tensor").c_str());
    }
    lend(item, *exchange);
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

void* PythonCall::stream() const {
  for (int k = 0; k < arguments_.size(); ++k) {
    if (arguments_.is_tensor(k) && arguments_.device(k).kind == Device::Kind::cuda) {
      return results_exchange().stream(arguments_.device(k));
    }
  }
  return nullptr;
}

void PythonCall::add_result(const OutputSpec& spec) {
  void* address = nullptr;
  if (spec.alias_input >= 0) {
    const Held& target = held_[spec.alias_input];
    if (!target.exchange->writable(target.object)) {
      refuse_writing("input " + std::to_string(spec.alias_input) + ", " +
                     describe_input(*executor_.fusion(), spec.alias_input) + ",");
    }
    results_.push_back(target);
  } else if (spec.given >= 0) {
    const int position = arguments_.inputs() + spec.given;
    const Held& target = held_[position];
    if (!target.exchange->writable(target.object)) {
      refuse_writing("out[" + std::to_string(spec.given) + "]");
    }
    address = arguments_.data(position);
    results_.push_back(target);
  } else if (spec.same_as >= 0) {
    results_.push_back(results_[spec.same_as]);
  } else {
    results_.push_back({maker_->make(spec, address), maker_});
  }
  addresses_.push_back(address);
}

void PythonCall::allocate(const Plan& plan) {
  const std::vector<OutputSpec>& specs = FusionExecutor::outputs_of(plan);
  maker_ = &results_exchange();
  results_.reserve(specs.size());
  addresses_.reserve(specs.size());
  for (const OutputSpec& spec : specs) {
    add_result(spec);
  }
}

void PythonCall::launch(FusionExecutor& executor, const Plan& plan, ExecuteOptions& options) {
  options.stream = maker_->stream(FusionExecutor::device_of(plan));
  if (FusionExecutor::is_brief(plan)) {
    return executor.run(plan, arguments_, addresses_, options);
  }
  nb::gil_scoped_release release;
  executor.run(plan, arguments_, addresses_, options);
}

nb::list PythonCall::finish(const Plan& plan) {
  const std::vector<OutputSpec>& specs = FusionExecutor::outputs_of(plan);
  const auto is_visible = [](const OutputSpec& spec) { return !spec.hidden && !spec.workspace; };
  nb::list visible = nb::steal<nb::list>(PyList_New(std::count_if(specs.begin(), specs.end(), is_visible)));
  Py_ssize_t place = 0;
  for (size_t k = 0; k < specs.size(); ++k) {
    const bool ours = specs[k].alias_input < 0 && specs[k].given < 0;
    if (!ours) {
      results_[k].exchange->written(results_[k].object);
    }
    if (is_visible(specs[k])) {
      nb::object result = ours ? results_[k].exchange->finish(std::move(results_[k].object)) : results_[k].object;
      PyList_SetItem(visible.ptr(), place++, result.release().ptr());
    }
  }
  return visible;
}

}  // namespace nvfuser::python
