// SPDX-License-Identifier: Apache-2.0
// How far a float is from the true result, and how far the table of operations lets it be.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

/// Distance from the true result in units of the last place of a float there; infinite for a wrong special value.
inline double ulp_error(float got, double exact) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const float nearest = static_cast<float>(exact);
  if (std::isnan(nearest) || std::isnan(got))
    return std::isnan(nearest) && std::isnan(got) ? 0 : kInf;
  if (std::isinf(nearest) || std::isinf(got))
    return nearest == got ? 0 : kInf;
  if (exact == 0)
    return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : kInf;
  return std::fabs(got - exact) / std::ldexp(1.0, std::max(std::ilogb(exact) - 23, -149));
}

/// What the table of operations says of an operation's error.
inline double limit_of(std::string_view name) { return info(find_pointwise(name).value()).ulp; }

}  // namespace nvfuser
