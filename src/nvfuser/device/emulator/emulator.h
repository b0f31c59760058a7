// SPDX-License-Identifier: Apache-2.0
// The machine that runs a CUDA kernel on the host: blocks one after the other, the threads of a block as fibers (as
// plain calls where the kernel has no barrier), both in an order drawn from a seed.  Faults are counted and the first
// one is told; execution goes on: reads that may not be give 0, writes are dropped.
#pragma once

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "arrivals.h"
#include "emulator_launch.h"
#include "fiber.h"
#include "meetings.h"
#include "shadow.h"

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// Unsigned as on CUDA: kernel text must convert.
struct Dim3 {
  unsigned x = 0, y = 0, z = 0;
};

}  // namespace emulator
}  // namespace rt

// The built-in variables of CUDA, of the thread that runs now.  One of each in a library or program: the machine's
// functions, of which there is one, set what kernels of several files read.
inline thread_local rt::Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace rt {
inline namespace emulator {

class Machine;
inline thread_local Machine* machine = nullptr;

/// A kernel parameter that is a buffer.  Buffers that share memory share shadows; `step` shadows belong to an element.
struct Buffer {
  char* data = nullptr;
  long long elements = 0;  ///< from `data` on
  long long before = 0;    ///< below `data`
  int element_bytes = 1;
  const char* name = "";
  Shadow* shadows = nullptr;
  int step = 1;
};

/// Which array is declared at a line of the unit, for messages.
struct ArrayName {
  int line;
  const char* name;
};

/// Its functions stay out of line: every kernel of a unit has an entry that makes a machine, and inlined into each they
/// take a quarter of the unit's compile time.
class Machine {
 public:
  static constexpr int kMaxThreads = 1024;

  __attribute__((noinline)) explicit Machine(const EmulatorLaunch& launch)
      : launch_(launch), random_((launch.seed + 1) * 0x9E3779B97F4A7C15ull | 1) {
    machine = this;
    if (launch.message && launch.message_bytes) {
      launch.message[0] = 0;
    }
  }
  __attribute__((noinline)) ~Machine() { machine = nullptr; }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// The next buffer parameter, whose pointer stands at `offset` of the argument image.
  __attribute__((noinline)) const Buffer* buffer(const void* image, int offset, int element_bytes) {
    auto b = std::make_unique<Buffer>();
    std::memcpy(&b->data, static_cast<const char*>(image) + offset, sizeof b->data);
    b->elements = launch_.elements[buffers_.size()];
    b->before = launch_.before ? launch_.before[buffers_.size()] : 0;
    b->element_bytes = element_bytes;
    b->name = launch_.names[buffers_.size()];
    buffers_.push_back(std::move(b));
    return buffers_.back().get();
  }
  /// `shift`: line on which the unit starts, minus 1.
  void name_arrays(const ArrayName* names, int count, int shift) {
    array_names_ = names;
    array_count_ = count;
    array_shift_ = shift;
  }

  /// Runs the grid; returns the number of faults.
  __attribute__((noinline)) int run(void (*call)(const void*), const void* body) {
    call_ = call;
    body_ = body;
    const long long threads = launch_.block[0] * launch_.block[1] * launch_.block[2];
    const long long blocks = launch_.grid[0] * launch_.grid[1] * launch_.grid[2];
    if (threads < 1 || threads > kMaxThreads || blocks < 1) {
      fault_outside("launch of %lld blocks of %lld threads", blocks, threads);
      return faults_;
    }
    threads_ = int(threads);
    blockDim = {unsigned(launch_.block[0]), unsigned(launch_.block[1]), unsigned(launch_.block[2])};
    gridDim = {unsigned(launch_.grid[0]), unsigned(launch_.grid[1]), unsigned(launch_.grid[2])};
    order_.resize(threads_);
    std::iota(order_.begin(), order_.end(), 0);
    shared_.reset(new SharedWord[launch_.shared_bytes / 16 + 1]);
    shared_shadows_.resize(launch_.shared_bytes);
    place_shadows();
    run_blocks(blocks);
    for (size_t k = 0; launch_.moved && k < buffers_.size(); ++k) {
      count_moved(*buffers_[k], launch_.moved + 2 * k);
    }
    check_stacks();
    return faults_;
  }

  /// What the memory classes need.
  const Now& now() const { return now_; }
  char* shared() { return reinterpret_cast<char*>(shared_.get()); }
  long long shared_bytes() const { return launch_.shared_bytes; }
  Shadow* shared_shadows() { return shared_shadows_.data(); }

  /// "what: detail in block (x,y,z) thread (x,y,z)".
  __attribute__((cold, noinline, format(printf, 2, 3))) void fault(const char* format, ...) {
    if (faults_++ || !launch_.message) {
      return;
    }
    char text[400];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    std::snprintf(launch_.message, launch_.message_bytes, "%s in block (%u,%u,%u) thread (%u,%u,%u)", text, blockIdx.x,
                  blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  }
  __attribute__((cold, noinline)) void fault_race(const Race& race, const char* name, long long index) {
    const bool foreign = !now_.is_mine(epoch_of(race.other));
    const Dim3 t = coordinates(thread_of(race.other));
    if (race.copy) {
      fault("race: %s: %s[%lld], stage %d", race.what, name, index, thread_of(race.other));
    } else if (foreign) {
      fault("race: %s: %s[%lld], thread (%u,%u,%u) of another block", race.what, name, index, t.x, t.y, t.z);
    } else {
      fault("race: %s: %s[%lld], thread (%u,%u,%u) of the block since the last barrier", race.what, name, index, t.x,
            t.y, t.z);
    }
  }
  /// The name of the local array that is declared at that line.
  std::string array_name(int line) const {
    for (int k = 0; k < array_count_; ++k) {
      if (array_names_[k].line + array_shift_ == line) {
        return array_names_[k].name;
      }
    }
    return "array of line " + std::to_string(line);
  }

  void wait_at_barrier(int line) {
    if (!launch_.has_barrier) {
      fault("barrier in a kernel that is said to have none");
      return;
    }
    suspend(line);
  }
  /// What a thread of the warp gives whose lane differs in the bits of `distance`: all its threads meet at that line.
  __attribute__((noinline)) void exchange(void* got, const void* given, int bytes, int distance, int line) {
    if (!launch_.has_barrier) {
      fault("shuffle in a kernel whose threads are said not to meet");
      return;
    }
    offers_[current_] = {got, given, bytes, distance, line};
    suspend(kWarp);
  }
  /// The linear index of the running thread.
  int thread() const { return current_; }
  int threads() const { return threads_; }

  /// Bulk copies of the running block.
  Arrivals& arrivals() { return arrivals_; }
  /// The thread goes on when all copies have left for the stage's turn; false when nobody will send them.
  bool wait_for_copies(int stage, int copies, long long turn) {
    if (!arrivals_.left(stage, copies, turn)) {
      awaited_[current_] = {stage, copies, turn, false};
      suspend(kCopies);
      return !awaited_[current_].lost;
    }
    return true;
  }
  /// The running thread has seen the stage's copies arrive.
  void note_waited(int stage) { now_.arrived = arrivals_.waited[current_] |= uint64_t(1) << stage; }

  /// The block comes to semaphore i, which `count` blocks share.  By one thread.
  __attribute__((noinline)) void arrive(const Buffer& semaphores, long long i, long long count) {
    last_ = false;
    int* const word = semaphore(semaphores, i, count);
    if (word == nullptr) {
      return;
    }
    meetings_.come(word, now_.block_epoch, epoch_);
    if (++*word < count) {
      return;
    }
    *word = 0;
    last_ = true;
    seen_ = meetings_.leave(word);
    now_.seen = &seen_;
  }
  bool is_last() const { return last_; }
  /// All threads of the block, until blocks have come to semaphore i so many times.
  __attribute__((noinline)) void wait_for_grid(const Buffer& semaphores, long long i, long long arrivals, int line) {
    if (!launch_.has_barrier || !launch_.cooperative) {
      fault("grid barrier in a launch whose blocks are not resident together");
      return;
    }
    if (current_ == 0) {
      gate_ = {semaphore(semaphores, i, arrivals), arrivals};
      if (gate_.word != nullptr) {
        ++*gate_.word;
      }
    }
    offers_[current_].line = line;
    suspend(kGrid);
  }
  /// The block has met the others for the last time.  By one thread.
  __attribute__((noinline)) void leave_grid(const Buffer& semaphores, long long i, long long arrivals) {
    if (int* const word = semaphore(semaphores, i, arrivals); word != nullptr && ++*word == arrivals) {
      *word = 0;
    }
  }
  int cluster_rank() const { return launch_.cluster > 1 ? now_.block : 0; }
  /// All threads of all blocks of the cluster meet.
  __attribute__((noinline)) void wait_for_cluster(int line) {
    if (!launch_.has_barrier || launch_.cluster < 2) {
      fault("cluster barrier in a launch without clusters");
      return;
    }
    gate_ = {};
    offers_[current_].line = line;
    suspend(kGrid);
  }
  /// Exchanges the running block's shared memory with that of another one of its cluster.
  void lend_shared(int rank) {
    if (rank < 0 || rank >= int(together_.size()) || launch_.cluster < 2) {
      fault("block %d of a cluster of %d", rank, launch_.cluster);
    } else if (rank != now_.block) {
      std::swap(shared_, together_[rank].shared);
      std::swap(shared_shadows_, together_[rank].shared_shadows);
    }
  }
  void wait_for_previous() { waited_[current_] = true, now_.early = false; }

 private:
  /// A shuffle that a thread waits in.
  struct Offer {
    void* got;
    const void* given;
    int bytes, distance, line;
  };
  /// Where the block waits for others: for so many arrivals at a semaphore; null: for all of its cluster.
  struct Gate {
    int* word = nullptr;
    long long arrivals = 0;
    bool open() const { return word != nullptr && *word >= arrivals; }
  };
  /// Copies that a thread waits for.
  struct Awaited {
    int stage, copies;
    long long turn;
    bool lost;
  };
  struct alignas(16) SharedWord {
    char bytes[16];
  };
  /// What belongs to one of the blocks that are resident together, while another one runs.
  struct Parked {
    Dim3 at;
    uint64_t epoch = 0, began = 0;
    std::unique_ptr<SharedWord[]> shared;
    std::vector<Shadow> shared_shadows;
    std::vector<int> barrier;
    std::vector<Offer> offers;
    std::vector<Awaited> awaited;
    Arrivals arrivals;
    std::vector<char> waited;
    std::vector<Seen> seen;
    bool last = false;
    Gate gate;
    std::unique_ptr<FiberPool> fibers;
  };
  // Of barrier_; a positive number is the line of the barrier waited at.  kWarp: waits in a shuffle; kCopies: for bulk
  // copies; kGrid: for other blocks.
  static constexpr int kReady = 0, kDone = -1, kWarp = -2, kCopies = -3, kGrid = -4;
  static constexpr int kWarpThreads = 32;
  static constexpr long long kMostTogether = 1 << 16;  ///< threads of a cooperative launch

  Dim3 coordinates(int linear) const {
    const unsigned n = unsigned(linear);
    return {n % blockDim.x, n / blockDim.x % blockDim.y, n / blockDim.x / blockDim.y};
  }
  template <class... Args>
  void fault_outside(const char* format, Args... args) {
    char text[300];
    std::snprintf(text, sizeof text, format, args...);
    if (!faults_++ && launch_.message) {
      std::snprintf(launch_.message, launch_.message_bytes, "%s", text);
    }
  }
  uint64_t random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_ * 0x2545F4914F6CDD1Dull >> 16;
  }
  void shuffle_threads() {
    for (int k = threads_ - 1; k > 0; --k) {
      std::swap(order_[k], order_[random() % uint64_t(k + 1)]);
    }
  }

  /// One shadow array for every set of buffers that overlap, at the finest step that all of them share.
  void place_shadows() {
    std::vector<Buffer*> sorted;
    for (auto& b : buffers_) {
      sorted.push_back(b.get());
    }
    auto start_of = [](const Buffer& b) { return b.data - b.before * b.element_bytes; };
    auto end_of = [](const Buffer& b) { return b.data + b.elements * b.element_bytes; };
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](Buffer* a, Buffer* b) { return std::less<>()(start_of(*a), start_of(*b)); });
    for (size_t first = 0, last; first < sorted.size(); first = last) {
      char* begin = start_of(*sorted[first]);
      char* end = end_of(*sorted[first]);
      long long granule = sorted[first]->element_bytes;
      for (last = first + 1; last < sorted.size() && start_of(*sorted[last]) < end; ++last) {
        granule = std::gcd(std::gcd(granule, (long long)sorted[last]->element_bytes),
                           (long long)(sorted[last]->data - begin));
        end = std::max(end, end_of(*sorted[last]));
      }
      // calloc: pages that no thread touches cost nothing.
      shadows_.emplace_back(static_cast<Shadow*>(std::calloc(size_t((end - begin) / granule + 1), sizeof(Shadow))),
                            std::free);
      for (size_t k = first; k < last; ++k) {
        sorted[k]->shadows = shadows_.back().get() + (sorted[k]->data - begin) / granule;
        sorted[k]->step = int(sorted[k]->element_bytes / granule);
      }
    }
  }

  /// Bytes that were read at least once, and that were written.
  static void count_moved(const Buffer& b, long long* moved) {
    const int bytes = b.element_bytes / b.step;
    moved[0] = moved[1] = 0;
    for (long long k = -b.before * b.step; k < b.elements * b.step; ++k) {
      moved[0] += b.shadows[k].read ? bytes : 0;
      moved[1] += b.shadows[k].write ? bytes : 0;
    }
  }

  /// Blocks in the order start, start + stride, ...: a permutation, as stride and count have no common divisor.
  void run_blocks(long long blocks) {
    long long at = (long long)(random() % uint64_t(blocks));
    long long stride = (long long)(random() % uint64_t(blocks)) | 1;
    while (std::gcd(stride, blocks) != 1) {
      ++stride;
    }
    stride %= blocks;
    if (launch_.cluster > 1 && launch_.has_barrier) {
      if (launch_.grid[1] != launch_.cluster || launch_.grid[2] != 1) {
        fault_outside("a grid of %lld blocks along y in clusters of %lld", launch_.grid[1], (long long)launch_.cluster);
        return;
      }
      for (long long k = 0, columns = launch_.grid[0]; k < columns; ++k) {
        run_together(k, launch_.cluster, columns);
      }
      return;
    }
    if (launch_.cooperative && launch_.has_barrier) {
      if (blocks * threads_ <= kMostTogether) {
        run_together(0, int(blocks), 1);
      } else {
        fault_outside("cooperative launch of %lld threads, of which %lld fit", blocks * threads_, kMostTogether);
      }
      return;
    }
    if (launch_.has_barrier) {
      make_fibers();
    }
    for (long long k = 0; k < blocks; ++k, at = (at + stride) % blocks) {
      begin_block(at);
      launch_.has_barrier ? run_fibers() : run_calls();
      check_landed();
    }
  }
  void make_fibers(size_t stack = FiberPool::kStackBytes) {
    fibers_ = std::make_unique<FiberPool>(unsigned(threads_), stack);
    barrier_.resize(threads_);
    offers_.resize(threads_);
    awaited_.resize(threads_);
  }
  void begin_block(long long at) {
    blockIdx = {unsigned(at % gridDim.x), unsigned(at / gridDim.x % gridDim.y), unsigned(at / gridDim.x / gridDim.y)};
    begin_epoch();
    now_.block_epoch = epoch_;
    now_.seen = nullptr;
    last_ = false;
    waited_.assign(threads_, !launch_.dependent);
    arrivals_.clear(threads_);
    std::memset(shared_.get(), 0xCB, size_t(launch_.shared_bytes));
  }
  /// The running block's next epoch.
  void begin_epoch() {
    epoch_ = ++last_epoch_;
    if (now_.owners != nullptr) {
      owners_.push_back(now_.block);
    }
  }
  /// So many blocks at once, by turns.
  void run_together(long long first, int blocks, long long step) {
    now_.owners = &owners_;
    now_.set_epoch = now_.sync_epoch = last_epoch_ + 1;
    owners_.clear();
    std::vector<Parked>& all = together_;
    all.clear();
    all.resize(size_t(blocks));
    for (int k = 0; k < blocks; ++k) {
      now_.block = k;
      shared_.reset(new SharedWord[launch_.shared_bytes / 16 + 1]);
      shared_shadows_.assign(launch_.shared_bytes, Shadow());
      make_fibers(FiberPool::kStackBytes / 4);
      begin_block(first + k * step);
      start_fibers();
      park(all[k]);
    }
    do {
      for (bool any = true; any;) {
        any = false;
        for (int k = 0; k < blocks; ++k) {
          const int chosen = int((k + random()) % uint64_t(blocks));
          any |= run_parked(all, chosen);
        }
        for (int k = 0; k < blocks && !any; ++k) {
          any |= run_parked(all, k);
        }
      }
    } while (open_grid(all));
    for (Parked& block : all) {
      park(block);
      check_landed();
      check_stacks();
      park(block);
    }
  }
  /// A turn of one block; whether it can go on.
  bool run_parked(std::vector<Parked>& all, int k) {
    now_.block = k;
    park(all[k]);
    now_.seen = seen_.empty() ? nullptr : &seen_;
    const bool any = run_turn();
    park(all[k]);
    return any;
  }
  /// Exchanges the running block with one that is parked.
  void park(Parked& p) {
    const Dim3 at = blockIdx;
    blockIdx = p.at;
    p.at = at;
    std::swap(epoch_, p.epoch);
    std::swap(now_.block_epoch, p.began);
    std::swap(shared_, p.shared);
    std::swap(shared_shadows_, p.shared_shadows);
    std::swap(barrier_, p.barrier);
    std::swap(offers_, p.offers);
    std::swap(awaited_, p.awaited);
    std::swap(arrivals_, p.arrivals);
    std::swap(waited_, p.waited);
    std::swap(seen_, p.seen);
    std::swap(last_, p.last);
    std::swap(gate_, p.gate);
    std::swap(fibers_, p.fibers);
  }
  static bool waits_for_grid(const Parked& block) {
    return std::find(block.barrier.begin(), block.barrier.end(), kGrid) != block.barrier.end();
  }
  /// Nobody can go on: lets the blocks go on that wait for each other.  False when all are done.
  bool open_grid(std::vector<Parked>& all) {
    int waiting = -1, ended = -1;
    bool some = false;
    for (int k = 0; k < int(all.size()); ++k) {
      const bool waits = waits_for_grid(all[k]);
      (waits ? waiting : ended) = k;
      some |= waits && all[k].gate.open();
    }
    if (waiting < 0) {
      return false;
    }
    if (!some && (ended >= 0 || all[waiting].gate.word != nullptr)) {
      report_closed(all, waiting, ended);
    }
    now_.sync_epoch = last_epoch_ + 1;
    for (int k = 0; k < int(all.size()); ++k) {
      if (waits_for_grid(all[k]) && (!some || all[k].gate.open())) {
        let_go_on(all[k], k);
      }
    }
    return true;
  }
  void let_go_on(Parked& block, int k) {
    now_.block = k;
    std::swap(epoch_, block.epoch);
    begin_epoch();
    std::swap(epoch_, block.epoch);
    for (int& state : block.barrier) {
      state = state == kGrid ? kReady : state;
    }
  }
  void report_closed(const std::vector<Parked>& all, int waiting, int ended) {
    const Parked& block = all[waiting];
    blockIdx = block.at;
    threadIdx = coordinates(0);
    const int line = block.offers[0].line;
    if (ended >= 0) {
      fault("divergent grid barrier: line %d, block (%u,%u,%u) has ended", line, all[ended].at.x, all[ended].at.y,
            all[ended].at.z);
    } else {
      fault("grid barrier: line %d, %d of %lld arrivals", line, *block.gate.word, block.gate.arrivals);
    }
  }
  /// Semaphore i, which `most` blocks come to; null: it is none of these, or in use.
  int* semaphore(const Buffer& semaphores, long long i, long long most) {
    if (i < 0 || i >= semaphores.elements) {
      fault("out of bounds: semaphore %s[%lld], of which there are %lld", semaphores.name, i, semaphores.elements);
      return nullptr;
    }
    int* const word = reinterpret_cast<int*>(semaphores.data) + i;
    if (*word < 0 || *word >= most) {
      fault("semaphore %s[%lld] is %d where %lld blocks meet", semaphores.name, i, *word, most);
      return nullptr;
    }
    return word;
  }
  void enter_thread(int thread) {
    current_ = thread;
    threadIdx = coordinates(thread);
    now_.stamp = make_stamp(epoch_, thread);
    now_.arrived = arrivals_.waited[thread];
    now_.early = !waited_[thread];
  }
  void run_calls() {
    shuffle_threads();
    for (int thread : order_) {
      enter_thread(thread);
      call_(body_);
    }
  }
  void start_fibers() {
    for (int thread = 0; thread < threads_; ++thread) {
      (*fibers_)[thread].start(&fiber_entry);
      barrier_[thread] = kReady;
    }
  }
  /// All threads that can go on do, up to where they wait; whether some can go on then.
  bool run_turn() {
    shuffle_threads();
    for (int thread : order_) {
      if (barrier_[thread] == kReady) {
        enter_thread(thread);
        home_.switch_to((*fibers_)[thread]);
      }
    }
    return open_copies() || open_warps() || give_up_copies() || open_barrier();
  }
  void run_fibers() {
    start_fibers();
    while (run_turn()) {
    }
  }
  void suspend(int state) {
    const int thread = current_;
    barrier_[thread] = state;
    (*fibers_)[thread].switch_to(home_);
  }
  /// Completes the shuffles that threads wait in, warp by warp.  False when there is none.
  bool open_warps() {
    bool any = false;
    for (int first = 0; first < threads_; first += kWarpThreads) {
      const int count = std::min(kWarpThreads, threads_ - first);
      int waiting = -1;
      for (int thread = first; thread < first + count; ++thread) {
        waiting = barrier_[thread] == kWarp ? thread : waiting;
      }
      if (waiting >= 0) {
        open_warp(first, count, waiting);
        any = true;
      }
    }
    return any;
  }
  void open_warp(int first, int count, int waiting) {
    const int line = offers_[waiting].line;
    for (int thread = first; thread < first + count; ++thread) {
      if (barrier_[thread] != kWarp || offers_[thread].line != line) {
        report_shuffle(waiting, thread);
        break;
      }
    }
    // Nobody runs before all have got theirs: what is given lies on the stacks.
    for (int lane = 0; lane < count; ++lane) {
      const int from = lane ^ offers_[first + lane].distance;
      if (barrier_[first + lane] != kWarp) {
        continue;
      }
      if (from < count && barrier_[first + from] == kWarp &&
          offers_[first + from].bytes == offers_[first + lane].bytes) {
        std::memcpy(offers_[first + lane].got, offers_[first + from].given, size_t(offers_[first + from].bytes));
      } else if (from >= count) {
        enter_thread(first + lane);
        fault("shuffle: line %d, lane %d of a warp of %d threads", line, from, count);
      }
    }
    for (int thread = first; thread < first + count; ++thread) {
      barrier_[thread] = barrier_[thread] == kWarp ? kReady : barrier_[thread];
    }
  }
  void report_shuffle(int waiting, int other) {
    enter_thread(waiting);
    const Dim3 t = coordinates(other);
    const int state = barrier_[other], line = state == kWarp ? offers_[other].line : state;
    if (state == kDone) {
      fault("divergent shuffle: line %d, thread (%u,%u,%u) has ended", offers_[waiting].line, t.x, t.y, t.z);
    } else {
      fault("divergent shuffle: line %d, thread (%u,%u,%u) waits at line %d", offers_[waiting].line, t.x, t.y, t.z,
            line);
    }
  }
  /// Lets threads go on whose copies have all left.  False when there are none.
  bool open_copies() {
    bool any = false;
    for (int thread = 0; thread < threads_; ++thread) {
      const Awaited& a = awaited_[thread];
      if (barrier_[thread] == kCopies && arrivals_.left(a.stage, a.copies, a.turn)) {
        barrier_[thread] = kReady;
        any = true;
      }
    }
    return any;
  }
  /// Nobody is left to send what these threads wait for.
  bool give_up_copies() {
    bool any = false;
    for (int thread = 0; thread < threads_; ++thread) {
      if (barrier_[thread] == kCopies) {
        awaited_[thread].lost = true;
        barrier_[thread] = kReady;
        any = true;
      }
    }
    return any;
  }
  void check_stacks() {
    for (int k = 0; fibers_ && k < threads_; ++k) {
      if (!fibers_->intact(k)) {
        fault_outside("stack overflow in an emulated thread%s", "");
      }
    }
  }
  /// Shared memory belongs to another block soon.
  void check_landed() {
    for (const Stage& stage : arrivals_.stages) {
      if (!stage.under_way.empty() && stage.under_way.back().read) {
        fault("the block ends before a bulk copy of %s to %s arrives", stage.under_way.back().source,
              stage.under_way.back().target);
      }
    }
  }
  /// Every thread waits or is done; lets those that wait go on.  False when all are done or wait for other blocks.
  bool open_barrier() {
    int waiting = -1;
    for (int thread = 0; thread < threads_; ++thread) {
      waiting = barrier_[thread] != kDone ? thread : waiting;
    }
    if (waiting < 0) {
      return false;
    }
    for (int thread = 0; thread < threads_; ++thread) {
      if (barrier_[thread] != barrier_[waiting] ||
          (barrier_[thread] == kGrid && offers_[thread].line != offers_[waiting].line)) {
        report_divergence(waiting, thread);
        break;
      }
    }
    if (barrier_[waiting] == kGrid) {
      return false;  // the other blocks first
    }
    begin_epoch();
    for (int& state : barrier_) {
      state = state == kDone ? kDone : kReady;
    }
    return true;
  }
  void report_divergence(int waiting, int other) {
    enter_thread(waiting);
    const Dim3 t = coordinates(other);
    const auto line = [&](int k) { return barrier_[k] == kGrid ? offers_[k].line : barrier_[k]; };
    if (barrier_[other] == kDone) {
      fault("divergent barrier: line %d, thread (%u,%u,%u) has ended", line(waiting), t.x, t.y, t.z);
    } else {
      fault("divergent barrier: line %d, thread (%u,%u,%u) waits at line %d", line(waiting), t.x, t.y, t.z,
            line(other));
    }
  }
  static void fiber_entry() {
    Machine& m = *machine;
    const int thread = m.current_;
    Fiber& self = (*m.fibers_)[thread];
    self.entered(m.home_);
    m.call_(m.body_);
    m.barrier_[thread] = kDone;
    self.switch_to(m.home_, true);
    __builtin_unreachable();
  }

  std::vector<Parked> together_;  ///< blocks that are resident at once
  const EmulatorLaunch& launch_;
  uint64_t random_;
  int faults_ = 0;
  int threads_ = 0;
  int current_ = 0;
  uint64_t epoch_ = 0, last_epoch_ = 0;  ///< of the running block; of all
  std::vector<int> owners_;              ///< blocks of epochs
  Now now_;
  void (*call_)(const void*) = nullptr;
  const void* body_ = nullptr;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<std::unique_ptr<Shadow, void (*)(void*)>> shadows_;
  std::unique_ptr<SharedWord[]> shared_;
  std::vector<Shadow> shared_shadows_;
  const ArrayName* array_names_ = nullptr;
  int array_count_ = 0;
  int array_shift_ = 0;
  std::vector<int> order_;
  std::vector<int> barrier_;
  std::vector<Offer> offers_;
  std::vector<Awaited> awaited_;
  Arrivals arrivals_;
  Meetings meetings_;
  std::vector<Seen> seen_;  ///< other blocks that the last one at a semaphore sees
  bool last_ = false;
  Gate gate_;
  std::vector<char> waited_;  ///< threads that have waited for the kernel in front
  Fiber home_;
  std::unique_ptr<FiberPool> fibers_;
};

/// The value of a parameter that stands at `offset` of the argument image.
template <class T>
T argument(const void* image, int offset) {
  T value;
  std::memcpy(&value, static_cast<const char*>(image) + offset, sizeof value);
  return value;
}

/// Runs body() once for every thread of the grid; returns the number of faults.
template <class Body>
int emulate(const Body& body, Machine& m) {
  return m.run([](const void* b) { (*static_cast<const Body*>(b))(); }, &body);
}

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
