// SPDX-License-Identifier: Apache-2.0
// The twin of python/bindings/casters.h: pybind11's casters over the same readers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nvfuser/ir/dtype.h"
#include "over_pybind11.h"

namespace nvfuser::python {

namespace nb = nanobind;

struct Flag {
  bool value = false;
  operator bool() const { return value; }
};

[[noreturn, gnu::cold]] void refuse_items(const char* argument, const std::string& fault);

template <class T>
struct Items {
  std::vector<T> values;
  std::string fault;
  const std::vector<T>& as(const char* argument) const {
    if (!fault.empty()) {
      refuse_items(argument, fault);
    }
    return values;
  }
};
using Ints = Items<int64_t>;
using Flags = Items<bool>;

inline PyObject* python_type(const nb::builtin_exception& error) {
  return dynamic_cast<const nb::value_error*>(&error) != nullptr ? PyExc_ValueError : PyExc_TypeError;
}

bool read_flag(nb::handle object, bool& value);
bool read_items(nb::handle object, std::vector<int64_t>& values, std::string& fault);
bool read_items(nb::handle object, std::vector<bool>& values, std::string& fault);
bool read_contiguity(nb::handle object, std::vector<std::optional<bool>>& values, bool with_ints);
bool read_data_type(nb::handle object, DataType& value, std::string& fault);

}  // namespace nvfuser::python

namespace pybind11::detail {

/// A value, or what is wrong with it, which is raised where the function is about to be called.
template <class T>
struct checked_caster {
  template <class T_>
  using cast_op_type = movable_cast_op_type<T_>;
  operator T*() { return &checked(); }
  operator T&() { return checked(); }
  operator T&&() && { return std::move(checked()); }
  T value{};
  std::string fault;

 private:
  T& checked() {
    if (!fault.empty()) {
      throw type_error(fault);
    }
    return value;
  }
};

template <class T>
struct type_caster<nvfuser::python::Items<T>> {
  using Items = nvfuser::python::Items<T>;
  PYBIND11_TYPE_CASTER(Items, (list_caster<std::vector<T>, T>::name));
  bool load(handle object, bool) { return nvfuser::python::read_items(object, value.values, value.fault); }
};

template <>
struct type_caster<std::vector<std::optional<bool>>> : checked_caster<std::vector<std::optional<bool>>> {
  using List = list_caster<std::vector<std::optional<bool>>, std::optional<bool>>;
  static constexpr auto name = List::name;
  bool load(handle object, bool convert) { return nvfuser::python::read_contiguity(object, value, convert); }
  template <class T>
  static handle cast(T&& values, return_value_policy policy, handle parent) {
    return List::cast(std::forward<T>(values), policy, parent);
  }
};

template <>
struct type_caster<nvfuser::python::Flag> : checked_caster<nvfuser::python::Flag> {
  static constexpr auto name = const_name("bool");
  bool load(handle object, bool) { return nvfuser::python::read_flag(object, value.value); }
  static handle cast(nvfuser::python::Flag flag, return_value_policy, handle) {
    return handle(flag ? Py_True : Py_False).inc_ref();
  }
};

template <>
struct type_caster<nvfuser::DataType> : checked_caster<nvfuser::DataType> {
  using Enum = type_caster_enum_type<nvfuser::DataType>;
  static constexpr auto name = Enum::name;
  bool load(handle object, bool convert) {
    Enum caster;
    if (caster.load(object, convert)) {
      value = caster.operator nvfuser::DataType&();
      return true;
    }
    return nvfuser::python::read_data_type(object, value, fault);
  }
  static handle cast(nvfuser::DataType type, return_value_policy policy, handle parent) {
    return Enum::cast(type, policy, parent);
  }
};

}  // namespace pybind11::detail
