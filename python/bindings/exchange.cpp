// SPDX-License-Identifier: Apache-2.0
// Which exchange serves a type: the fast ones by exact type, the checked one for the rest.
#include "exchange.h"

#include <unordered_map>

namespace nvfuser::python {
namespace {

/// By type, for the life of the process; each type is held, so its address names it for good.  Under the GIL.
std::unordered_map<PyTypeObject*, const Exchange*>& known_types() {
  static auto* known = new std::unordered_map<PyTypeObject*, const Exchange*>;
  return *known;
}

const Exchange* make_exchange(nb::handle object) {
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
  auto& known = known_types();
  const auto found = known.find(type);
  if (found != known.end()) {
    last_exchange = {type, found->second};
    return found->second;
  }
  const Exchange* exchange = make_exchange(object);
  if (exchange != nullptr) {
    Py_INCREF(type);
    known.emplace(type, exchange);
  }
  return exchange;
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
