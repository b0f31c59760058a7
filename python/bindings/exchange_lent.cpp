// SPDX-License-Identifier: Apache-2.0
// Memory lent by objects of no known framework: capsules of __dlpack__ and described addresses.  Results are made by
// the framework that the program uses.
#include "dlpack.h"
#include "exchange.h"

namespace nvfuser::python {
namespace {

/// The capsule's content before DLPack 1.0: no version, no flags.
struct OldManagedTensor {
  dlpack::Tensor tensor;
  void* context;
  void (*deleter)(OldManagedTensor*);
};

/// A tensor with what keeps its memory.
class LentTensor {
 public:
  LentTensor(TensorArgument described, bool read_only, nb::object owner)
      : described_(std::move(described)), read_only_(read_only), owner_(std::move(owner)) {}

  /// The capsule stays its tensor's owner and is kept, so nothing is to be given back.
  explicit LentTensor(nb::object capsule) : owner_(std::move(capsule)) {
    const auto* managed = static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(owner_.ptr(), "dltensor_versioned"));
    if (managed != nullptr) {
      check(managed->version.major == dlpack::kMajor, ErrorKind::dtype, "DLPack version ", managed->version.major,
            " is not known here");
      read_only_ = (managed->flags & dlpack::kReadOnly) != 0;
      describe(managed->tensor);
      return;
    }
    PyErr_Clear();
    const auto* old = static_cast<OldManagedTensor*>(PyCapsule_GetPointer(owner_.ptr(), "dltensor"));
    if (old == nullptr) {
      nb::raise_python_error();
    }
    describe(old->tensor);
  }

  const TensorArgument& described() const { return described_; }
  bool is_read_only() const { return read_only_; }

 private:
  void describe(const dlpack::Tensor& lent) {
    const bool on_cuda = lent.device.type == dlpack::kCuda || lent.device.type == dlpack::kCudaManaged;
    check(on_cuda || lent.device.type == dlpack::kCpu || lent.device.type == dlpack::kCudaHost, ErrorKind::device,
          "expected a tensor on the CPU or a CUDA device, got DLPack's device type ", lent.device.type);
    described_.data = static_cast<char*>(lent.data) + lent.byte_offset;
    described_.dtype = data_type_of(lent.dtype.code, lent.dtype.bits, lent.dtype.lanes);
    described_.device = {on_cuda ? Device::Kind::cuda : Device::Kind::cpu, on_cuda ? lent.device.id : 0};
    described_.sizes.assign(lent.shape, lent.shape + lent.rank);
    described_.strides.resize(lent.rank);
    int64_t elements = 1;
    for (int axis = lent.rank; axis-- > 0;) {
      described_.strides[axis] = lent.strides != nullptr ? lent.strides[axis] : elements;
      elements *= lent.shape[axis];
    }
    check(lent.data != nullptr || elements == 0, ErrorKind::device, "the tensor has no memory");
  }

  TensorArgument described_;
  bool read_only_ = false;
  nb::object owner_;
};

const Exchange& maker_for(const Device& device) { return default_exchange(device.kind == Device::Kind::cuda); }

class LentExchange final : public Exchange {
 public:
  void borrow(nb::handle tensor, CallArguments& arguments) const override {
    arguments.add(Argument(of(tensor).described()), false);
  }
  nb::object make(const OutputSpec& spec, void*& data) const override {
    return maker_for(spec.device).make(spec, data);
  }
  void* stream(const Device& device) const override { return maker_for(device).stream(device); }
  bool writable(nb::handle tensor) const override { return !of(tensor).is_read_only(); }

 private:
  static const LentTensor& of(nb::handle tensor) { return nb::cast<const LentTensor&>(tensor); }
};

}  // namespace

const Exchange* lent_exchange(nb::handle object) {
  static const LentExchange exchange;
  return nb::isinstance<LentTensor>(object) ? &exchange : nullptr;
}

void bind_lent(nb::module_& m) {
  nb::class_<LentTensor>(m, "LentTensor", "Memory that an object of no known framework lends.")
      .def(nb::init<TensorArgument, bool, nb::object>(), "described"_a, "read_only"_a, "owner"_a,
           nb::sig("def __init__(self, described: TensorArgument, read_only: bool, owner: object) -> None"))
      .def(nb::init<nb::object>(), "capsule"_a, nb::sig("def __init__(self, capsule: object) -> None"))
      .def_prop_ro("described", &LentTensor::described, nb::rv_policy::reference_internal, "Address, dtype and layout.")
      .def_prop_ro("read_only", &LentTensor::is_read_only, "Whether it must not be written.");
}

}  // namespace nvfuser::python
