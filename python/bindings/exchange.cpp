// SPDX-License-Identifier: Apache-2.0
// Which exchange serves a type: the fast ones by exact type, the checked one for the rest.
#include "exchange.h"

#include <unordered_map>

namespace nvfuser::python {
namespace {

/// By type, for the life of the process; each type is held, so its address names it for good.
class KnownTypes {
 public:
  /// Null where the type is not known.
  const KnownType* find(PyTypeObject* type) {
    nb::ft_lock_guard guard(mutex_);
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : &found->second;
  }

  /// What is known of it then: of two threads that add a type, the first one's.
  const KnownType* add(PyTypeObject* type, const Exchange* exchange) {
    nb::ft_lock_guard guard(mutex_);
    const auto [found, is_new] = types_.try_emplace(type, KnownType{type, exchange});
    if (is_new) {
      Py_INCREF(type);
    }
    return &found->second;
  }

 private:
  nb::ft_mutex mutex_;
  std::unordered_map<PyTypeObject*, KnownType> types_;
};

KnownTypes& known_types() {
  static auto* const known = new KnownTypes;
  return *known;
}

[[gnu::cold]] const Exchange* make_exchange(nb::handle object) {
  if (const Exchange* exchange = table_exchange(object)) {
    return exchange;
  }
  if (const Exchange* exchange = numpy_exchange(Py_TYPE(object.ptr()))) {
    return exchange;
  }
  if (const Exchange* exchange = lent_exchange(object)) {
    return exchange;
  }
  return checked_exchange(object);
}

}  // namespace

const Exchange* find_exchange(nb::handle object) {
  PyTypeObject* type = Py_TYPE(object.ptr());
  if (const KnownType* known = known_types().find(type)) {
    last_type.store(known, std::memory_order_release);
    return known->exchange;
  }
  const Exchange* exchange = make_exchange(object);
  return exchange != nullptr ? known_types().add(type, exchange)->exchange : nullptr;
}

const Exchange& default_exchange(bool on_cuda) {
  return *exchange_of(nb::module_::import_("nvfuser.tensors").attr("default_example")(on_cuda));
}

nb::object framework_named(const char* name) {
  return nb::module_::import_("nvfuser.tensors").attr("framework_named")(name);
}

DataType data_type_of(int code, int bits, int lanes) {
  for (const DataTypeInfo& row : kDataTypes) {
    if (row.dlpack_code == code && row.dlpack_bits == bits && row.dlpack_lanes == lanes) {
      return row.type;
    }
  }
  fail(ErrorKind::dtype, "nvfuser has no element type for DLPack's code ", code, " of ", bits, " bits and ", lanes,
       " lanes");
}

bool is_row_major(const OutputSpec& spec) {
  int64_t expected = 1;
  for (size_t axis = spec.sizes.size(); axis-- > 0;) {
    if (spec.sizes[axis] > 1 && spec.strides[axis] != expected) {
      return false;
    }
    expected *= spec.sizes[axis];
  }
  return true;
}

}  // namespace nvfuser::python
