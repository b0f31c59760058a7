// SPDX-License-Identifier: Apache-2.0
// Which calls share the kernels of a group.
#include "nvfuser/runtime/kernel_store.h"

#include "kernel_fixture.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

GroupCall call_of(const KernelCase& test) {
  GroupCall call;
  call.fusion = test.fusion;
  for (const Val* input : test.fusion->inputs()) {
    call.group.inputs.push_back(static_cast<const TensorView*>(input));
  }
  call.group.outputs.assign(test.fusion->outputs().begin(), test.fusion->outputs().end());
  call.input_layouts = test.layouts;
  call.output_layouts = {row_major(*call.group.outputs[0])};
  return call;
}

TEST(KernelStore, EqualCallsOnOneDeviceShareKernels) {
  KernelCase test;
  TensorView* x = test.input({2, 2});
  test.output(binary(PointwiseOp::add, x, x));
  const DeviceProps& device = known_device("H200");
  KernelStore store;
  GroupKernels& first = store.group(call_of(test), device, 0, Target::gpu, 0);
  EXPECT_EQ(&store.group(call_of(test), device, 0, Target::gpu, 1), &first);
  EXPECT_NE(&store.group(call_of(test), device, 1, Target::gpu, 0), &first) << "a module belongs to one device";
  EXPECT_NE(&store.group(call_of(test), known_device("A100"), 0, Target::gpu, 0), &first);
  GroupCall strided = call_of(test);
  strided.input_layouts[0].strides[0] = Layout::Stride::free;
  EXPECT_NE(&store.group(strided, device, 0, Target::gpu, 0), &first);
}

}  // namespace
}  // namespace nvfuser
