// SPDX-License-Identifier: Apache-2.0
// How nanobind gets arguments of the types that take more than their name says: see sequences.cpp.  A caster takes what
// is of the kind, so overloads are told apart by kind.  What is wrong with it is raised where the value is asked for,
// so the message names what only the function knows; inside of another caster it is "not this type".
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <vector>

#include "nvfuser/ir/dtype.h"

namespace nvfuser::python {

namespace nb = nanobind;

/// A boolean parameter that takes 0, 1 and NumPy's booleans too.
struct Flag {
  bool value = false;
  operator bool() const { return value; }
};

/// TypeError: what is wrong with the items of an argument.
[[noreturn, gnu::cold]] void refuse_items(const char* argument, const std::string& fault);

/// The items of a sequence parameter, or what is wrong with one of them.
template <class T>
struct Items {
  std::vector<T> values;
  std::string fault;
  /// TypeError that names the argument where an item is wrong.
  const std::vector<T>& as(const char* argument) const {
    if (!fault.empty()) {
      refuse_items(argument, fault);
    }
    return values;
  }
};
using Ints = Items<int64_t>;
using Flags = Items<bool>;

/// The class of an exception that nanobind raises by itself.
inline PyObject* python_type(const nb::builtin_exception& error) {
  return error.type() == nb::exception_type::value_error ? PyExc_ValueError : PyExc_TypeError;
}

/// All of these: false where the object is of another kind; `fault` says which element is wrong.  They may throw.
bool read_flag(nb::handle object, bool& value);
bool read_items(nb::handle object, std::vector<int64_t>& values, std::string& fault);
bool read_items(nb::handle object, std::vector<bool>& values, std::string& fault);
/// `with_ints`: 0 and 1 are taken too, which else would be strides.
bool read_contiguity(nb::handle object, std::vector<std::optional<bool>>& values, bool with_ints);
/// Dtypes of torch and NumPy, and Python's number types.
bool read_data_type(nb::handle object, DataType& value, std::string& fault);

}  // namespace nvfuser::python

namespace nanobind::detail {

/// Runs a reader that may throw; what it throws is the fault.
template <class Read>
bool guarded(std::string& fault, const Read& read) noexcept {
  try {
    return read();
  } catch (const python_error& error) {
    fault = error.what();
  } catch (const std::exception& error) {
    fault = error.what();
  }
  return true;
}

/// A value, or what is wrong with it.
template <class T>
struct checked_caster {
  using Value = T;
  template <class T_>
  using Cast = movable_cast_t<T_>;
  template <class>
  bool can_cast() const noexcept {
    return fault.empty();
  }
  explicit operator Value*() { return &checked(); }
  explicit operator Value&() { return checked(); }
  explicit operator Value&&() { return static_cast<Value&&>(checked()); }

  Value value{};
  std::string fault;

 private:
  Value& checked() {
    if (!fault.empty()) {
      throw type_error(fault.c_str());
    }
    return value;
  }
};

template <class T>
struct type_caster<nvfuser::python::Items<T>> {
  NB_TYPE_CASTER(nvfuser::python::Items<T>, (list_caster<std::vector<T>, T>::Name))
  bool from_python(handle object, uint32_t, cleanup_list*) noexcept {
    return guarded(value.fault, [&] { return nvfuser::python::read_items(object, value.values, value.fault); });
  }
};

template <>
struct type_caster<std::vector<std::optional<bool>>> : checked_caster<std::vector<std::optional<bool>>> {
  using List = list_caster<std::vector<std::optional<bool>>, std::optional<bool>>;
  static constexpr auto Name = List::Name;
  bool from_python(handle object, uint32_t flags, cleanup_list*) noexcept {
    const bool with_ints = (flags & static_cast<uint32_t>(cast_flags::convert)) != 0;
    return guarded(fault, [&] { return nvfuser::python::read_contiguity(object, value, with_ints); });
  }
  template <class T>
  static handle from_cpp(T&& values, rv_policy policy, cleanup_list* cleanup) noexcept {
    return List::from_cpp(std::forward<T>(values), policy, cleanup);
  }
};

template <>
struct type_caster<nvfuser::python::Flag> : checked_caster<nvfuser::python::Flag> {
  static constexpr auto Name = const_name("bool");
  bool from_python(handle object, uint32_t, cleanup_list*) noexcept {
    return guarded(fault, [&] { return nvfuser::python::read_flag(object, value.value); });
  }
};

template <>
struct type_caster<nvfuser::DataType> : checked_caster<nvfuser::DataType> {
  static constexpr auto Name = const_name<nvfuser::DataType>();
  bool from_python(handle object, uint32_t flags, cleanup_list* cleanup) noexcept {
    int64_t number = 0;
    if (PyLong_Check(object.ptr())) {
      return false;  // which nanobind would take for an enumerator
    }
    if (NB_CALL(enum_from_python)(NB_CTX_C(cleanup), &typeid(nvfuser::DataType), object.ptr(), &number, flags)) {
      value = static_cast<nvfuser::DataType>(number);
      return true;
    }
    return guarded(fault, [&] { return nvfuser::python::read_data_type(object, value, fault); });
  }
  static handle from_cpp(nvfuser::DataType type, rv_policy, cleanup_list* cleanup) noexcept {
    return NB_CALL(enum_from_cpp)(NB_CTX_C(cleanup), &typeid(nvfuser::DataType), static_cast<int64_t>(type));
  }
};

}  // namespace nanobind::detail
