// SPDX-License-Identifier: Apache-2.0
// The printer: a method per kind of node.  The body is printed first, so that the head declares only the indices that
// the body uses.
#include "nvfuser/codegen/printer.h"

#include <algorithm>
#include <optional>

#include "nvfuser/base/text_buffer.h"
#include "nvfuser/codegen/dialect.h"
#include "nvfuser/codegen/index_text.h"
#include "nvfuser/codegen/launcher.h"
#include "nvfuser/codegen/value_text.h"
#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

namespace {

/// Most operations that the summary in a kernel's comment names.
constexpr size_t kSummaryNames = 12;

class Printer {
 public:
  explicit Printer(const Program& program) : program_(program), dialect_(dialect_of(program.target)), index_(program) {}

  KernelText run();

 private:
  // ---- nodes
  void print(const Block& block);
  void print(const Allocate& node);
  void print(const Assign& node);
  void print(const Move& node);
  void print(const Begin& node);
  void print(const Accumulate& node);
  void print_fold(const Accumulate& node);
  void find_folds(const Block& block);
  void print(const Join& node);
  void print(const Finish& node);
  void print(const BulkCopy& node);
  void print(const Claim& node);
  void print(const Post& node);
  void print(const Wait& node) { body_.line("rt::wait(ring, ", index_.text(node.turn), ");"); }
  void print(const Sync&) { body_.line("rt::sync();"); }
  void print(const Arrive& node);
  void print(const GridSync& node) {
    body_.line("rt::grid_sync(semaphores, ", index_.text(node.at), ", ", index_.text(node.arrivals), ");");
  }
  void print(const GridLeave& node) {
    body_.line("rt::grid_leave(semaphores, ", index_.text(node.at), ", ", index_.text(node.arrivals), ");");
  }
  void print(const LeaveFar&) { body_.line("rt::leave(far);"); }
  void print(const Loop& node);
  void print_overlapped(const Loop& node, const std::string& bound);
  void print(const Guard& node);
  std::string least_of(const std::string& name, const std::vector<Index>& values);
  std::string bound_of(const Loop& node);
  std::string text_of(Index p) const { return p != nullptr ? index_.text(p) : ""; }

  // ---- values
  std::string buffer_name(const Tensor* tensor) const;
  std::string element(const Place& place) const {
    return buffer_name(place.tensor) + "[" + index_.text(place.offset) + "]";
  }
  std::string element(const Place& place, DataType to);
  std::string scalar(const Val& value, DataType to);
  std::string operand(const Tensor& what, const std::vector<Place>& reads, size_t k, DataType to);
  std::string operand(const Assign& node, size_t k, DataType to) { return operand(*node.what, node.reads, k, to); }
  std::string value_of(const Assign& node);
  std::string compute(const Assign& node);
  std::string select(const Assign& node);
  std::string iota(const Assign& node);

  // ---- around the body
  std::string summary() const;
  std::string parameters() const;
  void declare_indices(std::string& out, const std::string& indent) const;
  std::string head();
  std::string ring() const;
  std::string far(const std::string& indent);
  std::string first_thread() const;

  const Program& program_;
  const Dialect& dialect_;
  IndexText index_;
  KernelText result_;
  TextBuffer body_;
  std::unordered_set<const Tensor*> folded_;            ///< reductions with an Accumulate of several elements
  std::vector<std::pair<size_t, std::string>> arrays_;  // position in body_, name
};

void Printer::print(const Block& block) {
  const auto scope = body_.indent();
  for (const Node& node : block.nodes) {
    std::visit([&](const auto& n) { print(n); }, node);
  }
}

void Printer::find_folds(const Block& block) {
  for (const Node& node : block.nodes) {
    if (const auto* accumulate = std::get_if<Accumulate>(&node); accumulate && accumulate->width > 1) {
      folded_.insert(accumulate->reduce);
    } else if (const auto* loop = std::get_if<Loop>(&node)) {
      find_folds(*loop->body);
      if (loop->later) {
        find_folds(*loop->later);
      }
    } else if (const auto* guard = std::get_if<Guard>(&node)) {
      find_folds(*guard->body);
      if (guard->otherwise) {
        find_folds(*guard->otherwise);
      }
    }
  }
}

/// rt::Sum<rt::float32>
std::string combiner_text(const Tensor& reduce) {
  const Reduction& reduction = *reduce.reduction;
  return "rt::" + std::string(info(reduction.row).combiner) + "<" + type_text(reduction.type) + ">";
}

std::string accumulators(const Tensor* reduce) { return reduce->name + "_acc"; }

std::string team_name(int team) { return "team" + std::to_string(team); }

void Printer::print(const Allocate& node) {
  const std::string name = node.accumulators ? accumulators(node.tensor) : buffer_name(node.tensor);
  const std::string count = std::to_string(node.count);
  arrays_.emplace_back(body_.size(), name);
  if (node.accumulators) {
    body_.line(fill(folded_.contains(node.tensor) ? dialect_.folded : dialect_.tuples,
                    {{"combiner", combiner_text(*node.tensor)}, {"count", count}}),
               " ", name, ";");
  } else {
    body_.line("rt::Array<", type_text(node.tensor->dtype), ", ", count, "> ", name, ";");
  }
}

void Printer::print(const Begin& node) {
  result_.reduces = true;
  body_.line("rt::begin<", combiner_text(*node.reduce), ">(", accumulators(node.reduce), ", ", index_.text(node.at),
             ");");
}

void Printer::print_fold(const Accumulate& node) {
  std::string sources;
  for (const Place& place : node.reads) {
    sources += (sources.empty() ? "" : ", ") + buffer_name(place.tensor) + ", " + index_.text(place.offset);
  }
  const std::string count =
      node.counts.empty() ? std::to_string(node.width) : least_of(node.reduce->name + "_count", node.counts);
  body_.line(fill(node.within ? dialect_.fold_within : dialect_.fold, {{"combiner", combiner_text(*node.reduce)},
                                                                       {"width", std::to_string(node.width)},
                                                                       {"acc", accumulators(node.reduce)},
                                                                       {"at", index_.text(node.at)},
                                                                       {"sources", sources},
                                                                       {"count", count},
                                                                       {"column", text_of(node.within.column)},
                                                                       {"columns", text_of(node.within.columns)}}));
}

void Printer::print(const Accumulate& node) {
  if (node.width > 1) {
    return print_fold(node);
  }
  const Reduction& reduction = *node.reduce->reduction;
  std::string operands;
  for (size_t k = 0; k < node.reads.size(); ++k) {
    // The second operand of a row is a position.
    const DataType to = reduction.merges ? node.reads[k].tensor->dtype : k == 0 ? reduction.type : DataType::Int;
    operands += ", " + operand(*node.reduce, node.reads, k, to);
  }
  body_.line(reduction.merges ? "rt::merge<" : "rt::accumulate<", combiner_text(*node.reduce), ">(",
             accumulators(node.reduce), ", ", index_.text(node.at), operands, ");");
}

void Printer::print(const Join& node) {
  std::string members;
  for (size_t k = 0; k < node.reduces.size(); ++k) {
    members += ", rt::member<" + combiner_text(*node.reduces[k]) + ", " + std::to_string(node.counts[k]) + ">(" +
               accumulators(node.reduces[k]) + ")";
  }
  if (node.cluster && program_.apart) {
    const std::string arguments = team_name(node.team) + ", slots, far" + members + ");";
    if (node.part != Join::Part::collect) {
      body_.line("rt::tell_far(", arguments);
    }
    if (node.part != Join::Part::tell) {
      body_.line("rt::collect_far(", arguments);
    }
    return;
  }
  if (node.cluster) {
    body_.line("rt::join_cluster<", program_.cluster, ">(", team_name(node.team), ", slots, peers", members, ");");
    return;
  }
  const std::string slots = program_.teams[node.team].wide() ? ", slots" : "";
  body_.line("rt::join(", team_name(node.team), slots, members, ");");
}

void Printer::print(const Arrive& node) {
  body_.line("if (!rt::last_to_arrive(semaphores, ", index_.text(node.at), ", ", index_.text(node.count), ")) {");
  body_.line("  return;");
  body_.line("}");
}

void Printer::print(const Finish& node) {
  const Reduction& reduction = *node.reduce->reduction;
  const std::string at = index_.text(node.at);
  for (const Tensor* part : node.parts) {
    const std::string result = (reduction.partial ? "rt::state<" : "rt::result<") + combiner_text(*part) + ", " +
                               std::to_string(part->part) + ">(" + accumulators(node.reduce) + ", " + at + ")";
    const DataType type = reduction.partial ? part->dtype : part_type(reduction.row, part->part, reduction.type);
    body_.line(
        fill(dialect_.set, {{"to", buffer_name(part)}, {"i", at}, {"value", convert_text(result, type, part->dtype)}}));
  }
}

void Printer::print(const BulkCopy& node) {
  const std::string places = index_.text(node.turn) + ", " + buffer_name(node.to.tensor) + ", " +
                             index_.text(node.to.offset) + ", " + buffer_name(node.from.tensor) + ", " +
                             index_.text(node.from.offset) + ", ";
  if (node.most == 0) {
    body_.line("rt::bulk_copy(ring, ", places, index_.text(node.count), ");");
    return;
  }
  const std::string tests = node.tests.empty() ? "" : index_.text(node.tests) + " ? ";
  body_.line("rt::bulk_copy_up_to(ring, ", places, node.most, ", ", tests, index_.text(node.count),
             tests.empty() ? ");" : " : 0);");
}

/// Is this the first thread of the block?
std::string Printer::first_thread() const {
  std::vector<Test> first;
  for (const Index thread : program_.block_var) {
    if (thread != nullptr) {
      first.push_back({Test::Kind::eq, thread});
    }
  }
  return first.empty() ? "true" : index_.text(first);
}

void Printer::print(const Claim& node) {
  const std::string rows = index_.text(node.rows);
  body_.line("const Index ", index_.text(node.variable), " = ", first_thread(), " ? ", index_.text(node.first),
             " + rt::claim<Index>(semaphores, 0, ", rows, ") : ", rows, ";");
}

void Printer::print(const Post& node) {
  body_.line("rt::post(ring, ", index_.text(node.turn), ", Index(", index_.text(node.row), "), ",
             index_.text(node.rows), ");");
}

void Printer::print(const Move& node) {
  const bool streams = !node.counts.empty();
  const std::string count = streams ? least_of(node.from.tensor->name + "_count", node.counts) : "";
  const bool once = node.what->op == TensorOp::load && node.what->streaming && !dialect_.load_once.empty();
  const size_t masked = node.what->op == TensorOp::store ? 3 : node.unaligned != nullptr ? 2 : once ? 1 : 0;
  const std::string_view form = streams           ? dialect_.move_streamed
                                : node.within     ? dialect_.within[masked]
                                : node.unaligned  ? dialect_.load_unaligned
                                : once            ? dialect_.load_once
                                : node.width == 1 ? dialect_.move_element
                                                  : dialect_.move_vector;
  ensure(!form.empty(), "a move past the cache, where the target has none: ", node.from.tensor->name);
  body_.line(fill(form, {{"count", count},
                         {"width", std::to_string(node.width)},
                         {"to", buffer_name(node.to.tensor)},
                         {"i", index_.text(node.to.offset)},
                         {"from", buffer_name(node.from.tensor)},
                         {"j", index_.text(node.from.offset)},
                         {"start", text_of(node.unaligned)},
                         {"column", text_of(node.within.column)},
                         {"columns", text_of(node.within.columns)}}));
}

void Printer::print(const Assign& node) {
  const TensorOp op = node.what->op;
  if (op == TensorOp::load || op == TensorOp::store || op == TensorOp::copy) {
    print(Move{node.what, node.to, node.reads.at(0), 1, {}});
    return;
  }
  body_.line(
      fill(dialect_.set,
           {{"to", buffer_name(node.to.tensor)}, {"i", index_.text(node.to.offset)}, {"value", value_of(node)}}));
}

/// Declares the values, named after `name`, and returns the name of the least.
std::string Printer::least_of(const std::string& name, const std::vector<Index>& values) {
  std::string least = name;
  body_.line("const Index ", name, " = ", index_.text(values.front()), ";");
  for (size_t k = 1; k < values.size(); ++k) {
    const std::string number = std::to_string(k + 1), other = name + number, both = name + "_of_" + number;
    body_.line("const Index ", other, " = ", index_.text(values[k]), ";");
    body_.line("const Index ", both, " = ", other, " < ", least, " ? ", other, " : ", least, ";");
    least = both;
  }
  return least;
}

/// The number of iterations, with the smaller of extent and limit as a name of its own: loops of lanes need one bound.
std::string Printer::bound_of(const Loop& node) {
  const std::string extent = index_.text(node.extent);
  if (node.limits.empty()) {
    return extent;
  }
  const std::string rest = least_of(node.name + "_rest", node.limits), end = node.name + "_end";
  body_.line("const Index ", end, " = ", rest, " < ", extent, " ? ", rest, " : ", extent, ";");
  return end;
}

void Printer::print(const Loop& node) {
  if (node.claims) {
    const std::string turn = index_.text(program_.ring.turn);
    index_.name_loop(node.variable, node.name);
    body_.line("for (Index ", turn, " = 0, ", node.name, "; (", node.name, " = rt::take(ring, ", turn, ")) < ",
               index_.text(node.extent), "; ++", turn, ") {");
    print(*node.body);
    body_.line("}");
    return;
  }
  const std::string bound = bound_of(node);
  const std::string_view pragma = node.parallel == ParallelType::vectorize ? dialect_.vectorize
                                  : node.parallel == ParallelType::unroll  ? dialect_.unroll
                                                                           : "";
  if (!pragma.empty()) {
    body_.line(pragma);
  }
  index_.name_loop(node.variable, node.name);
  if (node.later != nullptr) {
    print_overlapped(node, bound);
    return;
  }
  body_.line("for (", dialect_.loop_index, " ", node.name, " = 0; ", node.name, " < ", bound, "; ++", node.name, ") {");
  print(*node.body);
  body_.line("}");
}

/// One part of a turn in which the next one's first part is done before.
void Printer::print_overlapped(const Loop& node, const std::string& bound) {
  const std::string ahead = node.name + "_ahead";
  body_.line("for (Index ", ahead, " = 0; ", ahead, " < ", bound, " + 1; ++", ahead, ") {");
  {
    const TextBuffer::Indent turn(body_);
    const auto part = [&](const std::string& condition, const std::string& number, const Block& what) {
      body_.line("if (", condition, ") {");
      body_.line("  const Index ", node.name, " = ", number, ";");
      print(what);
      body_.line("}");
    };
    part(ahead + " < " + bound, ahead, *node.body);
    part(ahead + " > 0", ahead + " - 1", *node.later);
  }
  body_.line("}");
}

void Printer::print(const Guard& node) {
  node.tests.empty() ? body_.line("{") : body_.line("if (", index_.text(node.tests), ") {");
  print(*node.body);
  if (node.otherwise) {
    body_.line("} else {");
    print(*node.otherwise);
  }
  body_.line("}");
}

/// Stores stand for their output buffer: the parameter at their position.
std::string Printer::buffer_name(const Tensor* tensor) const {
  const auto& outputs = program_.kernel->outputs;
  const auto at = std::find(outputs.begin(), outputs.end(), tensor);
  if (at == outputs.end()) {
    return tensor->name;
  }
  for (const Parameter& p : program_.parameters) {
    if (p.kind == Parameter::Kind::output && p.position == at - outputs.begin()) {
      return p.name;
    }
  }
  fail(ErrorKind::internal, "internal error: output ", at - outputs.begin(), " of ", program_.name, " is no parameter");
}

std::string Printer::element(const Place& place, DataType to) {
  return convert_text(element(place), place.tensor->dtype, to);
}

std::string Printer::scalar(const Val& value, DataType to) {
  if (value.is_constant()) {
    return literal_text(*value.constant(), value.dtype(), to);
  }
  for (const Parameter& p : program_.parameters) {
    if (p.kind == Parameter::Kind::scalar && p.scalar == &value) {
      return convert_text(p.name, p.dtype, to);
    }
  }
  const auto extent = program_.kernel->extents.find(&value);
  ensure(extent != program_.kernel->extents.end(), "scalar ", to_string(value), " of ", program_.name,
         " is no parameter");
  return convert_text(index_.text(extent->second), program_.wide ? DataType::Int : DataType::Int32, to);
}

std::string Printer::operand(const Tensor& what, const std::vector<Place>& reads, size_t k, DataType to) {
  const Operand& operand = what.operands.at(k);
  return operand.tensor ? element(reads.at(k), to) : scalar(*operand.scalar, to);
}

std::string Printer::value_of(const Assign& node) {
  switch (node.what->op) {
    case TensorOp::compute:
      return compute(node);
    case TensorOp::select:
      return select(node);
    case TensorOp::fill:
      return operand(node, 0, node.what->dtype);
    case TensorOp::iota:
      return iota(node);
    default:
      fail(ErrorKind::internal, "internal error: ", node.what->name, " is not computed");
  }
}

std::string Printer::compute(const Assign& node) {
  const Tensor& what = *node.what;
  if (what.expr->kind() == ExprKind::cast) {
    return operand(node, 0, what.dtype);
  }
  ensure(what.expr->kind() == ExprKind::pointwise, what.name, " is computed by an expression that has no text");
  const PointwiseInfo& row = info(what.expr->attribute<PointwiseOp>(0));
  const std::string_view expression = expression_of(row.op);
  const DataType type = operation_type(*what.expr);
  std::vector<std::string> operands;
  for (size_t k = 0; k < what.operands.size(); ++k) {
    const bool condition = row.rule == PromotionRule::select && k == 0;
    operands.push_back(operand(node, k, condition ? DataType::Bool : type));
  }
  result_.computes |= expression.find("rt::") != std::string_view::npos;
  return convert_text(expression_text(expression, operands), result_type(row.op, type), what.dtype);
}

/// The first operand whose conditions hold; the last one needs none where the operands cover everything.
std::string Printer::select(const Assign& node) {
  const Tensor& what = *node.what;
  std::string out;
  for (size_t k = 0; k < what.operands.size(); ++k) {
    const std::string value = operand(node, k, what.dtype);
    if (node.conditions.at(k).empty()) {
      return out + value;
    }
    out += index_.text(node.conditions[k]) + " ? " + value + " : ";
  }
  return out + convert_text(literal_text(int64_t{0}, DataType::Int32, compute_type(what.dtype)),
                            compute_type(what.dtype), what.dtype);
}

/// start + step * index, in the compute type.
std::string Printer::iota(const Assign& node) {
  const DataType type = compute_type(node.what->dtype);
  const auto is = [&](const Val* v, int64_t n) {
    return v->is_constant() && std::holds_alternative<int64_t>(*v->constant()) &&
           std::get<int64_t>(*v->constant()) == n;
  };
  const Val* start = node.what->expr->input(0);
  const Val* step = node.what->expr->input(1);
  std::string out =
      convert_text("Index(" + index_.text(node.index) + ")", program_.wide ? DataType::Int : DataType::Int32, type);
  if (!is(step, 1)) {
    out = "rt::mul(" + scalar(*step, type) + ", " + out + ")";
    result_.computes = true;
  }
  if (!is(start, 0)) {
    out = "rt::add(" + scalar(*start, type) + ", " + out + ")";
    result_.computes = true;
  }
  return convert_text(out, type, node.what->dtype);
}

/// "add, mul, tanh; exact i0 / 128; narrow".
std::string Printer::summary() const {
  std::vector<std::string_view> names;
  for (const Tensor* t : program_.kernel->tensors) {
    if (t->expr == nullptr) {
      continue;
    }
    const ExprKind kind = t->expr->kind();
    const std::string_view name = kind == ExprKind::pointwise ? name_of(t->expr->attribute<PointwiseOp>(0))
                                  : kind == ExprKind::reduce  ? name_of(t->expr->attribute<ReductionOp>(0))
                                                              : name_of(kind);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  std::string out;
  for (size_t k = 0; k < std::min(names.size(), kSummaryNames); ++k) {
    out += (k ? ", " : "") + std::string(names[k]);
  }
  out += names.size() > kSummaryNames ? ", ..." : "";
  return (out.empty() ? "copy" : out) + "; " + program_.facts.text();
}

std::string Printer::parameters() const {
  std::string out;
  for (const Parameter& p : program_.parameters) {
    out += (out.empty() ? "" : ", ") + std::string(p.is_buffer() ? "" : "const ") + parameter_type(program_, p) + " " +
           p.name;
  }
  return out;
}

void Printer::declare_indices(std::string& out, const std::string& indent) const {
  const auto declare = [&](Index variable, std::string_view source) {
    const Atom* atom = variable ? variable->as_atom() : nullptr;
    if (atom && index_.used().contains(atom->name)) {
      out += indent + "const Index " + atom->name + " = " + std::string(source) + ";\n";
    }
  };
  for (int k = 0; k < 3; ++k) {
    declare(program_.grid_var[k], dialect_.grid_index[k]);
  }
  for (int k = 0; k < 3; ++k) {
    declare(program_.block_var[k], dialect_.block_index[k]);
  }
}

/// Thread 0 makes what counts the bytes of the ring's stages.
std::string Printer::ring() const {
  const RingShape& ring = program_.ring;
  return "rt::Stages<" + std::to_string(ring.stages) + ", " + std::to_string(ring.copies) +
         (ring.claims ? ", true" : "") + "> ring = {" + std::to_string(ring.byte_offset) + "};\n  rt::start(ring, " +
         first_thread() + ");\n";
}

/// What blocks that are apart tell each other.
std::string Printer::far(const std::string& indent) {
  if (!program_.apart) {
    return "";
  }
  const auto number = [&](Index v) { return v == nullptr ? std::string("0") : index_.text(v); };
  return indent + "rt::Far<" + std::to_string(program_.cluster) + ", " + std::to_string(program_.far_words) + ", " +
         std::to_string(program_.far_parts) + "> far = {semaphores, " + number(program_.grid_var[0]) + ", " +
         index_.text(program_.grid[0]) + ", " + number(program_.grid_var[1]) + "};\n";
}

std::string Printer::head() {
  const auto threads = program_.block[0] * program_.block[1] * program_.block[2];
  std::string out = "// " + program_.name + ": " + summary() + "\nnamespace " + kernel_namespace(program_) + " {\n";
  out += "using Index = " + std::string(program_.wide ? "long long" : "int") + ";\n";
  const bool clusters = program_.cluster > 1 && !program_.apart;
  const std::string_view form = clusters ? dialect_.cluster_head : dialect_.kernel_head;
  out += fill(form, {{"name", program_.name},
                     {"cluster", std::to_string(program_.cluster)},
                     {"parameters", parameters()},
                     {"threads", std::to_string(threads)},
                     {"blocks", std::to_string(program_.min_blocks_per_sm)}});
  out += " {\n";
  if (dialect_.tasks) {
    out += "  for (long long task = begin; task < end; ++task) {\n";
  }
  const std::string indent(dialect_.tasks ? 4 : 2, ' ');
  out += program_.waits ? indent + "rt::wait_for_previous();\n" : "";
  out += program_.releases ? indent + "rt::launch_dependents();\n" : "";
  declare_indices(out, indent);
  for (const SharedBuffer& s : program_.shared) {
    const std::string type = type_text(s.tensor->dtype);
    const std::string name = buffer_name(s.tensor);
    out += indent + "rt::Shared<" + type + "> " + name + " = rt::shared<" + type + ">(" +
           std::to_string(s.byte_offset) + ", " + std::to_string(s.count) + ", \"" + name + "\");\n";
  }
  for (size_t k = 0; k < program_.teams.size(); ++k) {
    const TeamShape& team = program_.teams[k];
    out += indent + "const rt::Team<" + std::to_string(team.size) + ", " + std::to_string(team.count) + ", " +
           (team.lanes ? "true" : "false") + "> " + team_name(static_cast<int>(k)) + " = {" + index_.text(team.rank) +
           ", " + index_.text(team.index) + "};\n";
  }
  if (program_.slot_half_bytes > 0 || program_.cluster > 1) {
    out += indent + "rt::Slots slots = {" + std::to_string(program_.slot_offset) + ", " +
           std::to_string(program_.slot_half_bytes) + ", 0};\n";
  }
  out += far(indent);
  if (clusters) {
    out += indent + "rt::Peers peers = {" + std::to_string(program_.peer_offset) + ", " +
           std::to_string(program_.peer_half_bytes) + ", 0};\n" + indent + "rt::start(peers);\n";
  }
  out += result_.waits ? indent + "const " + ring() : "";
  return out;
}

KernelText Printer::run() {
  std::optional<TextBuffer::Indent> scope;
  if (dialect_.tasks) {
    scope.emplace(body_);
  }
  find_folds(program_.body);
  print(program_.body);
  for (const TeamShape& team : program_.teams) {
    index_.text(team.rank);  // the head declares the indices that are used
    index_.text(team.index);
  }
  result_.clusters = program_.cluster > 1 && !program_.apart;
  result_.far = program_.apart;
  if (result_.waits = program_.ring.stages > 0; result_.waits) {
    ring();
  }
  const std::string body = body_.take();
  const std::string top = head();
  for (const auto& [position, name] : arrays_) {
    const auto lines = std::count(top.begin(), top.end(), '\n') +
                       std::count(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(position), '\n');
    result_.arrays.emplace_back(static_cast<int>(lines), name);
  }
  result_.meets = program_.semaphores != nullptr || program_.waits || program_.releases;
  result_.converts = body.find("rt::to<") != std::string::npos;
  result_.text = top + body + (dialect_.tasks ? "  }\n" : "") + "}\n";
  if (dialect_.tasks) {
    result_.text += task_entry(program_);
  }
  result_.text += "}  // namespace\n";
  return std::move(result_);
}

}  // namespace

std::string parameter_type(const Program& program, const Parameter& parameter) {
  const auto aliased = [&] {
    return std::any_of(program.aliases.begin(), program.aliases.end(), [&](const std::pair<int, int>& alias) {
      return (parameter.kind == Parameter::Kind::input ? alias.first : alias.second) == parameter.position;
    });
  };
  const auto buffer = [&](std::string_view qualifier) {
    return (aliased() ? "rt::Coherent<" : "rt::Global<") + std::string(qualifier) + type_text(parameter.dtype) + ">";
  };
  switch (parameter.kind) {
    case Parameter::Kind::input:
      return buffer("const ");
    case Parameter::Kind::output:
      return buffer("");
    case Parameter::Kind::workspace:
      // What an earlier kernel may still write while this one starts is not read through the cache of constants.
      return (!parameter.written              ? "rt::Coherent<const "
              : program.semaphores != nullptr ? "rt::Coherent<"
                                              : "rt::Global<") +
             type_text(parameter.dtype) + ">";
    case Parameter::Kind::semaphores:
      return "rt::Coherent<rt::int32>";
    case Parameter::Kind::size:
      return "Index";
    case Parameter::Kind::divisor:
      return "rt::Divisor<Index>";
    case Parameter::Kind::scalar:
      return type_text(parameter.dtype);
  }
  return "";
}

KernelText kernel_text(const Program& program) { return Printer(program).run(); }

}  // namespace nvfuser
