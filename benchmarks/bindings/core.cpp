// SPDX-License-Identifier: Apache-2.0
// A module of the core library alone: what the bindings add is measured against it.
extern "C" __attribute__((visibility("default"))) void* PyInit__C() { return nullptr; }
