// SPDX-License-Identifier: Apache-2.0
// For tests of graph/, transform/ and lower/: small fusions, their kernels, and a run of a schedule in the interpreter
// against the evaluator.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nvfuser/graph/instantiate.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/lower/lower.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/resize.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/transform/schedule.h"
#include "program_interpreter.h"

namespace nvfuser {

using Sizes = std::vector<int64_t>;

/// A fusion with its inputs' sizes.
class KernelCase {
 public:
  explicit KernelCase(std::shared_ptr<Fusion> f = Fusion::make()) : fusion(std::move(f)) {}

  /// An input of these sizes with symbolic extents; a size given as -1 is a broadcast axis.
  TensorView* input(const Sizes& sizes, DataType dtype = DataType::Float) {
    std::vector<IterDomain*> axes;
    Sizes actual;
    for (int64_t n : sizes) {
      const bool broadcast = n < 0;
      axes.push_back(broadcast ? fusion->axis(fusion->index_constant(1), IterType::broadcast)
                               : fusion->axis(fusion->symbolic(DataType::Index)));
      actual.push_back(broadcast ? 1 : n);
    }
    TensorView* t = fusion->tensor(fusion->domain(axes), dtype);
    fusion->add_input(t);
    input_sizes.push_back(actual);
    layouts.push_back(row_major(*t));
    return t;
  }
  void output(Val* t) { fusion->add_output(static_cast<TensorView*>(t)); }

  std::shared_ptr<Kernel> kernel(int reference_output = 0,
                                 std::function<Id*(const std::vector<Id*>&)> choose = {}) const {
    InstantiateRequest request;
    request.fusion = fusion;
    request.outputs.assign(fusion->outputs().begin(), fusion->outputs().end());
    for (const Val* v : fusion->inputs()) {
      if (v->is_tensor()) {
        request.inputs.push_back(static_cast<const TensorView*>(v));
      }
    }
    for (size_t k = 0; k < request.outputs.size(); ++k) {
      request.output_layouts.push_back(k < output_layouts.size() ? output_layouts[k] : row_major(*request.outputs[k]));
    }
    request.input_layouts = layouts;
    request.reference_output = reference_output;
    request.choose = std::move(choose);
    return instantiate(request);
  }

  ScalarBinding binding() const {
    ScalarBinding bound(*fusion);
    for (size_t k = 0; k < input_sizes.size(); ++k) {
      bound.bind_tensor(k, input_sizes[k]);
    }
    return bound;
  }

  std::map<std::string, int64_t> sizes(const Kernel& kernel) const {
    ScalarBinding bound = binding();
    std::map<std::string, int64_t> found = strides;
    for (const auto& [extent, index] : kernel.extents) {
      if (const Atom* atom = index->as_atom(); atom != nullptr && atom->kind == AtomKind::size) {
        const int64_t value = bound.integer(extent);
        const auto [at, fresh] = found.try_emplace(atom->name, value);
        EXPECT_EQ(at->second, value) << "extents that must agree";
      }
    }
    return found;
  }

  std::shared_ptr<Fusion> fusion;
  std::vector<Sizes> input_sizes;
  std::vector<Layout> layouts;             ///< of inputs
  std::vector<Layout> output_layouts;      ///< row-major where there are fewer
  std::map<std::string, int64_t> strides;  ///< free strides by name
};

/// What holds for these sizes: every split that divides, divisors up to 16, least sizes, buffers aligned to 16 bytes,
/// 32-bit indices.
inline Facts facts_of(const Kernel& kernel, const std::map<std::string, int64_t>& sizes) {
  Facts facts;
  facts.wide = false;
  const auto value = [&](Index p) { return evaluate(p, [&](const Atom& a) { return sizes.at(a.name); }); };
  for (const Transform& t : kernel.transforms) {
    if (t.kind == Transform::Kind::split && value(t.inputs[0]->extent) > 0 &&
        value(t.inputs[0]->extent) % value(t.factor) == 0) {
      facts.exact.insert({to_string(t.inputs[0]->extent), to_string(t.factor)});
    }
  }
  for (const auto& [name, n] : sizes) {
    const int64_t power = n == 0 ? 16 : std::min<int64_t>(16, n & -n);
    if (power > 1) {
      facts.divisors[name] = power;
    }
    if (n > 1) {
      facts.least[name] = n;
    }
  }
  for (const Tensor* t : kernel.inputs) {
    facts.alignment[t->name] = 16;
  }
  for (const Tensor* t : kernel.outputs) {
    facts.alignment[t->name] = 16;
  }
  return facts;
}

/// No facts but the index width.
inline Facts no_facts() {
  Facts facts;
  facts.wide = false;
  return facts;
}

inline Program lowered(const KernelCase& test, const std::shared_ptr<Kernel>& kernel, bool with_facts = true,
                       Target target = Target::gpu, std::vector<std::pair<int, int>> aliases = {}) {
  assign_loops(*kernel);
  const Facts facts = with_facts ? facts_of(*kernel, test.sizes(*kernel)) : no_facts();
  return lower({kernel, "k", target, facts, 0, std::move(aliases)});
}

inline ScalarValue load_element(const HostTensor& t, int64_t element) {
  switch (t.dtype) {
    case DataType::Float:
      return static_cast<double>(static_cast<const float*>(t.data)[element]);
    case DataType::Double:
      return static_cast<const double*>(t.data)[element];
    case DataType::Int:
      return static_cast<const int64_t*>(t.data)[element];
    case DataType::Bool:
      return static_cast<const bool*>(t.data)[element];
    default:
      ADD_FAILURE() << "tests run in Float, Double, Int and Bool";
      return 0.0;
  }
}

/// A small deterministic input: values in [-2, 2] with a few exact zeros.
inline std::vector<char> input_bytes(DataType dtype, int64_t elements, uint64_t seed) {
  std::vector<char> bytes(std::max<int64_t>(1, elements) * bytes_of(dtype));
  uint64_t state = seed * 2654435761u + 1;
  for (int64_t k = 0; k < elements; ++k) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const int64_t step = static_cast<int64_t>(state >> 33) % 33 - 16;
    if (dtype == DataType::Float) {
      reinterpret_cast<float*>(bytes.data())[k] = static_cast<float>(step) / 8;
    } else if (dtype == DataType::Double) {
      reinterpret_cast<double*>(bytes.data())[k] = static_cast<double>(step) / 8;
    } else if (dtype == DataType::Int) {
      reinterpret_cast<int64_t*>(bytes.data())[k] = step;
    } else {
      reinterpret_cast<bool*>(bytes.data())[k] = step > 0;
    }
  }
  return bytes;
}

inline int64_t product(const Sizes& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) {
    n *= s;
  }
  return n;
}

inline Sizes dense(const Sizes& sizes) {
  Sizes strides(sizes.size());
  int64_t step = 1;
  for (size_t k = sizes.size(); k-- > 0;) {
    strides[k] = step;
    step *= sizes[k];
  }
  return strides;
}

/// Strides of a buffer of the kernel by its allocation.
inline Sizes strides_of(const Tensor& buffer, const std::map<std::string, int64_t>& sizes) {
  Sizes found;
  for (const Allocation::Dim& dim : buffer.allocation->dims) {
    found.push_back(evaluate(dim.stride, [&](const Atom& a) { return sizes.at(a.name); }));
  }
  return found;
}

inline int64_t addressed(const Sizes& sizes, const Sizes& strides) {
  int64_t last = 0;
  for (size_t k = 0; k < sizes.size(); ++k) {
    if (sizes[k] == 0) {
      return 0;
    }
    last += (sizes[k] - 1) * strides[k];
  }
  return last + 1;
}

/// One run of a program: its buffers, and what the evaluator says.
class ProgramRun {
 public:
  ProgramRun(const KernelCase& test, const Program& program)
      : test_(test),
        program_(program),
        kernel_(*program.kernel),
        sizes_(test.sizes(kernel_)),
        interpreter_(program, sizes_) {
    make_inputs();
    make_outputs();
  }

  /// Empty, or what went wrong.
  std::string run() {
    evaluate(*test_.fusion, arguments_, wanted_);
    const bool some =
        std::any_of(wanted_.begin(), wanted_.end(), [](const HostTensor& t) { return product(t.sizes) > 0; });
    if (!some) {
      return "";  // outputs without elements launch nothing
    }
    if (const std::string fault = interpreter_.run(); !fault.empty()) {
      return fault;
    }
    for (size_t k = 0; k < wanted_.size(); ++k) {
      if (const int64_t at = first_difference(k); at >= 0) {
        return "out" + std::to_string(k) + " differs at element " + std::to_string(at);
      }
    }
    return "";
  }

 private:
  void make_inputs() {
    inputs_.resize(kernel_.inputs.size());
    for (size_t k = 0; k < inputs_.size(); ++k) {
      const Tensor& buffer = *kernel_.inputs[k];
      const Sizes strides = strides_of(buffer, sizes_);
      const int64_t elements = addressed(test_.input_sizes[k], strides);
      storage_.push_back(input_bytes(buffer.dtype, elements, k + 1));
      const HostTensor host{storage_.back().data(), buffer.dtype, test_.input_sizes[k], strides};
      arguments_.emplace_back(host);
      for (int64_t e = 0; e < elements; ++e) {
        inputs_[k].values.push_back(load_element(host, e));
      }
      interpreter_.bind(Parameter::Kind::input, static_cast<int>(k), inputs_[k]);
    }
  }

  void make_outputs() {
    ScalarBinding bound = test_.binding();
    outputs_.resize(kernel_.outputs.size());
    for (size_t k = 0; k < outputs_.size(); ++k) {
      const Tensor& buffer = *kernel_.outputs[k];
      const Sizes shape = bound.sizes(buffer.view);
      wanted_bytes_.push_back(std::vector<char>(std::max<int64_t>(1, product(shape)) * bytes_of(buffer.dtype)));
      wanted_.push_back({wanted_bytes_.back().data(), buffer.dtype, shape, dense(shape)});
      InterpretedBuffer& mine = buffer_of_output(k);
      if (&mine == &outputs_[k]) {
        mine.values.assign(addressed(shape, strides_of(buffer, sizes_)), std::nan(""));
      }
      interpreter_.bind(Parameter::Kind::output, static_cast<int>(k), mine);
    }
  }

  InterpretedBuffer& buffer_of_output(size_t k) {
    for (const auto& [input, output] : program_.aliases) {
      if (output == static_cast<int>(k)) {
        return inputs_[input];
      }
    }
    return outputs_[k];
  }

  int64_t first_difference(size_t k) {
    const InterpretedBuffer& got = buffer_of_output(k);
    const Sizes strides = strides_of(*kernel_.outputs[k], sizes_);
    const Sizes& shape = wanted_[k].sizes;
    for (int64_t e = 0; e < product(shape); ++e) {
      int64_t rest = e, at = 0;
      for (size_t d = shape.size(); d-- > 0;) {
        at += rest % shape[d] * strides[d];
        rest /= shape[d];
      }
      const ScalarValue want = load_element(wanted_[k], e);
      const auto* x = std::get_if<double>(&want);
      const auto* y = std::get_if<double>(&got.values[at]);
      const bool both_nan = x != nullptr && y != nullptr && std::isnan(*x) && std::isnan(*y);
      if (got.writer[at] < 0 || (want != got.values[at] && !both_nan)) {
        return e;
      }
    }
    return -1;
  }

  const KernelCase& test_;
  const Program& program_;
  const Kernel& kernel_;
  std::map<std::string, int64_t> sizes_;
  ProgramInterpreter interpreter_;
  std::vector<std::vector<char>> storage_, wanted_bytes_;
  std::vector<HostArgument> arguments_;
  std::vector<HostTensor> wanted_;
  std::vector<InterpretedBuffer> inputs_, outputs_;
};

/// Runs the program and the evaluator on the same inputs; empty, or what went wrong.
inline std::string run_program(const KernelCase& test, const Program& program) {
  return ProgramRun(test, program).run();
}

}  // namespace nvfuser
