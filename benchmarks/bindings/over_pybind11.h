// SPDX-License-Identifier: Apache-2.0
// The twin: as much of nanobind's interface as python/bindings/ uses, spelt in pybind11.  With it the sources of the
// module compile unchanged against pybind11, so both columns of the benchmark bind one surface.  Where pybind11 has a
// way of its own it is taken: native enums, holders, casters of its stl.h.  What it does not have is dropped, which
// costs it nothing: hand-written signatures and the report of leaks.
#pragma once

#include <pybind11/complex.h>
#include <pybind11/native_enum.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <new>
#include <type_traits>

#define NB_MODULE(name, variable)                       \
  static void fill_module(nanobind::module_& variable); \
  PYBIND11_MODULE(name, made_module) {                  \
    nanobind::module_ module_of_product = made_module;  \
    fill_module(module_of_product);                     \
  }                                                     \
  static void fill_module(nanobind::module_& variable)

namespace nvfuser {
class Fusion;
class FusionExecutor;
}  // namespace nvfuser

namespace nanobind {

namespace py = pybind11;
using namespace pybind11;
namespace literals = pybind11::literals;
using python_error = py::error_already_set;
using rv_policy = py::return_value_policy;
template <class T>
using accessor = py::detail::accessor<T>;

struct object;
struct handle : py::handle {
  using py::handle::handle;
  handle() = default;
  handle(const py::handle& other) : py::handle(other) {}
  template <class T>
  handle(const accessor<T>& other) : py::handle(other.ptr()) {}  // as an argument: the accessor outlives the call
  handle type() const { return reinterpret_cast<PyObject*>(Py_TYPE(ptr())); }
  bool is_valid() const { return ptr() != nullptr; }
  object operator[](Py_ssize_t position) const;
};

object item(const py::handle& of, Py_ssize_t position);

struct object : py::object {
  using py::object::object;
  object() = default;
  object(const py::object& other) : py::object(other) {}
  object(py::object&& other) : py::object(std::move(other)) {}
  template <class T>
  object(const accessor<T>& other) : py::object(other) {}
  static bool check_(py::handle) { return true; }
  handle type() const { return reinterpret_cast<PyObject*>(Py_TYPE(ptr())); }
  bool is_valid() const { return ptr() != nullptr; }
  object operator[](Py_ssize_t position) const { return item(*this, position); }
  void reset() { *this = object(); }
};

struct module_ : py::module_ {
  module_(const py::module_& other) : py::module_(other) {}
  static module_ import_(const char* name) { return py::module_::import(name); }
};

using py::cast;
template <class T, class P>
T cast(const accessor<P>& item) {
  return py::cast<T>(py::object(item));
}
template <class T>
bool try_cast(const py::handle& from, T& to) {
  py::detail::make_caster<T> caster;
  if (!caster.load(from, true)) {
    return false;
  }
  to = py::detail::cast_op<T>(caster);
  return true;
}
template <class T = object>
T steal(py::handle from) {
  return T(py::reinterpret_steal<std::conditional_t<std::is_same_v<T, object>, py::object, T>>(from));
}
inline object borrow(py::handle from) { return py::reinterpret_borrow<py::object>(from); }
template <class... Values>
py::tuple make_tuple(Values&&... values) {
  return py::make_tuple(std::forward<Values>(values)...);
}
[[noreturn]] inline void raise_python_error() { throw py::error_already_set(); }
inline void set_leak_warnings(bool) {}

template <class Translator>
void register_exception_translator(const Translator&) {
  py::register_exception_translator([](std::exception_ptr pointer) { Translator{}(pointer, nullptr); });
}

inline object item(const py::handle& of, Py_ssize_t position) {
  object found = steal(PySequence_GetItem(of.ptr(), position));
  if (!found.is_valid()) {
    raise_python_error();
  }
  return found;
}
inline object handle::operator[](Py_ssize_t position) const { return item(*this, position); }

// ---- instances made in place ----------------------------------------------------------------------------------------
template <class T>
handle type() {
  return py::detail::get_type_handle(typeid(T), true);
}
inline void*& value_of(py::handle instance) {
  return reinterpret_cast<py::detail::instance*>(instance.ptr())->simple_value_holder[0];
}
template <class T>
T* inst_ptr(py::handle instance) {
  return static_cast<T*>(value_of(instance));
}
inline object inst_alloc(py::handle of) {
  auto* python_type = reinterpret_cast<PyTypeObject*>(of.ptr());
  object made = steal(py::detail::make_new_instance(python_type));
  value_of(made) = ::operator new(py::detail::get_type_info(python_type)->type_size);
  return made;
}
inline void inst_mark_ready(py::handle made) {
  auto* instance = reinterpret_cast<py::detail::instance*>(made.ptr());
  py::detail::get_type_info(Py_TYPE(made.ptr()))->init_instance(instance, nullptr);
}

// ---- annotations ----------------------------------------------------------------------------------------------------
struct sig {
  explicit sig(const char*) {}
};
/// What a free-threaded interpreter needs, which pybind11 has no names for.
struct lock_self {};
struct ft_mutex {};
struct ft_lock_guard {
  explicit ft_lock_guard(ft_mutex&) {}
};
struct ft_object_guard {
  explicit ft_object_guard(handle) {}
};
template <class T>
struct for_getter {
  explicit for_getter(const T&) {}
};
template <class T>
struct for_setter {
  explicit for_setter(const T&) {}
};
template <class Function>
auto new_(Function&& function) {
  return py::init(std::forward<Function>(function));
}
template <class T>
struct pointer_and_handle {
  T* p;
  handle h;
};
/// nb::ndarray as bind_memory.cpp uses it.
struct numpy {};
template <int rank>
struct ndim {};
struct Bytes {
  py::array_t<uint8_t> value;
  Bytes(uint8_t* data, std::initializer_list<size_t> shape, const py::handle& owner)
      : value(std::vector<size_t>(shape), data, owner) {}
};
template <class Framework, class T, class Rank>
using ndarray = Bytes;

// ---- classes --------------------------------------------------------------------------------------------------------
template <class T>
using holder = std::conditional_t<std::is_same_v<T, nvfuser::Fusion> || std::is_same_v<T, nvfuser::FusionExecutor>,
                                  std::shared_ptr<T>, std::unique_ptr<T>>;

template <class T, class... Base>
class class_ : public py::class_<T, Base..., holder<T>> {
  using Super = py::class_<T, Base..., holder<T>>;

 public:
  using Super::Super;
  template <class... Args>
  class_& def(Args&&... args) {
    Super::def(std::forward<Args>(args)...);
    return *this;
  }
  template <class... Args>
  class_& def_prop_ro(Args&&... args) {
    Super::def_property_readonly(std::forward<Args>(args)...);
    return *this;
  }
  template <class... Args>
  class_& def_prop_rw(Args&&... args) {
    Super::def_property(std::forward<Args>(args)...);
    return *this;
  }
  template <class... Args>
  class_& def_ro(Args&&... args) {
    Super::def_readonly(std::forward<Args>(args)...);
    return *this;
  }
  template <class... Args>
  class_& def_rw(Args&&... args) {
    Super::def_readwrite(std::forward<Args>(args)...);
    return *this;
  }
};

template <class T>
class enum_ {
 public:
  enum_(const py::handle& scope, const char* name, const char* doc = "") : made_(scope, name, "enum.Enum", doc) {}
  ~enum_() { made_.finalize(); }
  enum_& value(const char* name, T value, const char* = nullptr) {
    made_.value(name, value);
    return *this;
  }

 private:
  py::native_enum<T> made_;
};

}  // namespace nanobind

namespace pybind11::detail {

template <>
struct process_attribute<nanobind::sig> : process_attribute_default<nanobind::sig> {};
template <>
struct process_attribute<nanobind::lock_self> : process_attribute_default<nanobind::lock_self> {};
template <class T>
struct process_attribute<nanobind::for_getter<T>> : process_attribute_default<nanobind::for_getter<T>> {};
template <class T>
struct process_attribute<nanobind::for_setter<T>> : process_attribute_default<nanobind::for_setter<T>> {};

template <>
struct type_caster<nanobind::handle> {
  PYBIND11_TYPE_CASTER(nanobind::handle, const_name("object"));
  bool load(handle from, bool) {
    value = from;
    return true;
  }
  static handle cast(const nanobind::handle& from, return_value_policy, handle) { return from.inc_ref(); }
};
template <class T>
struct type_caster<nanobind::pointer_and_handle<T>> {
  PYBIND11_TYPE_CASTER(nanobind::pointer_and_handle<T>, make_caster<T>::name);
  bool load(handle from, bool convert) {
    make_caster<T> caster;
    if (!caster.load(from, convert)) {
      return false;
    }
    value = {&cast_op<T&>(caster), from};
    return true;
  }
};
template <>
struct type_caster<nanobind::Bytes> {
  PYBIND11_TYPE_CASTER(nanobind::Bytes, const_name("numpy.ndarray"));
  static handle cast(nanobind::Bytes made, return_value_policy, handle) { return made.value.release(); }
};

}  // namespace pybind11::detail
