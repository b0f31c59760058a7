// SPDX-License-Identifier: Apache-2.0
// All functions that ir/pointwise.def names, for every compute type for which each has a meaning: float32, float64,
// int32, int64, uint64, boolean, complex64, complex128.  Used by kernels as rt/math.h and by the evaluator from this
// folder.
#pragma once

// clang-format off: each part uses those before it
#if __has_include("math_polynomial.h")
#include "types.h"
#include "math_polynomial.h"
#include "math_real.h"
#include "math_integer.h"
#include "math_double.h"
#include "math_exp.h"
#include "math_log.h"
#include "math_hyperbolic.h"
#include "math_error.h"
#include "math_trig.h"
#include "math_arc.h"
#include "math_complex.h"
#else
#include "rt/types.h"
#include "rt/math_polynomial.h"
#include "rt/math_real.h"
#include "rt/math_integer.h"
#include "rt/math_double.h"
#include "rt/math_exp.h"
#include "rt/math_log.h"
#include "rt/math_hyperbolic.h"
#include "rt/math_error.h"
#include "rt/math_trig.h"
#include "rt/math_arc.h"
#include "rt/math_complex.h"
#endif
// clang-format on
