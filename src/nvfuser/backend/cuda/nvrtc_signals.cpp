// SPDX-License-Identifier: Apache-2.0
// The library calls functions of others through a table of addresses, which the loader fills, at the first call of each
// where it binds lazily.  Two entries of that table are replaced.  To put the handlers back meanwhile would come too
// late for a signal that is faster.
#include "nvfuser/backend/cuda/nvrtc_signals.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace nvfuser {
namespace {

bool is_programs_own(int signal) { return signal == SIGINT || signal == SIGTERM; }

sighandler_t keeping_signal(int number, sighandler_t handler) {
  if (!is_programs_own(number)) {
    return signal(number, handler);
  }
  struct sigaction now{};
  return sigaction(number, nullptr, &now) == 0 ? now.sa_handler : SIG_ERR;
}

int keeping_sigaction(int number, const struct sigaction* action, struct sigaction* old) {
  return sigaction(number, is_programs_own(number) ? nullptr : action, old);
}

/// The tables of a loaded library that lead to its calls; null and 0 where it has none of that form.
struct CallTables {
  const ElfW(Rela) * calls = nullptr;
  uint64_t bytes = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  bool is_fixed = false;  ///< the loader has made the addresses read-only

  explicit CallTables(const link_map& library) {
    for (const ElfW(Dyn)* entry = library.l_ld; entry->d_tag != DT_NULL; ++entry) {
      const ElfW(Addr) address = entry->d_un.d_ptr;
      switch (entry->d_tag) {
        case DT_JMPREL:
          calls = reinterpret_cast<const ElfW(Rela)*>(address);
          break;
        case DT_PLTRELSZ:
          bytes = entry->d_un.d_val;
          break;
        case DT_SYMTAB:
          symbols = reinterpret_cast<const ElfW(Sym)*>(address);
          break;
        case DT_STRTAB:
          names = reinterpret_cast<const char*>(address);
          break;
        case DT_PLTREL:
          is_fixed = is_fixed || entry->d_un.d_val != DT_RELA;
          break;
        case DT_BIND_NOW:
          is_fixed = true;
          break;
        case DT_FLAGS:
          is_fixed = is_fixed || (entry->d_un.d_val & DF_BIND_NOW) != 0;
          break;
        case DT_FLAGS_1:
          is_fixed = is_fixed || (entry->d_un.d_val & DF_1_NOW) != 0;
          break;
        default:
          break;
      }
    }
  }
};

}  // namespace

bool keep_signals_from(const void* symbol) {
  Dl_info ignored;
  link_map* library = nullptr;
  if (sizeof(void*) != 8 || dladdr1(symbol, &ignored, reinterpret_cast<void**>(&library), RTLD_DL_LINKMAP) == 0 ||
      library == nullptr) {
    return false;
  }
  const CallTables tables(*library);
  if (tables.is_fixed || tables.calls == nullptr || tables.symbols == nullptr || tables.names == nullptr) {
    return false;
  }
  bool led = false;
  const std::span calls(tables.calls, tables.bytes / sizeof(ElfW(Rela)));
  for (const ElfW(Rela) & call : calls) {
    const std::string_view name = tables.names + tables.symbols[ELF64_R_SYM(call.r_info)].st_name;
    void* replacement = name == "signal"      ? reinterpret_cast<void*>(&keeping_signal)
                        : name == "sigaction" ? reinterpret_cast<void*>(&keeping_sigaction)
                                              : nullptr;
    if (replacement != nullptr) {
      *reinterpret_cast<void**>(library->l_addr + call.r_offset) = replacement;
      led = true;
    }
  }
  return led;
}

}  // namespace nvfuser
