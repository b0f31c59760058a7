// SPDX-License-Identifier: Apache-2.0
// Files and folders that no other user can have written: what the disk cache trusts enough to execute.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace nvfuser {

/// Makes the folder and those above it (0700) that are missing, as far as that goes.
void make_folders(const std::string& path);
/// Makes the folder (0700) unless it is there.  Empty when it can be trusted: a real folder, owned by this user or by
/// root, closed to writes of others, in a parent where others cannot swap it.  Otherwise the reason.
std::string make_private_folder(const std::string& path);
/// The same without making it.
bool is_private_folder(const std::string& path);

/// Makes a new file (0600) of both parts; 0 or an errno.  EEXIST when the file is there.
int write_private_file(const std::string& path, std::string_view first, std::string_view second = {});

/// An open file; ownership and content are those of one and the same descriptor.
class PrivateFile {
 public:
  explicit PrivateFile(const std::string& path);
  ~PrivateFile();
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  /// There is something of that name.
  bool exists() const { return exists_; }
  /// A regular file that opened, owned by this user or by root, closed to writes of others.
  bool trusted() const { return trusted_; }
  /// All of it; false on an I/O error.
  bool read(std::string& content) const;
  std::time_t modified() const { return modified_; }
  void touch() const;

 private:
  int descriptor_ = -1;
  bool exists_ = false, trusted_ = false;
  std::time_t modified_ = 0;
};

}  // namespace nvfuser
