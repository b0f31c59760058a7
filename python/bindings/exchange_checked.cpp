// SPDX-License-Identifier: Apache-2.0
// Exchange by Python code, nvfuser/tensors.py: CuPy, JAX, subclasses, frameworks without DLPack's table.  Slower, and
// thorough in what it checks.
#include "exchange.h"

namespace nvfuser::python {
namespace {

class CheckedExchange final : public Exchange {
 public:
  explicit CheckedExchange(nb::object framework) : framework_(std::move(framework)) {}

  void borrow(nb::handle tensor, CallArguments& arguments) const override {
    borrow_checked(framework_, tensor, arguments);
  }

  nb::object make(const OutputSpec& spec, void*& data) const override { return make_checked(framework_, spec, data); }

  nb::object finish(nb::object made) const override { return framework_.attr("finish")(made); }

  void* stream(const Device& device) const override {
    if (device.kind == Device::Kind::cpu) {
      return nullptr;
    }
    return reinterpret_cast<void*>(nb::cast<uintptr_t>(framework_.attr("stream")(device.index)));
  }

  bool writable(nb::handle tensor) const override { return nb::cast<bool>(framework_.attr("writable")(tensor)); }

 private:
  nb::object framework_;
};

/// Descriptions stand for tensors where nothing runs: plans and texts without memory.
class DescribedExchange final : public Exchange {
 public:
  void borrow(nb::handle tensor, CallArguments& arguments) const override {
    arguments.add(Argument(nb::cast<TensorArgument&>(tensor)), false);
  }
  nb::object make(const OutputSpec&, void*&) const override {
    throw nb::type_error("a TensorArgument only describes: a call that runs needs tensors");
  }
  void* stream(const Device&) const override { return nullptr; }
  bool writable(nb::handle) const override { return true; }
};

}  // namespace

nb::object make_checked(const nb::object& framework, const OutputSpec& spec, void*& data) {
  const nb::object pair = framework.attr("empty")(nb::cast(spec));
  data = reinterpret_cast<void*>(nb::cast<uintptr_t>(pair[1]));
  return pair[0];
}

void borrow_checked(const nb::object& framework, nb::handle tensor, CallArguments& arguments) {
  const nb::object described = framework.attr("describe")(tensor);
  arguments.add(Argument(nb::cast<TensorArgument&>(described)), false);
}

const Exchange* checked_exchange(nb::handle object) {
  if (nb::isinstance<TensorArgument>(object)) {
    return new DescribedExchange;
  }
  const nb::object framework = nb::module_::import_("nvfuser.tensors").attr("framework_of")(object);
  return framework.is_none() ? nullptr : new CheckedExchange(framework);
}

}  // namespace nvfuser::python
