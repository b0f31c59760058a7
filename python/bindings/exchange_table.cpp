// SPDX-License-Identifier: Apache-2.0
// Exchange through DLPack's C table: no Python code runs for a tensor.  The table checks less than the framework's own
// export does, so what it would get silently wrong is asked here: lazily negated and conjugate views, tensors without
// memory.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "c_function.h"
#include "dlpack.h"
#include "exchange.h"
#include "nvfuser/runtime/host_memory.h"

namespace nvfuser::python {
namespace {

/// A tensor over memory that `owner` keeps, with sizes and strides of its own.
struct OwnedTensor {
  dlpack::ManagedTensor managed{};
  std::shared_ptr<void> owner;
  std::vector<int64_t> sizes, strides;
};

dlpack::ManagedTensor* own(std::shared_ptr<void> owner, void* data, const OutputSpec& spec) {
  auto* made = new OwnedTensor{{}, std::move(owner), spec.sizes, spec.strides};
  const DataTypeInfo& type = info(spec.dtype);
  made->managed.version = {dlpack::kMajor, 0};
  made->managed.context = made;
  made->managed.deleter = [](dlpack::ManagedTensor* self) { delete static_cast<OwnedTensor*>(self->context); };
  made->managed.tensor = {data,
                          {spec.device.kind == Device::Kind::cuda ? dlpack::kCuda : dlpack::kCpu, spec.device.index},
                          static_cast<int32_t>(spec.sizes.size()),
                          {static_cast<uint8_t>(type.dlpack_code), static_cast<uint8_t>(type.dlpack_bits),
                           static_cast<uint16_t>(type.dlpack_lanes)},
                          made->sizes.data(),
                          made->strides.data(),
                          0};
  return &made->managed;
}

void set_error(void*, const char* kind, const char* message) {
  const PyGILState_STATE state = PyGILState_Ensure();
  PyErr_Format(PyExc_RuntimeError, "the framework's allocator failed: %s: %s", kind, message);
  PyGILState_Release(state);
}

/// A question such as tensor.is_neg(), with the answer of types that do not know it: no.
class Question {
 public:
  Question(nb::handle example, const char* name) {
    if (nb::hasattr(example, name)) {
      name_ = PyUnicode_InternFromString(name);
      function_ = c_function_of(example.attr(name), METH_NOARGS);
    }
  }

  bool ask(nb::handle tensor) const {
    if (function_ != nullptr) {
      return call_c_function(function_, tensor.ptr(), nullptr).ptr() == Py_True;
    }
    if (name_ == nullptr) {
      return false;
    }
    const nb::object answer = nb::steal(PyObject_CallMethodObjArgs(tensor.ptr(), name_, nullptr));
    if (!answer.is_valid()) {
      nb::raise_python_error();
    }
    return answer.ptr() == Py_True;
  }

 private:
  PyObject* name_ = nullptr;
  PyCFunction function_ = nullptr;
};

nb::object int_tuple(const std::vector<int64_t>& values) {
  nb::object tuple = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(values.size())));
  for (size_t k = 0; k < values.size(); ++k) {
    PyTuple_SetItem(tuple.ptr(), static_cast<Py_ssize_t>(k), PyLong_FromLongLong(values[k]));
  }
  return tuple;
}

/// A framework's own C function (sizes, strides, dtype) -> tensor.  Such results can be resized and know their stream,
/// which those made by the table cannot, and cost less.  Its arguments are kept for the forms made last.
class StridedAllocator {
 public:
  explicit StridedAllocator(nb::object function) : function_(std::move(function), METH_VARARGS) {}
  explicit operator bool() const { return static_cast<bool>(function_); }

  nb::object make(const OutputSpec& spec, const nb::object& dtype) {
    const nb::object arguments = arguments_for(spec, dtype);  // held: another thread may take the slot meanwhile
    return function_(arguments);
  }

 private:
  struct Form {
    DataType dtype = DataType::Null;
    std::vector<int64_t> sizes, strides;
    nb::object arguments;
  };
  static constexpr size_t kForms = 64;

  static size_t slot_of(const OutputSpec& spec) {
    uint64_t mixed = static_cast<uint64_t>(spec.dtype);
    for (const int64_t size : spec.sizes) {
      mixed = (mixed ^ static_cast<uint64_t>(size)) * 0x9e3779b97f4a7c15ULL;
    }
    return mixed >> 58;
  }

  nb::object arguments_for(const OutputSpec& spec, const nb::object& dtype) {
    nb::ft_lock_guard guard(mutex_);
    Form& form = forms_[slot_of(spec)];
    if (form.dtype != spec.dtype || form.sizes != spec.sizes || form.strides != spec.strides) {
      form = {spec.dtype, spec.sizes, spec.strides,
              nb::make_tuple(int_tuple(spec.sizes), int_tuple(spec.strides), dtype)};
    }
    return form.arguments;
  }

  CFunction function_;
  nb::ft_mutex mutex_;
  std::array<Form, kForms> forms_;
};

class TableExchange final : public Exchange {
 public:
  TableExchange(const dlpack::ExchangeTable* table, nb::handle example)
      : table_(table),
        framework_(nb::module_::import_("nvfuser.tensors").attr("framework_of")(example)),
        is_neg_(example, "is_neg"),
        is_conj_(example, "is_conj"),
        bump_version_(nb::getattr(framework_, "increment_version", nb::none()), METH_O),
        on_cpu_(nb::getattr(framework_, "strided_on_cpu", nb::none())),
        on_cuda_(nb::getattr(framework_, "strided_on_cuda", nb::none())) {
    for (const DataTypeInfo& row : kDataTypes) {
      dtypes_[static_cast<size_t>(row.type)] =
          framework_.is_none() ? nb::none() : framework_.attr("dtypes").attr("get")(nb::cast(row.type));
    }
  }

  void borrow(nb::handle tensor, CallArguments& arguments) const override {
    dlpack::Tensor lent;
    if (table_->borrow(tensor.ptr(), &lent) != 0) {
      PyErr_Clear();
      return borrow_slowly(tensor, arguments);
    }
    const DataType dtype = data_type_of(lent.dtype.code, lent.dtype.bits, lent.dtype.lanes);
    const bool on_cuda = lent.device.type == dlpack::kCuda || lent.device.type == dlpack::kCudaManaged;
    const bool known = on_cuda || lent.device.type == dlpack::kCpu || lent.device.type == dlpack::kCudaHost;
    if (!known || is_neg_.ask(tensor) || (is_complex(dtype) && is_conj_.ask(tensor))) {
      return borrow_slowly(tensor, arguments);
    }
    int64_t* words =
        arguments.add(static_cast<char*>(lent.data) + lent.byte_offset, dtype,
                      {on_cuda ? Device::Kind::cuda : Device::Kind::cpu, on_cuda ? lent.device.id : 0}, lent.rank);
    int64_t elements = 1;
    for (int axis = lent.rank; axis-- > 0;) {
      words[axis] = lent.shape[axis];
      words[lent.rank + axis] = lent.strides != nullptr ? lent.strides[axis] : elements;
      elements *= lent.shape[axis];
    }
    arguments.seal();
    if (lent.data == nullptr && elements > 0) {
      throw nb::type_error("the tensor has no memory");
    }
  }

  nb::object make(const OutputSpec& spec, void*& data) const override {
    const bool on_cpu = spec.device.kind == Device::Kind::cpu;
    const int64_t bytes = spec.elements * bytes_of(spec.dtype);
    if (on_cpu && bytes >= kPooledBytes) {
      std::shared_ptr<void> memory = host_memory(bytes);
      data = memory.get();
      return wrap_tensor(own(memory, data, spec));
    }
    if (nb::object made = make_strided(on_cpu ? on_cpu_ : on_cuda_, spec, data); made.is_valid()) {
      return made;
    }
    if (is_row_major(spec)) {
      dlpack::ManagedTensor* made = allocate(spec, spec.sizes.data(), static_cast<int>(spec.sizes.size()));
      data = made->tensor.data;
      return wrap_tensor(made);
    }
    const std::array<int64_t, 1> flat = {std::max<int64_t>(spec.elements, 1)};
    std::shared_ptr<void> memory(allocate(spec, flat.data(), 1), [](void* inner) {
      auto* managed = static_cast<dlpack::ManagedTensor*>(inner);
      managed->deleter(managed);
    });
    data = static_cast<dlpack::ManagedTensor*>(memory.get())->tensor.data;
    return wrap_tensor(own(memory, data, spec));
  }

  void* stream(const Device& device) const override {
    void* stream = nullptr;
    if (device.kind == Device::Kind::cuda && table_->current_stream(dlpack::kCuda, device.index, &stream) != 0) {
      nb::raise_python_error();
    }
    return stream;
  }

  bool writable(nb::handle) const override { return true; }

  void written(nb::handle tensor) const override {
    if (bump_version_) {
      bump_version_(nb::make_tuple(tensor));
    }
  }

 private:
  /// By the attributes of the tensor, whose errors say what is wrong.
  void borrow_slowly(nb::handle tensor, CallArguments& arguments) const {
    if (framework_.is_none()) {
      throw nb::type_error("its framework does not lend the tensor's memory");
    }
    borrow_checked(framework_, tensor, arguments);
  }

  nb::object wrap_tensor(dlpack::ManagedTensor* made) const {
    void* object = nullptr;
    if (table_->to_object(made, &object) != 0) {
      nb::raise_python_error();
    }
    return nb::steal(static_cast<PyObject*>(object));
  }

  /// Null where the framework has no such function for the dtype, or takes memory of another device.
  nb::object make_strided(StridedAllocator& allocator, const OutputSpec& spec, void*& data) const {
    const nb::object& dtype = dtypes_[static_cast<size_t>(spec.dtype)];
    if (!allocator || dtype.is_none()) {
      return {};
    }
    nb::object made = allocator.make(spec, dtype);
    dlpack::Tensor lent;
    if (table_->borrow(made.ptr(), &lent) != 0) {
      nb::raise_python_error();
    }
    const bool elsewhere = spec.device.kind == Device::Kind::cuda && lent.device.id != spec.device.index;
    if (elsewhere || (lent.data == nullptr && spec.elements > 0)) {
      return {};
    }
    data = static_cast<char*>(lent.data) + lent.byte_offset;
    return made;
  }

  dlpack::ManagedTensor* allocate(const OutputSpec& spec, const int64_t* sizes, int rank) const {
    const DataTypeInfo& type = info(spec.dtype);
    dlpack::Tensor prototype{};
    prototype.device = {spec.device.kind == Device::Kind::cuda ? dlpack::kCuda : dlpack::kCpu, spec.device.index};
    prototype.rank = rank;
    prototype.dtype = {static_cast<uint8_t>(type.dlpack_code), static_cast<uint8_t>(type.dlpack_bits),
                       static_cast<uint16_t>(type.dlpack_lanes)};
    prototype.shape = const_cast<int64_t*>(sizes);
    dlpack::ManagedTensor* made = nullptr;
    if (table_->allocate(&prototype, &made, nullptr, &set_error) != 0 || made == nullptr) {
      nb::raise_python_error();
    }
    if (made->tensor.data == nullptr && spec.elements > 0) {
      made->deleter(made);
      throw nb::type_error("the framework allocates tensors without memory here (a fake mode?)");
    }
    return made;
  }

  const dlpack::ExchangeTable* table_;
  nb::object framework_;  ///< of nvfuser/tensors.py; None for one that is not known there
  Question is_neg_, is_conj_;
  CFunction bump_version_;
  mutable StridedAllocator on_cpu_, on_cuda_;  // guarded by their own mutex_
  std::array<nb::object, std::size(kDataTypes)> dtypes_;
};

/// The table of a capsule, or of an integer as earlier frameworks offer it, of a major version that is known here.
const dlpack::ExchangeTable* table_of(nb::handle offer) {
  void* pointer = PyLong_Check(offer.ptr()) ? PyLong_AsVoidPtr(offer.ptr())
                                            : PyCapsule_GetPointer(offer.ptr(), "dlpack_exchange_api");
  if (pointer == nullptr) {
    PyErr_Clear();
    return nullptr;
  }
  auto* header = static_cast<dlpack::ExchangeHeader*>(pointer);
  while (header != nullptr && header->version.major > dlpack::kMajor) {
    header = header->older;
  }
  const auto* table = reinterpret_cast<const dlpack::ExchangeTable*>(header);
  const bool usable = header != nullptr && header->version.major == dlpack::kMajor && table->borrow != nullptr;
  return usable ? table : nullptr;
}

/// Is it torch's Parameter, which has memory wherever a plain tensor has?
bool is_parameter(nb::handle type) {
  return nb::cast<std::string>(nb::str(type.attr("__module__"))) == "torch.nn.parameter" &&
         nb::cast<std::string>(nb::str(type.attr("__name__"))) == "Parameter";
}

}  // namespace

const Exchange* table_exchange(nb::handle example) {
  constexpr const char* kAttribute = "__dlpack_c_exchange_api__";
  const nb::handle object(example.type());
  if (!nb::hasattr(object, kAttribute)) {
    return nullptr;
  }
  const bool own = nb::cast<bool>(object.attr("__dict__").attr("__contains__")(kAttribute));
  if (!own && !is_parameter(object)) {
    return nullptr;
  }
  const dlpack::ExchangeTable* table = table_of(object.attr(kAttribute));
  return table != nullptr ? new TableExchange(table, example) : nullptr;
}

}  // namespace nvfuser::python
