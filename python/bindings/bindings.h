// SPDX-License-Identifier: Apache-2.0
// What the bind_*.cpp share: wrappers of IR nodes that own their Fusion jointly, the thread's current Fusion, operands
// from Python objects.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/complex.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <vector>

#include "casters.h"
#include "nvfuser/ir/fusion.h"

namespace nvfuser::python {

using namespace nb::literals;

/// Who changes which wrapper a node has, where the interpreter has no lock of its own; costs nothing where it has.
inline nb::ft_mutex wrappers_mutex;

/// A node as Python holds it: joint ownership of the Fusion and the node.  The node remembers its living wrapper, so
/// one node has one Python object.
struct StatementRef {
  std::shared_ptr<Fusion> fusion;
  Statement* node;
  StatementRef(std::shared_ptr<Fusion> owner, Statement* statement) : fusion(std::move(owner)), node(statement) {}
  StatementRef(const StatementRef&) = delete;
  StatementRef& operator=(const StatementRef&) = delete;
  ~StatementRef();
};
struct ValRef : StatementRef {
  using StatementRef::StatementRef;
  Val* get() const { return static_cast<Val*>(node); }
};
struct IterDomainRef : ValRef {
  using ValRef::ValRef;
  IterDomain* get() const { return static_cast<IterDomain*>(node); }
};
struct TensorDomainRef : ValRef {
  using ValRef::ValRef;
  TensorDomain* get() const { return static_cast<TensorDomain*>(node); }
};
struct TensorViewRef : ValRef {
  using ValRef::ValRef;
  TensorView* get() const { return static_cast<TensorView*>(node); }
};
struct ExprRef : StatementRef {
  using StatementRef::StatementRef;
  Expr* get() const { return static_cast<Expr*>(node); }
};
/// Expressions whose kind has a class of its own.
struct BroadcastOpRef : ExprRef {
  using ExprRef::ExprRef;
};
struct SqueezeOpRef : ExprRef {
  using ExprRef::ExprRef;
};

/// The Python object of a node, of its most derived class; None for null.
nb::object wrap(const Statement* node);

template <class Nodes>
nb::list wrap_all(const Nodes& nodes) {
  nb::list list;
  for (const auto* node : nodes) {
    list.append(wrap(node));
  }
  return list;
}

/// The Fusion that the thread builds at present; an error says how to open one.
Fusion& current_fusion();
/// A fusion that is being defined.  It is current until it is closed (the pointer reset) or a later one is opened; it
/// may be closed in any order and by any thread.
using OpenFusion = std::shared_ptr<Fusion>;
std::shared_ptr<OpenFusion> open_fusion(std::shared_ptr<Fusion> fusion);

/// A Val, or a Python bool, int, float or complex made a constant of `fusion`.  TypeError names the argument otherwise.
Val* operand(Fusion& fusion, nb::handle object, const char* argument);
/// The tensor behind an object; TypeError names the argument otherwise.
TensorView* tensor_operand(nb::handle object, const char* argument);
/// The same for operations, which only build the fusion that the thread defines at present.
TensorView* op_tensor(nb::handle object, const char* argument);
/// The same, or None (null).
TensorView* optional_tensor(nb::handle object, const char* argument);
/// The current fusion; error when the first Val among the objects belongs to another one.
Fusion& fusion_of(std::initializer_list<nb::handle> objects);
/// A fusion for an operation on plain numbers where none is being defined: its result is a constant, which owns it.
/// Null otherwise.
std::shared_ptr<Fusion> own_fusion(std::initializer_list<nb::handle> objects);
/// A sequence of ints and Vals.
std::vector<Val*> val_list(Fusion& fusion, nb::handle object, const char* argument);
/// None (null) or an operand.
Val* optional_operand(Fusion& fusion, nb::handle object, const char* argument);
/// A number of Python or NumPy as a scalar; nothing for anything else.  TypeError for an integer that has no 64 bits.
std::optional<ScalarValue> python_scalar(nb::handle object);
/// An integer of Python or NumPy, or what says that it is one; nothing for anything else.  TypeError as above.
std::optional<int64_t> python_int(nb::handle object);
/// The items of a sequence as a tuple; nothing for anything else, texts and dictionaries included.
std::optional<nb::object> sequence_items(nb::handle object);
/// The name of an object's class, for messages.
[[gnu::cold]] std::string class_name(nb::handle object);

/// What `repr` gives: `<name: text>`.
[[gnu::cold]] std::string repr_text(std::string_view name, std::string_view text);

/// The user's line at present: of the innermost frame that is not of this wheel; null where there is none.
std::shared_ptr<const Location> user_line();
/// Makes the Fusion's expressions remember the Python line that made them.
void record_locations(Fusion& fusion);

/// The parts of the module.  Each runs once, so all that it does is made small rather than fast (`cold`), and lies
/// together: an import touches few pages of code.  The same holds for what only makes texts.
[[gnu::cold]] void bind_errors(nb::module_& m);
[[gnu::cold]] void bind_events(nb::module_& m);
[[gnu::cold]] void bind_enums(nb::module_& m);
[[gnu::cold]] void bind_ir(nb::module_& m);
[[gnu::cold]] void bind_fusion(nb::module_& m);
[[gnu::cold]] void bind_define(nb::module_& m);
[[gnu::cold]] void bind_ops(nb::module_& m);
[[gnu::cold]] void bind_reduce(nb::module_& m);
[[gnu::cold]] void bind_norms(nb::module_& m);
[[gnu::cold]] void bind_composites(nb::module_& m);
[[gnu::cold]] void bind_runtime(nb::module_& m);
[[gnu::cold]] void bind_call(nb::module_& m);
[[gnu::cold]] void bind_lent(nb::module_& m);
[[gnu::cold]] void bind_cache(nb::module_& m);
[[gnu::cold]] void bind_options(nb::module_& m);
[[gnu::cold]] void bind_memory(nb::module_& m);
[[gnu::cold]] void bind_profiler(nb::module_& m);
[[gnu::cold]] void bind_prepare(nb::module_& m);
[[gnu::cold]] void bind_segments(nb::module_& m);

}  // namespace nvfuser::python
