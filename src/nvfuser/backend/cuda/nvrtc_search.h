// SPDX-License-Identifier: Apache-2.0
// Where libnvrtc may lie: a list of files in the order in which they are tried.
#pragma once

#include <string>
#include <vector>

namespace nvfuser {

struct LibraryCandidate {
  std::string path;    ///< a file, or a soname for the loader's own search
  std::string origin;  ///< "NVFUSER_NVRTC", "CUDA_HOME", ... for messages
};

/// In order: the option alone where it is set; registered folders (each folder of Python's path: NVIDIA's packages,
/// then torch's copy); CUDA_HOME and CUDA_PATH; sonames, newest first; usual folders of the system, newest version
/// first.
std::vector<LibraryCandidate> nvrtc_candidates();
/// Changes whenever nvrtc_candidates() may.
std::string nvrtc_search_state();

/// Files of NVRTC in one folder, newest version first.
std::vector<std::string> nvrtc_files_in(const std::string& folder);
/// The libnvrtc-builtins that lie beside `library`.
std::vector<std::string> nvrtc_builtins_beside(const std::string& library);

}  // namespace nvfuser
