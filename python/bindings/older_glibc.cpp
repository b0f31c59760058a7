// SPDX-License-Identifier: Apache-2.0
// The module's calls of hypot go to the entry that every glibc has, so that glibc 2.34 can load a module built on a
// newer one.  (Version 2.35 of the entry differs in errno alone.)
#include <features.h>

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
__asm__(".symver hypot_of_any_glibc, hypot@GLIBC_2.2.5");
__asm__(".symver hypotf_of_any_glibc, hypotf@GLIBC_2.2.5");

extern "C" {
double hypot_of_any_glibc(double, double);
float hypotf_of_any_glibc(float, float);
double hypot(double x, double y) { return hypot_of_any_glibc(x, y); }
float hypotf(float x, float y) { return hypotf_of_any_glibc(x, y); }
}
#endif
