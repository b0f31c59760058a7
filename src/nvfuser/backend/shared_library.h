// SPDX-License-Identifier: Apache-2.0
// dlopen as a value: libcuda, NVRTC and compiled host units are all opened here.
#pragma once

#include <memory>
#include <string>

namespace nvfuser {

class SharedLibrary {
 public:
  enum class Scope { local, global };
  /// `path` may be a soname.  Null when it does not open; `why` then says so.
  static std::shared_ptr<SharedLibrary> open(const std::string& path, std::string* why, Scope scope = Scope::local);
  /// Only if the process has loaded it already.
  static std::shared_ptr<SharedLibrary> find_loaded(const std::string& soname);

  ~SharedLibrary();
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  void* symbol(const char* name) const;
  /// Vendor libraries stay: their threads and exit handlers outlive any owner.
  void keep_forever() { keep_ = true; }
  /// Absolute path of the file that holds `symbol`; empty when the loader does not know.
  static std::string path_of(const void* symbol);

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* handle_;
  bool keep_ = false;
};

}  // namespace nvfuser
