// SPDX-License-Identifier: Apache-2.0
// Structural identity of fusions: what outputs depend on is written as a list of words in which nodes stand as numbers
// in order of first visit; equal lists mean equal fusions, and the hash is a hash of the list.
#include <bit>
#include <cmath>
#include <unordered_map>

#include "nvfuser/base/hash.h"
#include "nvfuser/ir/fusion.h"

namespace nvfuser {

namespace {

/// All NaNs are one value.
uint64_t bits(double value) { return std::isnan(value) ? 0x7ff8000000000000u : std::bit_cast<uint64_t>(value); }

class Writer {
 public:
  explicit Writer(const Fusion& fusion) {
    words_.push_back(fusion.inputs().size());
    for (const Val* input : fusion.inputs()) {
      visit(input);
      words_.push_back(numbers_.at(input));
    }
    words_.push_back(fusion.outputs().size());
    for (size_t k = 0; k < fusion.outputs().size(); ++k) {
      visit(fusion.outputs()[k]);
      words_.push_back(numbers_.at(fusion.outputs()[k]));
      const OutputAlias* alias = fusion.alias(k);
      words_.push_back(alias == nullptr ? 0 : alias->hidden ? 2 : 1);
      if (alias != nullptr) {
        words_.push_back(numbers_.at(alias->input));
      }
    }
    words_.push_back(fusion.offset_advance() != nullptr);
    if (fusion.offset_advance() != nullptr) {
      visit(fusion.offset_advance());
      words_.push_back(numbers_.at(fusion.offset_advance()));
    }
  }

  const std::vector<uint64_t>& words() const { return words_; }

 private:
  static void add_extents(const Val& val, std::vector<const Val*>& to) {
    if (!val.is_tensor()) {
      return;
    }
    const TensorDomain& domain = *static_cast<const TensorView&>(val).domain();
    for (const auto* axes : {&domain.root(), &domain.logical()}) {
      for (const IterDomain* axis : *axes) {
        to.push_back(axis->extent());
        to.push_back(axis->visible_extent());
      }
    }
  }

  /// What must be written before val: operands, and the extents of all that its definition gives.
  static std::vector<const Val*> needs(const Val& val) {
    std::vector<const Val*> result;
    add_extents(val, result);
    if (const Expr* definition = val.definition()) {
      for (const Val* output : definition->outputs()) {
        add_extents(*output, result);
      }
      result.insert(result.end(), definition->inputs().begin(), definition->inputs().end());
    }
    return result;
  }

  /// Writes val after everything that it needs, without recursion: chains may be long.
  void visit(const Val* val) {
    std::vector<std::pair<const Val*, bool>> work{{val, false}};
    while (!work.empty()) {
      const auto [at, ready] = work.back();
      work.pop_back();
      if (numbers_.contains(at)) {
        continue;
      }
      if (ready) {
        write(*at);
        continue;
      }
      work.emplace_back(at, true);
      const std::vector<const Val*> first = needs(*at);
      for (auto it = first.rbegin(); it != first.rend(); ++it) {
        work.emplace_back(*it, false);
      }
    }
  }

  /// The results of one expression are written together, so a sibling's number does not depend on who asks first.
  void write(const Val& val) {
    const Expr* definition = val.definition();
    if (definition == nullptr) {
      number(val);
      words_.push_back(0);
      return;
    }
    for (const Val* output : definition->outputs()) {
      number(*output);
    }
    words_.push_back(1 + static_cast<uint64_t>(definition->kind()));
    words_.push_back(definition->inputs().size());
    for (const Val* input : definition->inputs()) {
      words_.push_back(numbers_.at(input));
    }
    words_.push_back(definition->attributes().size());
    for (const Attribute& attribute : definition->attributes()) {
      write_attribute(attribute);
    }
  }

  void number(const Val& val) {
    numbers_.emplace(&val, numbers_.size());
    words_.push_back(static_cast<uint64_t>(val.role()) << 16 | static_cast<uint64_t>(val.kind()) << 8 |
                     static_cast<uint64_t>(val.dtype()));
    if (val.is_tensor()) {
      write_tensor(static_cast<const TensorView&>(val));
    } else {
      write_constant(val);
    }
  }

  void write_constant(const Val& val) {
    struct Visitor {
      std::vector<uint64_t>& words;
      void operator()(bool v) const { words.push_back(v); }
      void operator()(int64_t v) const { words.push_back(static_cast<uint64_t>(v)); }
      void operator()(double v) const { words.push_back(bits(v)); }
      void operator()(const std::complex<double>& v) const {
        words.insert(words.end(), {bits(v.real()), bits(v.imag())});
      }
    };
    words_.push_back(val.is_constant() ? 1 + val.constant()->index() : 0);
    if (val.is_constant()) {
      std::visit(Visitor{words_}, *val.constant());
    }
  }

  void write_tensor(const TensorView& tensor) {
    const TensorDomain& domain = *tensor.domain();
    words_.push_back(tensor.is_cpu_scalar());
    std::unordered_map<const IterDomain*, uint64_t> places;
    for (const auto* axes : {&domain.root(), &domain.logical()}) {
      words_.push_back(axes->size());
      for (const IterDomain* axis : *axes) {
        const auto [place, fresh] = places.emplace(axis, places.size());
        words_.push_back(place->second);
        if (fresh) {
          words_.push_back(static_cast<uint64_t>(axis->iter_type()));
          words_.push_back(numbers_.at(axis->extent()));
          words_.push_back(axis->expanded_extent() ? 1 + numbers_.at(axis->expanded_extent()) : 0);
        }
      }
    }
    for (size_t k = 0; k < domain.allocation().size(); ++k) {
      words_.push_back(places.at(domain.allocation()[k]));
      const std::optional<bool>& flag = domain.contiguity()[k];
      words_.push_back(!flag.has_value() ? 2 : *flag);
    }
  }

  void write_attribute(const Attribute& attribute) {
    struct Visitor {
      std::vector<uint64_t>& words;
      void operator()(int64_t v) const { words.push_back(static_cast<uint64_t>(v)); }
      void operator()(DataType v) const { words.push_back(static_cast<uint64_t>(v)); }
      void operator()(PointwiseOp v) const { words.push_back(static_cast<uint64_t>(v)); }
      void operator()(ReductionOp v) const { words.push_back(static_cast<uint64_t>(v)); }
      void operator()(const std::vector<int64_t>& v) const {
        words.push_back(v.size());
        words.insert(words.end(), v.begin(), v.end());
      }
      void operator()(const std::vector<bool>& v) const {
        words.push_back(v.size());
        words.insert(words.end(), v.begin(), v.end());
      }
    };
    words_.push_back(attribute.index());
    std::visit(Visitor{words_}, attribute);
  }

  std::vector<uint64_t> words_;
  std::unordered_map<const Val*, uint64_t> numbers_;
};

}  // namespace

uint64_t structural_hash(const Fusion& fusion) {
  const Writer writer(fusion);
  const std::vector<uint64_t>& words = writer.words();
  return Hasher().bytes(words.data(), words.size() * sizeof(uint64_t)).value64();
}

bool structurally_equal(const Fusion& a, const Fusion& b) { return &a == &b || Writer(a).words() == Writer(b).words(); }

}  // namespace nvfuser
