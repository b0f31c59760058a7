// SPDX-License-Identifier: Apache-2.0
// The C++ runtime is linked into the module, but exceptions that it throws are caught in frames of nanobind's backend
// module, which uses the system's runtime.  Both must count the exceptions in flight of a thread in one place, or every
// error would leave std::uncaught_exceptions() of the whole process one too low: here the module's runtime is given the
// state of the system's one, by the two entry points that the C++ ABI has for it.
#include <cxxabi.h>
#include <dlfcn.h>

namespace {

using State = __cxxabiv1::__cxa_eh_globals;

/// What the ABI prescribes; for a process that has no other runtime.
State* own_state() {
  static thread_local struct {
    void* caught;
    unsigned uncaught;
  } state;
  return reinterpret_cast<State*>(&state);
}

State* shared_state() noexcept {
  using Entry = State* (*)();
  static const Entry entry = [] {
    void* library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
    void* symbol = library ? dlsym(library, "__cxa_get_globals") : nullptr;
    return symbol ? reinterpret_cast<Entry>(symbol) : &own_state;
  }();
  return entry();
}

}  // namespace

namespace __cxxabiv1 {

extern "C" __cxa_eh_globals* __cxa_get_globals() noexcept { return shared_state(); }
extern "C" __cxa_eh_globals* __cxa_get_globals_fast() noexcept { return shared_state(); }

}  // namespace __cxxabiv1
