// SPDX-License-Identifier: Apache-2.0
// Tensor exchange: how the tensors of a Python type are lent for a call and how results of that kind are made.
#pragma once

#include <atomic>

#include "bindings.h"
#include "nvfuser/runtime/call_arguments.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser::python {

/// One way to exchange tensors.  Objects live as long as the process; all methods want an attached thread and throw
/// nb::python_error or Error.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Adds the tensor to the arguments.  Its memory stays valid while the caller holds the object.
  virtual void borrow(nb::handle tensor, CallArguments& arguments) const = 0;
  /// A new tensor as the spec says, and its address.
  virtual nb::object make(const OutputSpec& spec, void*& data) const = 0;
  /// What the caller gets once a tensor of `make` is written.
  virtual nb::object finish(nb::object made) const { return made; }
  /// The stream on which the framework works at present; null on the CPU.
  virtual void* stream(const Device& device) const = 0;
  /// May results be written into it?
  virtual bool writable(nb::handle tensor) const = 0;
  /// Tells the framework that a tensor's memory was written behind its back.
  virtual void written(nb::handle) const {}
};

/// A type and how its objects are exchanged.  They live as long as the process.
struct KnownType {
  PyTypeObject* type = nullptr;
  const Exchange* exchange = nullptr;
};
inline constexpr KnownType kNoType;
/// The type that was asked for last.
inline constinit std::atomic<const KnownType*> last_type = &kNoType;

/// The exchange for objects of exactly this type; null for anything that is no tensor.  Cached by type.
const Exchange* find_exchange(nb::handle object);
inline const Exchange* exchange_of(nb::handle object) {
  const KnownType& last = *last_type.load(std::memory_order_acquire);
  return Py_TYPE(object.ptr()) == last.type ? last.exchange : find_exchange(object);
}
/// The same where it costs one comparison; null otherwise.
inline const Exchange* quick_exchange_of(nb::handle object) {
  const KnownType& last = *last_type.load(std::memory_order_acquire);
  return Py_TYPE(object.ptr()) == last.type ? last.exchange : nullptr;
}
/// Where results live when no input is a tensor of a known framework.
const Exchange& default_exchange(bool on_cuda = false);

/// The exchange of an object whose type offers DLPack's table itself (not through a base class: subclasses may have no
/// memory); null otherwise.
const Exchange* table_exchange(nb::handle example);
/// The exchange of numpy.ndarray itself; null for other types.
const Exchange* numpy_exchange(PyTypeObject* type);
/// The exchange of memory that an object of no known framework lends; null for others.
const Exchange* lent_exchange(nb::handle object);
/// The exchange by nvfuser/tensors.py, for every other type that it knows; null otherwise.
const Exchange* checked_exchange(nb::handle object);

/// nvfuser.tensors' object for a framework by name, such as "torch".
nb::object framework_named(const char* name);
/// Adds what `describe` of a framework object says of a tensor.
void borrow_checked(const nb::object& framework, nb::handle tensor, CallArguments& arguments);

/// What `empty` of a framework object makes, and its address.
nb::object make_checked(const nb::object& framework, const OutputSpec& spec, void*& data);

/// DataType by DLPack's code; ErrorKind::dtype when there is none.
DataType data_type_of(int code, int bits, int lanes);
bool is_row_major(const OutputSpec& spec);

}  // namespace nvfuser::python
