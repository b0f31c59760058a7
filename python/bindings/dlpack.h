// SPDX-License-Identifier: Apache-2.0
// The structures of DLPack 1.3 and of its C exchange table, by which frameworks lend and take tensors without Python
// code.  Layout and codes are those of the specification: https://dmlc.github.io/dlpack/latest/c_api.html
#pragma once

#include <cstdint>

namespace nvfuser::python::dlpack {

inline constexpr uint32_t kMajor = 1;

/// Kinds of devices, as far as kernels run there.
enum DeviceType : int32_t { kCpu = 1, kCuda = 2, kCudaHost = 3, kCudaManaged = 13 };

struct Version {
  uint32_t major, minor;
};
struct DeviceRef {
  int32_t type, id;
};
struct ElementType {
  uint8_t code, bits;
  uint16_t lanes;
  bool operator==(const ElementType&) const = default;
};

/// A strided tensor that somebody else owns.  Strides in elements; null: row-major.
struct Tensor {
  void* data;
  DeviceRef device;
  int32_t rank;
  ElementType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};

inline constexpr uint64_t kReadOnly = 1;  ///< bit of `flags`

/// A tensor with its owner; `deleter` ends the ownership.
struct ManagedTensor {
  Version version;
  void* context;
  void (*deleter)(ManagedTensor*);
  uint64_t flags;
  Tensor tensor;
};

struct ExchangeHeader {
  Version version;
  ExchangeHeader* older;  ///< the table of an older major version, or null
};

/// What a framework's type offers in its capsule `__dlpack_c_exchange_api__`.  All return 0, or -1 with an error set.
struct ExchangeTable {
  ExchangeHeader header;
  /// Allocates a row-major tensor of the prototype's dtype, shape and device.
  int (*allocate)(Tensor* prototype, ManagedTensor** made, void* context,
                  void (*set_error)(void* context, const char* kind, const char* message));
  int (*from_object)(void* object, ManagedTensor** made);
  /// Makes a Python object that owns the tensor.
  int (*to_object)(ManagedTensor* tensor, void** object);
  /// Describes an object's memory for as long as nothing else runs; may be null.
  int (*borrow)(void* object, Tensor* described);
  int (*current_stream)(int32_t device_type, int32_t device, void** stream);
};

}  // namespace nvfuser::python::dlpack
