// SPDX-License-Identifier: Apache-2.0
// Evaluates index expressions over blocks: constants, axes, sums of products, quotients and remainders.
#include "nvfuser/ir/evaluate_columns.h"

#include <algorithm>

#include "nvfuser/base/errors.h"

namespace nvfuser {

namespace {

int64_t* ints(void* p) { return static_cast<int64_t*>(p); }
const int64_t* ints(const void* p) { return static_cast<const int64_t*>(p); }

/// out[i] = (linear index / inner) % size, by runs of equal values.
void fill_axis(const BlockRange& range, int64_t inner, int64_t size, int64_t* out) {
  int64_t at = range.begin / inner % size;
  int64_t run = inner - range.begin % inner;
  for (int64_t i = 0; i < range.n; run = inner) {
    const int64_t count = std::min(run, range.n - i);
    std::fill_n(out + i, count, at);
    i += count;
    at = at + 1 == size ? 0 : at + 1;
  }
}

/// coefficient * product of the values at these positions of `ins`.
struct Product {
  int64_t coefficient;
  std::vector<int> factors;
};

void add_product(const Product& product, int64_t n, const void* const* ins, int64_t* out) {
  const int64_t k = product.coefficient;
  if (product.factors.size() == 1) {
    const int64_t* x = ints(ins[product.factors[0]]);
    for (int64_t i = 0; i < n; ++i) {
      out[i] += k * x[i];
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    int64_t value = k;
    for (const int factor : product.factors) {
      value *= ints(ins[factor])[i];
    }
    out[i] += value;
  }
}

int64_t floor_quotient(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

}  // namespace

Columns::Columns(BlockProgram& program, const std::vector<int64_t>& sizes)
    : program_(program), algebra_(pool_), sizes_(sizes) {
  for (size_t k = 0; k < sizes.size(); ++k) {
    root_.push_back(sizes[k] == 1 ? pool_.constant(0) : atom({sizes[k], -1, static_cast<int>(k)}));
  }
}

Index Columns::atom(const Column& column) {
  Column& mine = columns_.emplace_back(column);
  return pool_.axis(&mine, "c" + std::to_string(columns_.size() - 1), pool_.constant(mine.size));
}

Columns::Column& Columns::column_of(const Atom& atom) const {
  ensure(atom.kind == AtomKind::axis, "an index of the evaluator knows all sizes");
  return *static_cast<Column*>(const_cast<void*>(atom.owner));
}

int Columns::root_value(Column& column) {
  if (column.value < 0) {
    int64_t inner = 1;
    for (size_t k = column.axis + 1; k < sizes_.size(); ++k) {
      inner *= sizes_[k];
    }
    column.value = program_.add(
        {},
        [inner, size = column.size](const BlockRange& range, void* out, const void* const*) {
          fill_axis(range, inner, size, ints(out));
        },
        true);
  }
  return column.value;
}

int Columns::constant(int64_t value) {
  return program_.add(
      {}, [value](const BlockRange& range, void* out, const void* const*) { std::fill_n(ints(out), range.n, value); });
}

int Columns::quotient(const Atom& atom) {
  ensure(atom.kind == AtomKind::div || atom.kind == AtomKind::mod,
         "an index of the evaluator has only quotients and remainders");
  ensure(atom.b->is_constant() && atom.b->constant() > 0, "sizes are known to the evaluator");
  const int64_t divisor = atom.b->constant();
  return program_.add({value(atom.a)}, [divisor, is_div = atom.kind == AtomKind::div](
                                           const BlockRange& range, void* out, const void* const* ins) {
    const int64_t* x = ints(ins[0]);
    for (int64_t i = 0; i < range.n; ++i) {
      const int64_t q = floor_quotient(x[i], divisor);
      ints(out)[i] = is_div ? q : x[i] - q * divisor;
    }
  });
}

int Columns::polynomial(Index index) {
  std::vector<int> ins;
  std::vector<Product> products;
  int64_t start = 0;
  for (const Term& term : index->terms) {
    if (term.atoms.empty()) {
      start = term.coefficient;
      continue;
    }
    Product& product = products.emplace_back(Product{term.coefficient, {}});
    for (const Atom* factor : term.atoms) {
      product.factors.push_back(static_cast<int>(ins.size()));
      ins.push_back(value(pool_.from_atom(factor)));
    }
  }
  return program_.add(std::move(ins), [start, products](const BlockRange& range, void* out, const void* const* in) {
    std::fill_n(ints(out), range.n, start);
    for (const Product& product : products) {
      add_product(product, range.n, in, ints(out));
    }
  });
}

int Columns::value(Index index) {
  if (const auto found = values_.find(index); found != values_.end()) {
    return found->second;
  }
  const Atom* atom = index->as_atom();
  const int made = index->is_constant()           ? constant(index->constant())
                   : atom == nullptr              ? polynomial(index)
                   : atom->kind != AtomKind::axis ? quotient(*atom)
                   : column_of(*atom).axis >= 0   ? root_value(column_of(*atom))
                                                  : column_of(*atom).value;
  values_.emplace(index, made);
  return made;
}

Index Columns::read(Index index, int64_t size, bool clamped, const std::function<std::string()>& what) {
  const Atom* atom = index->as_atom();
  const bool inside = index->is_constant()
                          ? index->constant() >= 0 && index->constant() < size
                          : atom != nullptr && atom->kind == AtomKind::axis && column_of(*atom).size <= size;
  if (inside) {
    return index;
  }
  if (index->is_constant() && clamped) {
    return pool_.constant(std::clamp<int64_t>(index->constant(), 0, size - 1));
  }
  Index& entry = reads_[{index, clamped ? -size : size}];
  if (entry != nullptr) {
    return entry;
  }
  int number = value(index);
  if (clamped) {
    number = program_.add({number}, [size](const BlockRange& range, void* out, const void* const* ins) {
      const int64_t* x = ints(ins[0]);
      for (int64_t i = 0; i < range.n; ++i) {
        ints(out)[i] = x[i] < 0 ? 0 : x[i] < size ? x[i] : size - 1;
      }
    });
  } else {
    program_.sink({number}, [size, text = what()](const BlockRange& range, void*, const void* const* ins) {
      const auto [low, high] = std::minmax_element(ints(ins[0]), ints(ins[0]) + range.n);
      check(*low >= 0 && *high < size, ErrorKind::shape, text, " reads index ", *low < 0 ? *low : *high,
            " of an axis of size ", size);
    });
  }
  return entry = this->atom({size, number, -1});
}

std::optional<int64_t> Columns::dense(const ReadPoint& at, const std::vector<int64_t>& strides) const {
  std::vector<int64_t> steps(sizes_.size(), 0);
  int64_t start = 0;
  for (size_t k = 0; k < at.size(); ++k) {
    if (at[k]->is_constant()) {
      start += at[k]->constant() * strides[k];
      continue;
    }
    const Column& column = column_of(*at[k]->as_atom());
    if (column.axis < 0) {
      return std::nullopt;
    }
    steps[column.axis] += strides[k];
  }
  int64_t dense = 1;
  for (size_t k = sizes_.size(); k-- > 0; dense *= sizes_[k]) {
    if (sizes_[k] != 1 && steps[k] != dense) {
      return std::nullopt;
    }
  }
  return start;
}

int Columns::offsets(const ReadPoint& at, const std::vector<int64_t>& strides) {
  Index sum = pool_.constant(0);
  for (size_t k = 0; k < at.size(); ++k) {
    sum = pool_.add(sum, pool_.scale(at[k], strides[k]));
  }
  return value(sum);
}

}  // namespace nvfuser
