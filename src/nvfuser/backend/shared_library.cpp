// SPDX-License-Identifier: Apache-2.0
// The only place that calls dlopen.
#include "nvfuser/backend/shared_library.h"

#include <dlfcn.h>

namespace nvfuser {

std::shared_ptr<SharedLibrary> SharedLibrary::open(const std::string& path, std::string* why, Scope scope) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | (scope == Scope::global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (!handle) {
    const char* text = dlerror();
    if (why) {
      *why = text ? text : path + ": does not load";
    }
    return nullptr;
  }
  return std::shared_ptr<SharedLibrary>(new SharedLibrary(handle));
}

std::shared_ptr<SharedLibrary> SharedLibrary::find_loaded(const std::string& soname) {
  void* handle = dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  return handle ? std::shared_ptr<SharedLibrary>(new SharedLibrary(handle)) : nullptr;
}

SharedLibrary::~SharedLibrary() {
  if (!keep_) {
    dlclose(handle_);
  }
}

void* SharedLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

std::string SharedLibrary::path_of(const void* symbol) {
  Dl_info info;
  return dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : "";
}

}  // namespace nvfuser
