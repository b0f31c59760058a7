// SPDX-License-Identifier: Apache-2.0
// Wrappers of nodes, the thread's current Fusion, and operands from Python objects.
#include <algorithm>
#include <atomic>

#include "bindings.h"
#include "imported.h"
#include "nvfuser/ops/pointwise_builder.h"

namespace nvfuser::python {
namespace {

/// The open fusions of the thread, the current one last.  Never destroyed: the main thread's would die after Python.
std::vector<std::shared_ptr<OpenFusion>>& fusion_stack() {
  thread_local auto& stack = *new std::vector<std::shared_ptr<OpenFusion>>;
  while (!stack.empty() && *stack.back() == nullptr) {
    stack.pop_back();
  }
  return stack;
}

template <class Ref>
nb::object make(Statement* node) {
  nb::object object = nb::inst_alloc(nb::type<Ref>());
  new (nb::inst_ptr<Ref>(object)) Ref(node->fusion()->shared_from_this(), node);
  nb::inst_mark_ready(object);
  node->wrapper = object.ptr();
  return object;
}

nb::object make_val(Val* val) {
  switch (val->kind()) {
    case ValKind::iter_domain:
      return make<IterDomainRef>(val);
    case ValKind::tensor_domain:
      return make<TensorDomainRef>(val);
    case ValKind::tensor_view:
      return make<TensorViewRef>(val);
    case ValKind::scalar:
      break;
  }
  return make<ValRef>(val);
}

/// A line of Python, kept as code object and instruction; resolved to a line number only when it is printed.
class PythonLocation : public Location {
 public:
  PythonLocation(nb::object code, int instruction) : code_(std::move(code)), instruction_(instruction) {}
  ~PythonLocation() override {
    if (!Py_IsInitialized()) {
      code_.release();  // Python has gone, and the code object with it
      return;
    }
    nb::gil_scoped_acquire guard;
    code_.reset();
  }
  [[gnu::cold]] std::string text() const override {
    nb::gil_scoped_acquire guard;
    const std::string file = nb::cast<std::string>(code_.attr("co_filename"));
    const std::string name = nb::cast<std::string>(code_.attr("co_name"));
    int line = nb::cast<int>(code_.attr("co_firstlineno"));
    for (nb::handle entry : code_.attr("co_lines")()) {
      nb::tuple range = nb::cast<nb::tuple>(entry);
      if (nb::cast<int>(range[0]) <= instruction_ && instruction_ < nb::cast<int>(range[1]) && !range[2].is_none()) {
        line = nb::cast<int>(range[2]);
      }
    }
    return file + ":" + std::to_string(line) + " in " + name;
  }

 private:
  nb::object code_;
  int instruction_;
};

nb::object make_expr(Expr* expr) {
  switch (expr->kind()) {
    case ExprKind::broadcast:
      return make<BroadcastOpRef>(expr);
    case ExprKind::squeeze:
      return make<SqueezeOpRef>(expr);
    default:
      return make<ExprRef>(expr);
  }
}

/// The wrapper that a node remembers; invalid where it has none, or one that is on its way out.
nb::object living_wrapper(const Statement& node) {
  if (node.wrapper == nullptr) {
    return {};
  }
  auto* object = static_cast<PyObject*>(node.wrapper);
#if defined(NB_FREE_THREADED)
  return nb::find(*nb::inst_ptr<StatementRef>(object));  // another thread may have dropped it already
#else
  return nb::borrow(object);
#endif
}

}  // namespace

StatementRef::~StatementRef() {
  nb::ft_lock_guard guard(wrappers_mutex);
#if defined(NB_FREE_THREADED)
  if (node->wrapper == nullptr || nb::inst_ptr<StatementRef>(static_cast<PyObject*>(node->wrapper)) != this) {
    return;  // the node has a new wrapper
  }
#endif
  node->wrapper = nullptr;
}

std::string class_name(nb::handle object) { return nb::cast<std::string>(nb::handle(object.type()).attr("__name__")); }

std::string repr_text(std::string_view name, std::string_view text) {
  std::string whole = "<";
  whole.append(name).append(": ").append(text);
  return whole += '>';
}

nb::object wrap(const Statement* node) {
  if (!node) {
    return nb::none();
  }
  nb::ft_lock_guard guard(wrappers_mutex);
  if (nb::object found = living_wrapper(*node); found.is_valid()) {
    return found;
  }
  auto* statement = const_cast<Statement*>(node);
  if (auto* val = dynamic_cast<Val*>(statement)) {
    return make_val(val);
  }
  return make_expr(static_cast<Expr*>(statement));
}

Fusion& current_fusion() {
  check(!fusion_stack().empty(), ErrorKind::definition,
        "no fusion is being defined; use `with FusionDefinition() as fd:`");
  return **fusion_stack().back();
}

std::shared_ptr<OpenFusion> open_fusion(std::shared_ptr<Fusion> fusion) {
  return fusion_stack().emplace_back(std::make_shared<OpenFusion>(std::move(fusion)));
}

namespace {

std::optional<ScalarValue> own_scalar(nb::handle object) {
  if (PyBool_Check(object.ptr())) {
    return ScalarValue(object.ptr() == Py_True);
  }
  if (PyLong_Check(object.ptr())) {
    return ScalarValue(*python_int(object));
  }
  if (PyFloat_Check(object.ptr())) {
    return ScalarValue(nb::cast<double>(object));
  }
  if (PyComplex_Check(object.ptr())) {
    return ScalarValue(nb::cast<std::complex<double>>(object));
  }
  return std::nullopt;
}

bool is_numpy_scalar(nb::handle object) {
  static constinit Imported type("numpy", "generic");
  return PyType_IsSubtype(Py_TYPE(object.ptr()), reinterpret_cast<PyTypeObject*>(type.get())) != 0;
}

}  // namespace

std::optional<ScalarValue> python_scalar(nb::handle object) {
  std::optional<ScalarValue> scalar = own_scalar(object);
  if (!scalar && is_numpy_scalar(object)) {
    scalar = own_scalar(nb::object(object.attr("item")()));
  }
  return scalar;
}

Val* operand(Fusion& fusion, nb::handle object, const char* argument) {
  if (nb::isinstance<ValRef>(object)) {
    return nb::inst_ptr<ValRef>(object)->get();
  }
  std::optional<ScalarValue> number = python_scalar(object);
  if (!number) {
    throw nb::type_error(("argument '" + std::string(argument) +
                          "': expected a Val, bool, int, float or complex, got " + class_name(object))
                             .c_str());
  }
  return make_constant(fusion, *number);
}

Val* optional_operand(Fusion& fusion, nb::handle object, const char* argument) {
  return object.is_none() ? nullptr : operand(fusion, object, argument);
}

TensorView* tensor_operand(nb::handle object, const char* argument) {
  if (!nb::isinstance<TensorViewRef>(object)) {
    throw nb::type_error(
        ("argument '" + std::string(argument) + "': expected a TensorView, got " + class_name(object)).c_str());
  }
  return nb::inst_ptr<TensorViewRef>(object)->get();
}

namespace {

/// The current fusion is that of the value.
void check_open(const ValRef& value) {
  check(!fusion_stack().empty(), ErrorKind::definition, *value.get(),
        " is used outside of the definition of its fusion; use it inside `with fd:`", AtLine{*value.get()});
  check(*fusion_stack().back() == value.fusion, ErrorKind::definition, *value.get(),
        " belongs to another fusion than the one that is being defined", AtLine{*value.get()});
}

}  // namespace

TensorView* op_tensor(nb::handle object, const char* argument) {
  TensorView* tensor = tensor_operand(object, argument);
  check_open(*nb::inst_ptr<TensorViewRef>(object));
  return tensor;
}

TensorView* optional_tensor(nb::handle object, const char* argument) {
  return object.is_none() ? nullptr : op_tensor(object, argument);
}

Fusion& fusion_of(std::initializer_list<nb::handle> objects) {
  for (nb::handle object : objects) {
    if (nb::isinstance<ValRef>(object)) {
      check_open(*nb::inst_ptr<ValRef>(object));
      break;
    }
  }
  return current_fusion();
}

std::shared_ptr<Fusion> own_fusion(std::initializer_list<nb::handle> objects) {
  const bool has_vals =
      std::any_of(objects.begin(), objects.end(), [](nb::handle object) { return nb::isinstance<ValRef>(object); });
  return has_vals || !fusion_stack().empty() ? nullptr : Fusion::make();
}

std::vector<Val*> val_list(Fusion& fusion, nb::handle object, const char* argument) {
  const std::optional<nb::object> items = sequence_items(object);
  if (!items) {
    throw nb::type_error(
        ("argument '" + std::string(argument) + "': expected a list or tuple, got " + class_name(object)).c_str());
  }
  std::vector<Val*> vals;
  for (nb::handle item : *items) {
    const bool is_val = nb::isinstance<ValRef>(item);
    const std::optional<int64_t> number = is_val || PyBool_Check(item.ptr()) ? std::nullopt : python_int(item);
    if (!is_val && !number) {
      throw nb::type_error(("argument '" + std::string(argument) + "', element " + std::to_string(vals.size()) +
                            ": expected an int or a Val, got " + class_name(item))
                               .c_str());
    }
    vals.push_back(number ? make_constant(fusion, ScalarValue(*number)) : operand(fusion, item, argument));
  }
  return vals;
}

namespace {

/// Is code of that frame of the packages of this wheel, and not the user's?  Scripts that are run as modules of them
/// are the user's.
bool is_own_code(nb::handle frame) {
  nb::object name = nb::dict(frame.attr("f_globals")).attr("get")("__name__", "");
  std::string text;
  if (!nb::try_cast(name, text)) {
    return false;
  }
  const std::string package = text.substr(0, text.find('.'));
  return package == "nvfuser" || package == "nvfuser_direct";
}

nb::object code_of(nb::handle frame) {
  return nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(reinterpret_cast<PyFrameObject*>(frame.ptr()))));
}

}  // namespace

/// The code that was the user's last is held, and asked no more: a definition is mostly one function.
std::shared_ptr<const Location> user_line() {
  static constinit Getter instruction("f_lasti");
  static constinit std::atomic<PyObject*> last_code = nullptr;
  nb::object frame = nb::borrow(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
  nb::object code;
  while (frame.is_valid() && !frame.is_none()) {
    code = code_of(frame);
    if (code.ptr() == last_code.load(std::memory_order_relaxed) || !is_own_code(frame)) {
      break;
    }
    frame = frame.attr("f_back");
  }
  if (!frame.is_valid() || frame.is_none()) {
    return nullptr;
  }
  if (code.ptr() != last_code.load(std::memory_order_relaxed)) {
    Py_XDECREF(last_code.exchange(nb::borrow(code).release().ptr()));
  }
  return std::make_shared<PythonLocation>(std::move(code), static_cast<int>(PyLong_AsLong(instruction(frame).ptr())));
}

void record_locations(Fusion& fusion) { fusion.locator = &user_line; }

}  // namespace nvfuser::python
