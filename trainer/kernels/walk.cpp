// The neurons of one layer walking through time, forward and backward, and the product of sparse spikes with weights.
//
// The equations are those of trainer/neurons/lif.py. Forward, operation for operation: compiled without contraction of
// multiplications and additions, a walk gives the same floating-point numbers as there. Backward, up to rounding.
// Every sample is walked alone, or, backward through recurrent weights, a few are side by side: their states stay in the
// first-level cache, padding costs nothing, and threads share out the samples. What is summed over samples is returned
// per sample, so no sum depends on the number of threads.

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

enum Surrogate : int32_t { kFastSigmoid, kArctan, kTriangle, kRectangle, kAnySurrogate };
enum Output : int32_t { kPotential, kSpikeResetZero, kSpikeResetSubtract, kSpikeResetLate };
// Rows of `numbers`: NUMBERS of trainer/kernels/function.py.
enum Number : int64_t {
  kLeak, kThreshold, kWidth, kSelfWeight, kSynapseLeak, kAdaptationLeak, kAdaptationStep, kRefractory, kDelay
};

}  // namespace

// Mirrored by trainer/kernels/native.py. Rows are (step, sample), row-major, of `neurons` values each.
struct Walk {
  int64_t steps, batch, neurons, recurrent_stride, threads;
  int32_t integer, output, surrogate, padding;
  float low, high;            // bounds of the states, in integer arithmetic
  const int64_t* ends;        // (batch), steps of each sample
  const float* currents;      // rows: the input currents
  const float* numbers;       // (numbers, neurons), zeros of what is not there; backward, bounded as the gradient sees them
  const float* recurrent;     // (neurons, recurrent_stride), or null: row j: weights from neuron j (forward), or to it
  const int64_t* delay;       // (neurons), or null: steps
  const float* inhibition;    // (neurons), or null: what each spike of the others takes from the current; no gradient
  float* outputs;             // rows: spikes, or potentials; zeros at first with delays
  float* potential;           // rows
  float* synapse_state;       // rows, or null: the filtered currents
  float* adaptation_state;    // rows, or null: what is added to the threshold
  float* refractory_state;    // rows, or null: 1 where a spike before holds the membrane
  // Backward only: gradients.
  float* d_outputs;   // rows; with delays and dense recurrence, its part is added
  float* d_currents;  // rows
  float* d_numbers;   // (numbers, batch, neurons)
};

// out (rows, columns) = x (rows, inputs) times the transposed weights (inputs, columns), or its gradient. A row of the
// transposed weights takes `stride` numbers, as one of recurrent weights `recurrent_stride`: multiples of 16.
struct Product {
  int64_t rows, inputs, columns, stride, parts, threads;
  const float* x;
  const float* transposed;
  float* out;
  const float* d_out;
  float* d_transposed;  // (parts, inputs, columns), zeros at first: a sum for each part of the rows
};

namespace {

// Calls work(first, last) on consecutive parts of 0 .. items - 1, on the threads that PyTorch's own products run on.
template <typename Work>
void share(int64_t items, int64_t threads, Work work) {
  const int64_t parts = std::max<int64_t>(1, std::min(threads, items));
#pragma omp parallel for num_threads(parts) schedule(static, 1)
  for (int64_t k = 0; k < parts; ++k) work(items * k / parts, items * (k + 1) / parts);
}

// Sums of rows. Those of the forward pass have no products, so multiplications and additions may be contracted here.
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")

// Columns side by side, as many as a register holds: compilers take wider vectors to pieces in memory.
#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
#elif defined(__AVX__)
constexpr int64_t kLanes = 8;
#else
constexpr int64_t kLanes = 4;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

inline Lanes load(const float* from) {
  Lanes value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Calls work(kept, base, bytes) for blocks of `kept` vectors of columns from `base` on, of which `bytes` are there.
template <typename Work>
inline void in_blocks(int64_t columns, Work work) {
  constexpr size_t vector = sizeof(Lanes);
  int64_t base = 0;
  for (; base + 4 * kLanes <= columns; base += 4 * kLanes) work(std::integral_constant<int, 4>{}, base, 4 * vector);
  for (; base + kLanes <= columns; base += kLanes) work(std::integral_constant<int, 1>{}, base, vector);
  if (base < columns) work(std::integral_constant<int, 1>{}, base, (columns - base) * sizeof(float));
}

// Samples whose gradients walk through recurrent weights together: more would not fit into the registers.
constexpr int kTogether = 4;

// The functions below are compiled once, not once more in each of the many forms of a walk.

// The sum of the rows of all events, in registers.
[[gnu::noinline]] void sum_rows(const float* rows, int64_t stride, const int32_t* events, int64_t count,
                                int64_t columns, float* out) {
  in_blocks(columns, [=](auto kept, int64_t base, size_t bytes) {
    Lanes sum[kept] = {};
    for (int64_t e = 0; e < count; ++e) {
      const float* row = rows + events[e] * stride + base;
      for (int k = 0; k < kept; ++k) sum[k] += load(row + k * kLanes);
    }
    std::memcpy(out + base, sum, bytes);
  });
}

// out (samples, n) += factors (samples, n) times rows (n, n): each row is fetched once for all samples.
template <int samples>
[[gnu::noinline]] void add_rows(const float* rows, int64_t stride, const float* factors, int64_t n, float* out) {
  in_blocks(n, [=](auto kept, int64_t base, size_t bytes) {
    Lanes sum[samples][kept] = {};
    for (int b = 0; b < samples; ++b) std::memcpy(sum[b], out + b * n + base, bytes);
    for (int64_t i = 0; i < n; ++i) {
      const float* row = rows + i * stride + base;
      for (int k = 0; k < kept; ++k) {
        const Lanes values = load(row + k * kLanes);
        for (int b = 0; b < samples; ++b) sum[b][k] += factors[b * n + i] * values;
      }
    }
    for (int b = 0; b < samples; ++b) std::memcpy(out + b * n + base, sum[b], bytes);
  });
}

#pragma GCC pop_options

// The positions of what is not 0 in a row, and how many. What spikes cannot be predicted: only the end of a word is.
[[gnu::noinline]] int64_t events_of(const float* x, int64_t length, int32_t* events) {
  constexpr int64_t kWord = 64;
  int64_t count = 0;
  for (int64_t base = 0; base < length; base += kWord) {
    const int64_t here = std::min(kWord, length - base);
    uint64_t found = 0;
    for (int64_t j = 0; j < here; ++j) found |= static_cast<uint64_t>(x[base + j] != 0.0f) << j;
    for (; found; found &= found - 1) events[count++] = static_cast<int32_t>(base + __builtin_ctzll(found));
  }
  return count;
}

// Fetches a row that the next step takes: the rows of a sample lie a batch apart, which the processor does not foresee.
// Where there is no next step, nothing is fetched, and nothing fails.
inline void ahead(const float* row, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) __builtin_prefetch(row + i);
}

// What arrives behind each neuron's delay: `rows` is a ring of `reach` steps, `now` the place of the present one, and
// `left` steps are left.
[[gnu::noinline]] void gather(const int64_t* __restrict__ delay, const float* __restrict__ rows, int64_t now,
                              int64_t reach, int64_t left, int64_t n, float* __restrict__ out) {
  for (int64_t i = 0; i < n; ++i) {
    const int64_t place = now + delay[i];
    const float value = rows[(place < reach ? place : place - reach) * n + i];
    out[i] = delay[i] < left ? value : 0.0f;
  }
}

// Slope of the spike, of peak 1, at z = |x| / width with x = (u - theta) / theta (trainer/surrogates.py).
template <int kind>
inline float slope(float z, [[maybe_unused]] int32_t wanted) {
  if (kind == kFastSigmoid) {
    const float y = 1.0f + z;
    return 1.0f / (y * y);
  }
  if (kind == kArctan) {
    const float y = 1.5707963267948966f * z;
    return 1.0f / (1.0f + y * y);
  }
  if (kind == kTriangle) return z < 1.0f ? 1.0f - z : 0.0f;
  return z < 1.0f ? 1.0f : 0.0f;
}

template <>
inline float slope<kAnySurrogate>(float z, int32_t wanted) {
  return wanted == kFastSigmoid ? slope<kFastSigmoid>(z, wanted)
         : wanted == kArctan    ? slope<kArctan>(z, wanted)
         : wanted == kTriangle  ? slope<kTriangle>(z, wanted)
                                : slope<kRectangle>(z, wanted);
}

template <bool integer>
inline float decay(float state, float leak) {
  const float kept = state * leak;
  return integer ? std::trunc(kept) : kept;
}

template <bool integer>
inline float saturate(float value, float low, float high) {
  return integer ? std::min(std::max(value, low), high) : value;
}

// Membrane after the reset. (The spike is 0 or 1; a product instead of a branch repeats the plain version's rounding.)
template <int output>
inline float reset(float potential, float spike, float threshold) {
  if (output == kSpikeResetZero) return potential * (1.0f - spike);
  if (output == kSpikeResetSubtract) return potential - spike * threshold;
  return potential;
}

template <bool integer, bool synapse, bool adaptation, bool refractory, int output>
void forward(const Walk& w, int64_t first, int64_t last) {
  const int64_t n = w.neurons, stride = w.batch * n;
  std::vector<float> states(5 * n), arriving(n), leaving(n);
  std::vector<int32_t> events(n);
  const float* __restrict__ leak = w.numbers + kLeak * n;
  const float* __restrict__ synapse_leak = w.numbers + kSynapseLeak * n;
  const float* __restrict__ self_weight = w.numbers + kSelfWeight * n;
  const float* __restrict__ threshold = w.numbers + kThreshold * n;
  const float* __restrict__ adaptation_leak = w.numbers + kAdaptationLeak * n;
  const float* __restrict__ adaptation_step = w.numbers + kAdaptationStep * n;
  const float* __restrict__ refractory_steps = w.numbers + kRefractory * n;
  const float low = w.low, high = w.high;
  for (int64_t b = first; b < last; ++b) {
    std::fill(states.begin(), states.end(), 0.0f);
    int64_t fed_back = 0;  // events of the step before
    float put_out = 0.0f;  // spikes of all neurons in the step before
    float* __restrict__ v = states.data();
    float* __restrict__ c = v + n;
    float* __restrict__ h = c + n;
    float* __restrict__ s = h + n;
    float* __restrict__ left = s + n;
    float* __restrict__ x = arriving.data();
    for (int64_t t = 0; t < w.ends[b]; ++t) {
      const int64_t row = t * stride + b * n;
      const float* given = w.currents + row;
      float* __restrict__ out = w.delay ? leaving.data() : w.outputs + row;
      float* __restrict__ potential = w.potential + row;
      float* __restrict__ current = synapse ? w.synapse_state + row : nullptr;
      float* __restrict__ added = adaptation ? w.adaptation_state + row : nullptr;
      float* __restrict__ held = refractory ? w.refractory_state + row : nullptr;
      ahead(w.currents + row + stride, n);
      ahead(w.potential + row + stride, n);
      ahead(w.outputs + row + stride, n);
      if (w.recurrent) {
        sum_rows(w.recurrent, w.recurrent_stride, events.data(), fed_back, n, x);
        for (int64_t i = 0; i < n; ++i) x[i] = given[i] + x[i];
        given = x;
      }
      if (w.inhibition && put_out != 0.0f) {
        const float* seen = w.delay ? w.outputs + row - stride : s;
        for (int64_t i = 0; i < n; ++i) x[i] = given[i] - w.inhibition[i] * (put_out - seen[i]);
        given = x;
      }
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) {
        float in = given[i] + s[i] * self_weight[i];
        if (synapse) {
          in = saturate<integer>(decay<integer>(c[i], synapse_leak[i]) + in, low, high);
          c[i] = in;
          current[i] = in;
        }
        float kept = decay<integer>(v[i], leak[i]);
        if (output == kSpikeResetLate) kept = kept - s[i] * threshold[i];
        float u = saturate<integer>(kept + in, low, high);
        if (refractory) {
          left[i] = s[i] > 0.0f ? refractory_steps[i] : std::max(left[i] - 1.0f, 0.0f);
          held[i] = left[i] > 0.0f ? 1.0f : 0.0f;
          u = u * (1.0f - held[i]);
        }
        potential[i] = u;
        if (output == kPotential) {
          v[i] = u;
          out[i] = u;
        } else {
          float excess = u;
          if (adaptation) {
            h[i] = saturate<integer>(decay<integer>(h[i], adaptation_leak[i]) + s[i] * adaptation_step[i], low, high);
            added[i] = h[i];
            excess = u - h[i];
          }
          const float fire = excess >= threshold[i] ? 1.0f : 0.0f;
          s[i] = fire;
          out[i] = fire;
          v[i] = reset<output>(u, fire, threshold[i]);
        }
      }
      if (w.delay) {
        const int64_t count = events_of(s, n, events.data());
        for (int64_t e = 0; e < count; ++e) {
          const int64_t i = events[e];
          if (t + w.delay[i] < w.ends[b]) w.outputs[row + w.delay[i] * stride + i] = 1.0f;
        }
      }
      if (w.inhibition) {
        const float* seen = w.delay ? w.outputs + row : s;
        put_out = 0.0f;
        for (int64_t i = 0; i < n; ++i) put_out += seen[i];
      }
      if (w.recurrent) fed_back = events_of(w.delay ? w.outputs + row : s, n, events.data());
    }
    for (int64_t t = w.ends[b]; t < w.steps; ++t) {
      const int64_t row = t * stride + b * n;
      std::fill_n(w.outputs + row, n, 0.0f);
      std::fill_n(w.potential + row, n, 0.0f);
      if (synapse) std::fill_n(w.synapse_state + row, n, 0.0f);
      if (adaptation) std::fill_n(w.adaptation_state + row, n, 0.0f);
      if (refractory) std::fill_n(w.refractory_state + row, n, 0.0f);
    }
  }
}

template <bool integer, bool synapse, bool adaptation, bool refractory, int output, int kind>
void backward(const Walk& w, int64_t first, int64_t last) {
  const int64_t n = w.neurons, stride = w.batch * n;
  const std::vector<float> rest(n, 0.0f);
  std::vector<float> inverse_threshold(n), inverse_width(n);
  for (int64_t i = 0; i < n; ++i) {
    inverse_threshold[i] = 1.0f / w.numbers[kThreshold * n + i];
    inverse_width[i] = 1.0f / w.numbers[kWidth * n + i];
  }
  const float* __restrict__ leak = w.numbers + kLeak * n;
  const float* __restrict__ synapse_leak = w.numbers + kSynapseLeak * n;
  const float* __restrict__ self_weight = w.numbers + kSelfWeight * n;
  const float* __restrict__ threshold = w.numbers + kThreshold * n;
  const float* __restrict__ per_threshold = inverse_threshold.data();
  const float* __restrict__ per_width = inverse_width.data();
  const float* __restrict__ adaptation_leak = w.numbers + kAdaptationLeak * n;
  const float* __restrict__ adaptation_step = w.numbers + kAdaptationStep * n;
  const float low = w.low, high = w.high;
  const int32_t surrogate = w.surrogate;
  // The outputs' gradients of the steps that spikes may be delayed to, side by side: in their array they lie far apart.
  const int64_t reach = w.delay ? *std::max_element(w.delay, w.delay + n) + 1 : 0;
  // Recurrent weights are too many for the first-level cache: samples that walk together share what is fetched of them.
  const int64_t together = w.recurrent ? kTogether : 1;
  std::vector<float> later(4 * together * n), arrived(together * reach * n), delayed(2 * together * n);
  for (int64_t group = first; group < last; group += together) {
    const int64_t end = std::min(group + together, last);
    const int64_t longest = *std::max_element(w.ends + group, w.ends + end);
    std::fill(later.begin(), later.end(), 0.0f);
    std::fill(delayed.begin(), delayed.end(), 0.0f);
    for (int64_t b = group; b < end; ++b) {
      for (int64_t t = w.ends[b]; t < w.steps; ++t) std::fill_n(w.d_currents + t * stride + b * n, n, 0.0f);
    }
    for (int64_t t = longest - 1; t >= 0; --t) {
      for (int64_t b = group; b < end; ++b) {
        if (t >= w.ends[b]) continue;
        const int64_t row = t * stride + b * n;
        // Gradients of v[t], the filtered current c[t], the adaptation h[t] and the spike s[t], as step t + 1 has them.
        float* __restrict__ d_v = later.data() + (b - group) * n;
        float* __restrict__ d_c = d_v + together * n;
        float* __restrict__ d_h = d_c + together * n;
        float* __restrict__ d_s = d_h + together * n;
        const auto gradient = [&](Number of) { return w.d_numbers + of * stride + b * n; };
        float* __restrict__ d_leak = gradient(kLeak);
        float* __restrict__ d_synapse = gradient(kSynapseLeak);
        float* __restrict__ d_self = gradient(kSelfWeight);
        float* __restrict__ d_threshold = gradient(kThreshold);
        float* __restrict__ d_width = gradient(kWidth);
        float* __restrict__ d_adaptation = gradient(kAdaptationLeak);
        float* __restrict__ d_step = gradient(kAdaptationStep);
        float* __restrict__ d_delay = gradient(kDelay);
        // What returns through delays in this step, and what would if it were the next.
        float* returning = delayed.data() + (2 * (b - group) + t % 2) * n;
        float* returned = delayed.data() + (2 * (b - group) + 1 - t % 2) * n;
        const float* __restrict__ d_out = w.d_outputs + row;
        ahead(d_out - stride, n);
        ahead(w.potential + row - 2 * stride, n);
        ahead(w.d_currents + row - stride, n);
        if (w.delay) {
          const int64_t now = t % reach;
          float* ring = arrived.data() + (b - group) * reach * n;
          std::memcpy(ring + now * n, d_out, n * sizeof(float));
          gather(w.delay, ring, now, reach, w.ends[b] - t, n, returning);
          d_out = returning;
        }
        const float* __restrict__ potential = w.potential + row;
        const float* __restrict__ before = t ? potential - stride : rest.data();
        const float* __restrict__ current = synapse ? w.synapse_state + row : nullptr;
        const float* __restrict__ current_before = synapse ? (t ? current - stride : rest.data()) : nullptr;
        const float* __restrict__ added = adaptation ? w.adaptation_state + row : nullptr;
        const float* __restrict__ added_before = adaptation ? (t ? added - stride : rest.data()) : nullptr;
        const float* __restrict__ held = refractory ? w.refractory_state + row : nullptr;
        float* __restrict__ d_current = w.d_currents + row;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) {
          const float theta = threshold[i];
          const float u = potential[i];
          const float excess = adaptation ? u - added[i] : u;
          const float excess_before = adaptation ? before[i] - added_before[i] : before[i];
          const float spike_before = output != kPotential && excess_before >= theta ? 1.0f : 0.0f;
          const float v_before = reset<output>(before[i], spike_before, theta);
          float d_u, d_spike_before = 0.0f;
          if (output == kPotential) {
            d_u = d_out[i] + d_v[i];
          } else {
            const float fire = excess >= theta ? 1.0f : 0.0f;
            const float ratio = excess * per_threshold[i];
            const float distance = (ratio - 1.0f) * per_width[i];
            const float d_x = (d_out[i] + d_s[i]) * slope<kind>(std::fabs(distance), surrogate);
            const float via_spike = d_x * per_threshold[i];  // dx/du = 1 / theta
            d_threshold[i] -= via_spike * ratio;                  // dx/dtheta = -u / theta**2
            d_width[i] -= d_x * distance;
            if (adaptation) {
              float d_added = d_h[i] - via_spike;
              if (integer) d_added = added[i] > low && added[i] < high ? d_added : 0.0f;
              d_adaptation[i] += d_added * added_before[i];
              d_step[i] += d_added * spike_before;
              d_h[i] = d_added * adaptation_leak[i];
              d_spike_before = d_added * adaptation_step[i];
            }
            d_u = via_spike + (output == kSpikeResetZero ? d_v[i] * (1.0f - fire) : d_v[i]);
            if (output == kSpikeResetSubtract) d_threshold[i] -= d_v[i] * fire;
          }
          if (refractory) d_u = d_u * (1.0f - held[i]);
          if (integer) d_u = u > low && u < high ? d_u : 0.0f;
          if (output == kSpikeResetLate) d_threshold[i] -= d_u * spike_before;
          d_leak[i] += d_u * v_before;
          d_v[i] = d_u * leak[i];
          float d_in = d_u;
          if (synapse) {
            d_in += d_c[i];
            if (integer) d_in = current[i] > low && current[i] < high ? d_in : 0.0f;
            d_synapse[i] += d_in * current_before[i];
            d_c[i] = d_in * synapse_leak[i];
          }
          d_self[i] += d_in * spike_before;
          d_s[i] = d_in * self_weight[i] + d_spike_before;
          d_current[i] = d_in;
        }
        if (w.delay) {
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) {
            const float excess = adaptation ? potential[i] - added[i] : potential[i];
            d_delay[i] += excess >= threshold[i] ? returned[i] - returning[i] : 0.0f;  // had it come a step later
          }
        }
      }
      if (w.recurrent && t) {
        const float* d_current = w.d_currents + t * stride + group * n;
        float* d_seen = w.delay ? w.d_outputs + (t - 1) * stride + group * n : later.data() + 3 * together * n;
        if (end - group == kTogether) {
          add_rows<kTogether>(w.recurrent, w.recurrent_stride, d_current, n, d_seen);
        } else {
          for (int64_t b = 0; b < end - group; ++b)
            add_rows<1>(w.recurrent, w.recurrent_stride, d_current + b * n, n, d_seen + b * n);
        }
      }
    }
  }
}

// Calls work with a compile-time constant for a run-time value in `from .. to`.
template <int from, int to, typename Work>
void with_value(int32_t wanted, Work work) {
  if (wanted == from) return work(std::integral_constant<int, from>{});
  if constexpr (from < to) with_value<from + 1, to>(wanted, work);
}

// The same for what the neurons of a layer are; those that never spike do not adapt and are never held.
template <typename Work>
void with_parts(const Walk& w, Work work) {
  with_value<0, 1>(w.integer, [&](auto integer) {
    with_value<0, 1>(w.synapse_state != nullptr, [&](auto synapse) {
      with_value<kPotential, kSpikeResetLate>(w.output, [&](auto output) {
        with_value<0, output != kPotential>(w.adaptation_state != nullptr, [&](auto adaptation) {
          with_value<0, output != kPotential>(w.refractory_state != nullptr, [&](auto refractory) {
            work(integer, synapse, adaptation, refractory, output);
          });
        });
      });
    });
  });
}

}  // namespace

extern "C" {

// From now on all threads round, and treat subnormal numbers, as the calling one does.
void share_environment(int64_t threads) {
  std::fenv_t environment;
  std::fegetenv(&environment);
#pragma omp parallel num_threads(threads)
  std::fesetenv(&environment);
}

void walk_forward(const Walk* w) {
  share(w->batch, w->threads, [=](int64_t first, int64_t last) {
    with_parts(*w, [&](auto integer, auto synapse, auto adaptation, auto refractory, auto output) {
      forward<integer, synapse, adaptation, refractory, output>(*w, first, last);
    });
  });
}

void walk_backward(const Walk* w) {
  share(w->batch, w->threads, [=](int64_t first, int64_t last) {
    with_parts(*w, [&](auto integer, auto synapse, auto adaptation, auto refractory, auto output) {
      // A template for each surrogate takes its time to compile: only for what most neurons are.
      constexpr bool rare = adaptation || refractory || output == kPotential || output == kSpikeResetLate;
      constexpr int from = rare ? kAnySurrogate : 0, to = rare ? kAnySurrogate : kRectangle;
      with_value<from, to>(rare ? from : w->surrogate, [&](auto surrogate) {
        backward<integer, synapse, adaptation, refractory, output, surrogate>(*w, first, last);
      });
    });
  });
}

// Inputs are 0 or 1: a row of the product is the sum of the weight rows of its events.
void product_forward(const Product* p) {
  const int64_t columns = p->columns, stride = p->stride;
  share(p->rows, p->threads, [=](int64_t first, int64_t last) {
    std::vector<int32_t> events(p->inputs);
    for (int64_t r = first; r < last; ++r) {
      const int64_t count = events_of(p->x + r * p->inputs, p->inputs, events.data());
      sum_rows(p->transposed, stride, events.data(), count, columns, p->out + r * columns);
    }
  });
}

// Which rows belong to which part does not depend on the number of threads, nor then does any sum.
void product_backward(const Product* p) {
  const int64_t columns = p->columns;
  share(p->parts, p->threads, [=](int64_t first_part, int64_t last_part) {
    std::vector<int32_t> events(p->inputs);
    for (int64_t part = first_part; part < last_part; ++part) {
      float* sums = p->d_transposed + part * p->inputs * columns;
      for (int64_t r = p->rows * part / p->parts; r < p->rows * (part + 1) / p->parts; ++r) {
        const int64_t count = events_of(p->x + r * p->inputs, p->inputs, events.data());
        const float* __restrict__ d_out = p->d_out + r * columns;
        for (int64_t e = 0; e < count; ++e) {
          float* __restrict__ sum = sums + events[e] * columns;
          for (int64_t i = 0; i < columns; ++i) sum[i] += d_out[i];
        }
      }
    }
  });
}

}  // extern "C"
