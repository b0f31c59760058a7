// SPDX-License-Identifier: Apache-2.0
// Exchange with NumPy through __array_struct__, which describes arrays of every element type in one step.
#include <algorithm>
#include <array>

#include "exchange.h"
#include "nvfuser/runtime/host_memory.h"

namespace nvfuser::python {
namespace {

/// What the capsule of __array_struct__ holds: https://numpy.org/doc/stable/reference/arrays.interface.html
struct ArrayStruct {
  int two;
  int rank;
  char kind;
  int element_bytes;
  int flags;
  intptr_t* shape;
  intptr_t* strides;  ///< bytes
  void* data;
  PyObject* descriptor;
};
constexpr int kNotSwapped = 0x200, kWritable = 0x400;

/// NumPy's own types: kind, bytes, DataType.
struct Row {
  char kind;
  int bytes;
  DataType dtype;
};
constexpr Row kRows[] = {
    {'f', 4, DataType::Float}, {'f', 8, DataType::Double},       {'f', 2, DataType::Half},
    {'i', 8, DataType::Int},   {'i', 4, DataType::Int32},        {'u', 8, DataType::UInt64},
    {'b', 1, DataType::Bool},  {'c', 8, DataType::ComplexFloat}, {'c', 16, DataType::ComplexDouble},
};

class NumpyExchange final : public Exchange {
 public:
  NumpyExchange()
      : framework_(framework_named("numpy")),
        empty_(nb::module_::import_("numpy").attr("empty")),
        array_struct_(PyUnicode_InternFromString("__array_struct__")) {
    for (const Row& row : kRows) {
      dtypes_[static_cast<size_t>(row.dtype)] = framework_.attr("dtype")(nb::cast(row.dtype));
    }
  }

  void borrow(nb::handle array, CallArguments& arguments) const override {
    const nb::object capsule = describe(array);
    const auto* lent = static_cast<const ArrayStruct*>(PyCapsule_GetPointer(capsule.ptr(), nullptr));
    const Row* row = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const Row& r) { return r.kind == lent->kind && r.bytes == lent->element_bytes; });
    if (row == std::end(kRows) || !(lent->flags & kNotSwapped) || is_odd(*lent)) {
      return borrow_checked(framework_, array, arguments);
    }
    int64_t* words = arguments.add(lent->data, row->dtype, {}, lent->rank);
    for (int axis = 0; axis < lent->rank; ++axis) {
      words[axis] = lent->shape[axis];
      words[lent->rank + axis] = lent->strides[axis] / lent->element_bytes;
    }
    arguments.seal();
  }

  nb::object make(const OutputSpec& spec, void*& data) const override {
    const nb::object& dtype = dtypes_[static_cast<size_t>(spec.dtype)];
    const bool plain = dtype.is_valid() && spec.elements * bytes_of(spec.dtype) < kPooledBytes && is_row_major(spec);
    if (!plain) {
      return make_checked(framework_, spec, data);
    }
    nb::object shape = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(spec.sizes.size())));
    for (size_t axis = 0; axis < spec.sizes.size(); ++axis) {
      PyTuple_SetItem(shape.ptr(), static_cast<Py_ssize_t>(axis), PyLong_FromLongLong(spec.sizes[axis]));
    }
    nb::object array = nb::steal(PyObject_CallFunctionObjArgs(empty_.ptr(), shape.ptr(), dtype.ptr(), nullptr));
    if (!array.is_valid()) {
      nb::raise_python_error();
    }
    const nb::object capsule = describe(array);
    data = static_cast<const ArrayStruct*>(PyCapsule_GetPointer(capsule.ptr(), nullptr))->data;
    return array;
  }

  void* stream(const Device&) const override { return nullptr; }

  bool writable(nb::handle array) const override {
    const nb::object capsule = describe(array);
    return static_cast<const ArrayStruct*>(PyCapsule_GetPointer(capsule.ptr(), nullptr))->flags & kWritable;
  }

 private:
  nb::object describe(nb::handle array) const {
    nb::object capsule = nb::steal(PyObject_GetAttr(array.ptr(), array_struct_));
    if (!capsule.is_valid()) {
      nb::raise_python_error();
    }
    return capsule;
  }

  /// Strides that are no multiples of the element.
  static bool is_odd(const ArrayStruct& lent) {
    return std::any_of(lent.strides, lent.strides + lent.rank,
                       [&](intptr_t stride) { return stride % lent.element_bytes != 0; });
  }

  nb::object framework_, empty_;
  PyObject* array_struct_;
  std::array<nb::object, std::size(kDataTypes)> dtypes_;
};

}  // namespace

const Exchange* numpy_exchange(PyTypeObject* type) {
  const nb::handle object(reinterpret_cast<PyObject*>(type));
  if (!object.is(nb::module_::import_("numpy").attr("ndarray"))) {
    return nullptr;
  }
  return new NumpyExchange;
}

}  // namespace nvfuser::python
