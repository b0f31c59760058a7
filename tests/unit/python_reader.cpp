// SPDX-License-Identifier: Apache-2.0
// The reader of printed fusions: see python_reader.h.
#include "python_reader.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <sstream>

#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/define.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/resize.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// A Python value: None, a number, a name of the fusion, an element type or a list.
struct Value {
  std::variant<std::monostate, ScalarValue, Val*, DataType, std::vector<Value>> data;

  const std::vector<Value>& list() const { return std::get<std::vector<Value>>(data); }
  DataType dtype() const { return std::get<DataType>(data); }
  bool flag() const { return std::get<bool>(std::get<ScalarValue>(data)); }
  std::vector<int64_t> integers() const {
    std::vector<int64_t> result;
    for (const Value& item : list()) {
      result.push_back(std::get<int64_t>(std::get<ScalarValue>(item.data)));
    }
    return result;
  }
  std::vector<std::optional<bool>> flags() const {
    std::vector<std::optional<bool>> result;
    for (const Value& item : list()) {
      result.push_back(std::holds_alternative<std::monostate>(item.data) ? std::nullopt : std::optional(item.flag()));
    }
    return result;
  }
};

/// Arguments of one call, by position or name.
struct Arguments {
  std::vector<Value> positional;
  std::map<std::string, Value> named;

  /// Null when it is not given.
  const Value* find(size_t position, const std::string& name) const {
    if (position < positional.size()) {
      return &positional[position];
    }
    const auto found = named.find(name);
    return found == named.end() ? nullptr : &found->second;
  }
  const Value& at(size_t position, const std::string& name) const {
    const Value* value = find(position, name);
    check(value != nullptr, ErrorKind::definition, "the argument ", name, " is missing");
    return *value;
  }
};

class Reader {
 public:
  std::shared_ptr<Fusion> read(const std::string& source) {
    std::istringstream lines(source);
    std::getline(lines, line_);
    check(line_ == "def nvfuser_fusion(fd : FusionDefinition) -> None :", ErrorKind::definition,
          "another header: ", line_);
    while (std::getline(lines, line_)) {
      check(line_.starts_with("    "), ErrorKind::definition, "no indentation: ", line_);
      at_ = 4;
      read_statement();
    }
    return fusion_;
  }

 private:
  // ---- text ----

  bool take(const std::string& text) {
    const bool found = line_.compare(at_, text.size(), text) == 0;
    at_ += found ? text.size() : 0;
    return found;
  }
  void expect(const std::string& text) {
    check(take(text), ErrorKind::definition, "expected '", text, "' at ", at_, " of: ", line_);
  }
  std::string word() {
    const size_t begin = at_;
    while (at_ < line_.size() &&
           (std::isalnum(static_cast<unsigned char>(line_[at_])) || line_[at_] == '_' || line_[at_] == '.')) {
      ++at_;
    }
    return line_.substr(begin, at_ - begin);
  }

  // ---- grammar ----

  void read_statement() {
    if (take("pass")) {
      return;
    }
    std::vector<std::string> targets{word()};
    while (take(", ")) {
      targets.push_back(word());
    }
    if (!take(" = ")) {
      check(targets[0] == "fd.add_output", ErrorKind::definition, "no statement: ", line_);
      add_output(arguments());
      return;
    }
    const std::string function = word();
    const std::vector<Val*> results = call(function, arguments());
    check(at_ == line_.size() && results.size() == targets.size(), ErrorKind::definition, "no definition: ", line_);
    for (size_t k = 0; k < targets.size(); ++k) {
      check(names_.emplace(targets[k], results[k]).second, ErrorKind::definition, "defined twice: ", line_);
    }
  }

  Arguments arguments() {
    Arguments result;
    expect("(");
    while (!take(")")) {
      take(", ");
      const size_t begin = at_;
      const std::string name = word();
      if (take("=")) {
        result.named.emplace(name, value());
      } else {
        at_ = begin;
        result.positional.push_back(value());
      }
    }
    return result;
  }

  Value value() {
    if (take("[")) {
      std::vector<Value> items;
      while (!take("]")) {
        take(", ");
        items.push_back(value());
      }
      return {items};
    }
    if (take("float(\"")) {
      const double sign = take("-") ? -1 : 1;
      const bool infinite = take("inf");
      expect(infinite ? "\")" : "nan\")");
      return {ScalarValue(infinite ? sign * std::numeric_limits<double>::infinity() : std::nan(""))};
    }
    if (take("complex(")) {
      const double re = real_part();
      expect(", ");
      const double im = real_part();
      expect(")");
      return {ScalarValue(std::complex<double>(re, im))};
    }
    if (std::isdigit(static_cast<unsigned char>(line_[at_])) || line_[at_] == '-') {
      return number();
    }
    return named(word());
  }

  double real_part() { return std::get<double>(std::get<ScalarValue>(value().data)); }

  Value number() {
    const size_t end = line_.find_first_of(",)]", at_);
    const std::string text = line_.substr(at_, end - at_);
    at_ = end;
    if (text.find_first_of(".e") == std::string::npos) {
      return {ScalarValue(static_cast<int64_t>(std::stoll(text)))};
    }
    return {ScalarValue(std::strtod(text.c_str(), nullptr))};
  }

  Value named(const std::string& name) {
    if (name == "None") {
      return {};
    }
    if (name == "True" || name == "False") {
      return {ScalarValue(name == "True")};
    }
    for (const DataTypeInfo& type : kDataTypes) {
      if (name == "DataType." + std::string(type.name)) {
        return {type.type};
      }
    }
    check(names_.contains(name), ErrorKind::definition, "no such name: ", name, " in: ", line_);
    return {names_.at(name)};
  }

  // ---- calls ----

  Val* operand(const Value& value) {
    if (const ScalarValue* scalar = std::get_if<ScalarValue>(&value.data)) {
      return make_constant(*fusion_, *scalar);
    }
    return std::get<Val*>(value.data);
  }
  std::vector<Val*> operands(const Value& value) {
    std::vector<Val*> result;
    for (const Value& item : value.list()) {
      result.push_back(operand(item));
    }
    return result;
  }
  static TensorView* tensor(const Value& value) { return static_cast<TensorView*>(std::get<Val*>(value.data)); }

  void add_output(const Arguments& a) {
    if (const Value* alias = a.find(1, "alias_input")) {
      fusion_->add_output(tensor(a.at(0, "output")), tensor(*alias));
    } else {
      fusion_->add_output(operand(a.at(0, "output")));
    }
  }

  Val* define(const std::string& function, const Arguments& a) {
    if (function == "fd.define_tensor") {
      const Value* order = a.find(4, "stride_order");
      Val* result =
          define_tensor(*fusion_, a.at(0, "shape").integers(), a.at(1, "contiguity").flags(), a.at(2, "dtype").dtype(),
                        a.at(3, "is_cpu").flag(), order ? order->integers() : std::vector<int64_t>{});
      fusion_->add_input(result);
      return result;
    }
    check(function == "fd.define_scalar", ErrorKind::definition, "no such function: ", function);
    const DataType dtype = a.at(1, "dtype").dtype();
    if (const ScalarValue* value = std::get_if<ScalarValue>(&a.at(0, "value").data)) {
      return define_scalar(*fusion_, *value, dtype);
    }
    Val* result = define_scalar(*fusion_, dtype);
    fusion_->add_input(result);
    return result;
  }

  std::vector<Val*> call(const std::string& function, const Arguments& a) {
    const std::string prefix = "fd.ops.";
    if (!function.starts_with(prefix)) {
      return {define(function, a)};
    }
    const std::string op = function.substr(prefix.size());
    if (op == "welford") {
      const WelfordResult result = welford(tensor(a.at(0, "arg")), a.at(1, "dims").integers());
      return {result.average, result.squares, result.count};
    }
    return {call_op(op, a)};
  }

  Val* call_reduction(ReductionOp op, const Arguments& a) {
    const Value *dims = a.find(1, "dims"), *dtype = a.find(3, "dtype");
    return reduce(op, tensor(a.at(0, "arg")), dims ? ReducedAxes(dims->integers()) : std::nullopt, false,
                  dtype ? dtype->dtype() : DataType::Null);
  }

  Val* call_op(const std::string& op, const Arguments& a) {
    if (const auto row = find_reduction(op)) {
      return call_reduction(*row, a);
    }
    if (const auto row = find_pointwise(op)) {
      std::vector<Val*> given;
      for (const Value& value : a.positional) {
        given.push_back(operand(value));
      }
      return pointwise(*row, given);
    }
    if (op == "cast") {
      return cast(operand(a.at(0, "arg")), a.at(1, "dtype").dtype());
    }
    if (op == "full") {
      return full(operands(a.at(0, "shape")), operand(a.at(1, "fill_value")), a.at(2, "dtype").dtype());
    }
    if (op == "iota") {
      return iota(operand(a.at(0, "length")), operand(a.at(1, "start")), operand(a.at(2, "step")),
                  a.at(3, "dtype").dtype());
    }
    return op == "cat" ? call_cat(a) : call_shape(op, tensor(a.at(0, "arg")), a);
  }

  Val* call_cat(const Arguments& a) {
    std::vector<TensorView*> parts;
    for (const Value& value : a.at(0, "tensors").list()) {
      parts.push_back(tensor(value));
    }
    const Value* dim = a.find(1, "dim");
    return cat(parts, dim ? std::get<int64_t>(std::get<ScalarValue>(dim->data)) : 0);
  }

  Val* call_shape(const std::string& op, TensorView* x, const Arguments& a) {
    if (op == "set")
      return set(x);
    if (op == "segment_set")
      return segment_set(x);
    if (op == "stride_order")
      return stride_order(x, a.at(1, "stride_order").integers());
    if (op == "expand")
      return expand(x, operands(a.at(1, "shape")));
    if (op == "permute")
      return permute(x, a.at(1, "dims").integers());
    if (op == "reshape")
      return reshape(x, operands(a.at(1, "new_shape")));
    if (op == "squeeze")
      return squeeze(x, a.at(1, "dims").integers(), a.find(2, "squeeze_expanded") != nullptr);
    if (op == "size")
      return size(x, std::get<int64_t>(std::get<ScalarValue>(a.at(1, "dim").data)));
    if (op == "pad")
      return pad(x, operands(a.at(1, "pad_widths")), operand(a.at(2, "value")));
    if (op == "slice") {
      return slice(x, operands(a.at(1, "start_indices")), operands(a.at(2, "end_indices")), {},
                   a.at(4, "manual_normalization").flag());
    }
    check(op == "broadcast", ErrorKind::definition, "no such op: ", op);
    std::vector<bool> flags;
    for (const std::optional<bool>& flag : a.at(1, "is_broadcast_dim").flags()) {
      flags.push_back(flag.value());
    }
    return broadcast(x, flags);
  }

  std::shared_ptr<Fusion> fusion_ = Fusion::make();
  std::map<std::string, Val*> names_;
  std::string line_;
  size_t at_ = 0;
};

}  // namespace

std::shared_ptr<Fusion> read_python(const std::string& source) { return Reader().read(source); }

}  // namespace nvfuser
