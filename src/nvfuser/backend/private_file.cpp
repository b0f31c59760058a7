// SPDX-License-Identifier: Apache-2.0
// Ownership and modes are read from open descriptors or without following links, so that a name cannot be swapped
// between check and use.
#include "nvfuser/backend/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace nvfuser {
namespace {

bool owned(const struct stat& status) { return status.st_uid == geteuid() || status.st_uid == 0; }

/// Reason why others could change what `path` holds; empty when they cannot.
std::string weakness(const std::string& path) {
  struct stat status, parent;
  if (lstat(path.c_str(), &status) != 0) {
    return path + ": " + std::strerror(errno);
  }
  if (!S_ISDIR(status.st_mode)) {
    return path + " is not a folder";
  }
  if (!owned(status)) {
    return path + " belongs to another user";
  }
  if (status.st_mode & (S_IWGRP | S_IWOTH)) {
    return path + " can be written by others";
  }
  const std::string above = std::filesystem::path(path).parent_path();
  if (stat(above.empty() ? "." : above.c_str(), &parent) != 0) {
    return above + ": " + std::strerror(errno);
  }
  // In a folder that others may write, only the sticky bit keeps them from renaming ours away.  A user's own group has
  // no other members where umask lets it write by default.
  const bool others = (parent.st_mode & S_IWOTH) || ((parent.st_mode & S_IWGRP) && parent.st_gid != getegid());
  if (others && !(parent.st_mode & S_ISVTX)) {
    return above + " can be written by others";
  }
  return owned(parent) ? std::string() : above + " belongs to another user";
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    bytes.remove_prefix(count);
  }
  return true;
}

}  // namespace

void make_folders(const std::string& path) {
  const std::string above = std::filesystem::path(path).parent_path();
  if (mkdir(path.c_str(), 0700) != 0 && errno == ENOENT && !above.empty() && above != path) {
    make_folders(above);
    mkdir(path.c_str(), 0700);
  }
}

std::string make_private_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return path + ": " + std::strerror(errno);
  }
  return weakness(path);
}

bool is_private_folder(const std::string& path) { return weakness(path).empty(); }

int write_private_file(const std::string& path, std::string_view first, std::string_view second) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return errno;
  }
  const bool written = write_all(descriptor, first) && write_all(descriptor, second);
  const int error = written ? 0 : (errno ? errno : EIO);
  // Some network filesystems report a failed write only here.
  return close(descriptor) != 0 && error == 0 ? errno : error;
}

PrivateFile::PrivateFile(const std::string& path) {
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  exists_ = descriptor_ >= 0 || (errno != ENOENT && errno != ENOTDIR);
  struct stat status;
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
    return;
  }
  trusted_ = S_ISREG(status.st_mode) && owned(status) && !(status.st_mode & (S_IWGRP | S_IWOTH));
  modified_ = status.st_mtime;
}

PrivateFile::~PrivateFile() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

bool PrivateFile::read(std::string& content) const {
  struct stat status;
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
    return false;
  }
  content.resize(status.st_size);
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = pread(descriptor_, content.data() + done, content.size() - done, done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return false;
    }
    if (count == 0) {
      break;  // shorter than it was: the reader finds that the content is wrong
    }
    done += count;
  }
  content.resize(done);
  return true;
}

void PrivateFile::touch() const { futimens(descriptor_, nullptr); }

}  // namespace nvfuser
