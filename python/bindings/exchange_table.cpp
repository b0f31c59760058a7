// SPDX-License-Identifier: Apache-2.0
// Exchange through DLPack's C table: no Python code runs for a tensor.  The table checks less than the framework's own
// export does, so what it would get silently wrong is asked here: lazily negated and conjugate views, tensors without
// memory.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

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

class TableExchange final : public Exchange {
 public:
  TableExchange(const dlpack::ExchangeTable* table, PyTypeObject* type)
      : table_(table),
        has_lazy_views_(PyObject_HasAttrString(reinterpret_cast<PyObject*>(type), "is_neg") == 1),
        is_neg_(PyUnicode_InternFromString("is_neg")),
        is_conj_(PyUnicode_InternFromString("is_conj")) {}

  void borrow(nb::handle tensor, CallArguments& arguments) const override {
    dlpack::Tensor lent;
    if (table_->borrow(tensor.ptr(), &lent) != 0) {
      PyErr_Clear();
      return borrow_checked(framework(), tensor, arguments);  // whose errors say what is wrong
    }
    const DataType dtype = data_type_of(lent.dtype.code, lent.dtype.bits, lent.dtype.lanes);
    const bool on_cuda = lent.device.type == dlpack::kCuda || lent.device.type == dlpack::kCudaManaged;
    const bool known = on_cuda || lent.device.type == dlpack::kCpu || lent.device.type == dlpack::kCudaHost;
    if (!known || is_lazy(tensor, dtype)) {
      return borrow_checked(framework(), tensor, arguments);
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
    const int64_t bytes = spec.elements * bytes_of(spec.dtype);
    dlpack::ManagedTensor* made = nullptr;
    if (spec.device.kind == Device::Kind::cpu && bytes >= kPooledBytes) {
      std::shared_ptr<void> memory = host_memory(bytes);
      data = memory.get();
      made = own(memory, data, spec);
    } else if (is_row_major(spec)) {
      made = allocate(spec, spec.sizes.data(), static_cast<int>(spec.sizes.size()));
      data = made->tensor.data;
    } else {
      const std::array<int64_t, 1> flat = {std::max<int64_t>(spec.elements, 1)};
      std::shared_ptr<void> memory(allocate(spec, flat.data(), 1), [](void* inner) {
        auto* managed = static_cast<dlpack::ManagedTensor*>(inner);
        managed->deleter(managed);
      });
      data = static_cast<dlpack::ManagedTensor*>(memory.get())->tensor.data;
      made = own(memory, data, spec);
    }
    void* object = nullptr;
    if (table_->to_object(made, &object) != 0) {
      nb::raise_python_error();
    }
    return nb::steal(static_cast<PyObject*>(object));
  }

  void* stream(const Device& device) const override {
    void* stream = nullptr;
    if (device.kind == Device::Kind::cuda && table_->current_stream(dlpack::kCuda, device.index, &stream) != 0) {
      nb::raise_python_error();
    }
    return stream;
  }

  bool writable(nb::handle) const override { return true; }

 private:
  static const nb::object& framework() {
    static auto* torch = new nb::object(framework_named("torch"));
    return *torch;
  }

  /// A view whose values are not those in memory.
  bool is_lazy(nb::handle tensor, DataType dtype) const {
    return has_lazy_views_ && (asks(tensor, is_neg_) || (is_complex(dtype) && asks(tensor, is_conj_)));
  }

  static bool asks(nb::handle tensor, PyObject* question) {
    const nb::object answer = nb::steal(PyObject_CallMethodObjArgs(tensor.ptr(), question, nullptr));
    if (!answer.is_valid()) {
      nb::raise_python_error();
    }
    return answer.ptr() == Py_True;
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
  bool has_lazy_views_;
  PyObject *is_neg_, *is_conj_;
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

const Exchange* table_exchange(PyTypeObject* type) {
  constexpr const char* kAttribute = "__dlpack_c_exchange_api__";
  const nb::handle object(reinterpret_cast<PyObject*>(type));
  if (!nb::hasattr(object, kAttribute)) {
    return nullptr;
  }
  const bool own = nb::cast<bool>(object.attr("__dict__").attr("__contains__")(kAttribute));
  if (!own && !is_parameter(object)) {
    return nullptr;
  }
  const dlpack::ExchangeTable* table = table_of(object.attr(kAttribute));
  return table != nullptr ? new TableExchange(table, type) : nullptr;
}

}  // namespace nvfuser::python
