// SPDX-License-Identifier: Apache-2.0
// Arguments as users have them: integers of Python and NumPy in sequences of any kind, 0 and 1 for booleans, dtypes of
// torch and NumPy.  A sequence is sized once and its items are held while they are read, because reading them may run
// the user's code.
#include "bindings.h"
#include "imported.h"

namespace nvfuser::python {
namespace {

constexpr Py_ssize_t kLongest = 1 << 16;

bool is_text(nb::handle object) { return PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr()); }

[[gnu::cold]] std::string element_fault(size_t index, const char* expected, nb::handle found) {
  return "element " + std::to_string(index) + ": expected " + expected + ", got " + class_name(found);
}

/// The items of a sequence as a tuple; an invalid object, with no error set, where there is no sequence.
nb::object items_of(nb::handle object) {
  if (PyTuple_Check(object.ptr())) {
    return nb::borrow(object);
  }
  if (PyList_Check(object.ptr())) {
    return nb::steal(PyList_AsTuple(object.ptr()));
  }
  if (is_text(object) || PyDict_Check(object.ptr()) || !PySequence_Check(object.ptr())) {
    return {};
  }
  const Py_ssize_t size = PySequence_Size(object.ptr());
  nb::object items = size >= 0 && size <= kLongest ? nb::steal(PyTuple_New(size)) : nb::object();
  for (Py_ssize_t k = 0; items.is_valid() && k < size; ++k) {
    PyObject* item = PySequence_GetItem(object.ptr(), k);
    if (item == nullptr) {
      items = nb::object();
      break;
    }
    PyTuple_SetItem(items.ptr(), k, item);
  }
  PyErr_Clear();
  return items;
}

/// Calls read(item, index) for each item, until it says that one is wrong.
template <class Read>
bool for_each_item(nb::handle object, const Read& read) {
  const nb::object items = items_of(object);
  if (!items.is_valid()) {
    return false;
  }
  const auto size = static_cast<size_t>(PyTuple_Size(items.ptr()));
  for (size_t k = 0; k < size && read(nb::handle(PyTuple_GetItem(items.ptr(), static_cast<Py_ssize_t>(k))), k); ++k) {
  }
  return true;
}

bool is_numpy_bool(nb::handle object) {
  static constinit Imported type("numpy", "bool_");
  return reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) == type.get();
}

}  // namespace

void refuse_items(const char* argument, const std::string& fault) {
  throw nb::type_error(("argument '" + std::string(argument) + "', " + fault).c_str());
}

std::optional<int64_t> python_int(nb::handle object) {
  nb::object number = nb::borrow(object);
  if (!PyLong_Check(object.ptr())) {
    number = PyIndex_Check(object.ptr()) ? nb::steal(PyNumber_Index(object.ptr())) : nb::object();
    if (!number.is_valid()) {
      PyErr_Clear();
      return std::nullopt;
    }
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow != 0) {
    throw nb::type_error(
        ("the integer " + nb::cast<std::string>(nb::str(number)) + " does not fit into 64 bits").c_str());
  }
  return int64_t{value};
}

std::optional<nb::object> sequence_items(nb::handle object) {
  nb::object items = items_of(object);
  return items.is_valid() ? std::optional(std::move(items)) : std::nullopt;
}

bool read_flag(nb::handle object, bool& value) {
  if (PyBool_Check(object.ptr()) || is_numpy_bool(object)) {
    value = PyObject_IsTrue(object.ptr()) == 1;
    return true;
  }
  if (!PyLong_Check(object.ptr())) {
    return false;
  }
  const std::optional<int64_t> number = python_int(object);
  value = number == 1;
  return value || number == 0;
}

bool read_items(nb::handle object, std::vector<int64_t>& values, std::string& fault) {
  return for_each_item(object, [&](nb::handle item, size_t index) {
    const std::optional<int64_t> number = nb::isinstance<ValRef>(item) ? std::nullopt : python_int(item);
    if (!number) {
      fault = element_fault(index, "an int", item);
      return false;
    }
    values.push_back(*number);
    return true;
  });
}

bool read_items(nb::handle object, std::vector<bool>& values, std::string& fault) {
  return for_each_item(object, [&](nb::handle item, size_t index) {
    bool flag = false;
    if (!read_flag(item, flag)) {
      fault = element_fault(index, "a bool", item);
      return false;
    }
    values.push_back(flag);
    return true;
  });
}

bool read_contiguity(nb::handle object, std::vector<std::optional<bool>>& values, bool with_ints) {
  bool all = true;
  const bool is_sequence = for_each_item(object, [&](nb::handle item, size_t) {
    bool flag = false;
    all = item.is_none() ||
          ((with_ints || !PyLong_Check(item.ptr()) || PyBool_Check(item.ptr())) && read_flag(item, flag));
    values.push_back(item.is_none() ? std::nullopt : std::optional(flag));
    return all;
  });
  return is_sequence && all;
}

bool read_data_type(nb::handle object, DataType& value, std::string& fault) {
  PyObject* const o = object.ptr();
  if (o == Py_None || PyLong_Check(o) || PyFloat_Check(o) || PyComplex_Check(o) || PyList_Check(o) ||
      PyTuple_Check(o) || is_text(object) || nb::isinstance<ValRef>(object)) {
    return false;
  }
  const nb::object found = nb::module_::import_("nvfuser.tensors").attr("data_type_like")(object);
  if (PyUnicode_Check(found.ptr())) {
    fault = nb::cast<std::string>(found);
    return true;
  }
  return !found.is_none() && nb::try_cast(found, value);
}

}  // namespace nvfuser::python
