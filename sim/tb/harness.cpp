// Simulates a whole test set at full speed. Everything that has a meaning is compared in Python; this only drives
// beats, records what comes out, and watches that the output stream keeps the AXI4-Stream rules.
//
//   harness BEATS OUT_DIR PACKETS STALL_PERCENT RESET_AFTER IDLE_LIMIT SEED LOAD WAVE LAYERS...
//
// BEATS: uint32 per beat, tdata and, in bit 16, tlast. RESET_AFTER: so many beats are sent, then the core is reset for
// one cycle, and all is sent from the start; 0: not so. IDLE_LIMIT: cycles without a beat on either stream, or output
// beats in a row without tlast, after which the core counts as hanging. LOAD: uint16 per word of the weights that the
// core takes after a reset; - if it takes none. WAVE: a file for the wave of all signals, where the model was verilated
// to trace them. LAYERS: of each layer, in probe order, NEURONS:LANES:UNITS, units being the bits that it has in
// probe_spike.
// In OUT_DIR:
//   beats.bin     uint64 cycle, uint32 tdata, uint32 tlast   of each output beat
//   ticks.bin     uint64 cycle                               in which each TICK was taken
//   ends.bin      uint64 cycle                               in which the last layer ended each time step
//   identity.bin  uint8[32]                                  the port model_digest, lowest byte first
//   spikes_I.bin  uint64 position                            of each spike: step * neurons + neuron, layer I in order
//   updates.bin   uint64 count                               of the neurons updated in all steps, of each layer
// With SCSR_LOAD defined the design has a stream s_load, with SCSR_SELF_TEST a self-test, which runs after resets only.
// With SCSR_NETLIST defined the design is a netlist without probes: no LAYERS are given, no ends and spikes recorded.
// Exit status: 0 done, 3 the core hangs, 4 the output stream broke a rule, 5 beats came after the last packet,
// 6 the core did not take just the words of its weights, or took events before it had them.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "Vcore.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Wave = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Wave = VerilatedVcdC;
#endif

namespace {

constexpr uint32_t kTick = 1u << 15;
constexpr unsigned kLastBit = 16;
constexpr uint64_t kDrainCycles = 200;
constexpr uint64_t kPausesIn = 8, kLongestPause = 100;  // one stall of so many becomes a pause of up to so many cycles
constexpr uint64_t kStalled = 100;  // times as long as at full rate a core may take under stalls
constexpr uint64_t kHalfCycleNs = 5;

template <class T>
bool bit(const T& value, unsigned position) {
    return (value >> position) & 1u;
}

template <std::size_t N>
bool bit(const VlWide<N>& value, unsigned position) {
    return (value[position / 32] >> (position % 32)) & 1u;
}

[[noreturn]] void fail(const std::string& what) {
    std::perror(what.c_str());
    std::exit(1);
}

std::ofstream create(const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    if (!file) fail(path);
    return file;
}

template <class T>
void put(std::ofstream& file, const T& value) {
    if (!file.write(reinterpret_cast<const char*>(&value), sizeof value)) fail("write");
}

template <class T>
std::vector<T> read_all(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path);
    std::vector<T> items;
    for (T item; file.read(reinterpret_cast<char*>(&item), sizeof item);) items.push_back(item);
    return items;
}

struct Layer {
    uint64_t neurons, lanes, units, updates;
    std::ofstream spikes;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 10) {
        std::fputs("usage: harness BEATS OUT_DIR PACKETS STALL_PERCENT RESET_AFTER IDLE_LIMIT SEED LOAD WAVE "
                   "[LAYERS...]\n",
                   stderr);
        return 1;
    }
    const std::vector<uint32_t> beats = read_all<uint32_t>(argv[1]);
    const std::string out = argv[2];
    const uint64_t packets = std::strtoull(argv[3], nullptr, 10);
    const unsigned stall_percent = std::strtoul(argv[4], nullptr, 10);
    const std::size_t reset_after = std::strtoull(argv[5], nullptr, 10);
    const uint64_t idle_limit = std::strtoull(argv[6], nullptr, 10);
    const unsigned seed = std::strtoul(argv[7], nullptr, 10);
    std::vector<Layer> layers;
    for (int i = 10; i < argc; ++i) {
        const std::string name = out + "/spikes_" + std::to_string(i - 10) + ".bin";
        char* rest;
        const uint64_t neurons = std::strtoull(argv[i], &rest, 10);
        const uint64_t lanes = std::strtoull(rest + 1, &rest, 10);
        layers.push_back({neurons, lanes, std::strtoull(rest + 1, nullptr, 10), 0, create(name)});
    }
    std::ofstream out_beats = create(out + "/beats.bin"), ticks = create(out + "/ticks.bin");
    std::ofstream ends = create(out + "/ends.bin"), identity = create(out + "/identity.bin");
    std::ofstream updates = create(out + "/updates.bin");

    VerilatedContext context;
    context.randReset(2);  // registers start with garbage: what needs a reset must get it
    context.randSeed(static_cast<int>(seed + 1));
    Vcore core(&context);
#if VM_TRACE
    context.traceEverOn(true);
    Wave wave;
    core.trace(&wave, 99);
    wave.set_time_unit("1ns");
    wave.set_time_resolution("1ns");
    wave.open(argv[9]);
    uint64_t now_ns = 0;
#endif
    std::mt19937 random(seed);
    auto stalls = [&] { return stall_percent != 0 && random() % 100 < stall_percent; };

    std::size_t next = 0;
    bool offered = false, held = false, held_last = false;
    uint32_t held_data = 0;
    uint64_t received = 0, unfinished = 0, idle = 0, drained = 0, pause = 0;

    auto dump = [&] {
#if VM_TRACE
        wave.dump(now_ns);
        now_ns += kHalfCycleNs;
#endif
    };
    auto clock = [&] {
        dump();
        core.aclk = 1;
        core.eval();
        dump();
        core.aclk = 0;
    };
    auto reset = [&] {
        core.aresetn = 0;
        core.s_axis_tvalid = 0;
        core.m_axis_tready = 0;
#ifdef SCSR_SELF_TEST
        core.self_test_start = 0;
#endif
#ifdef SCSR_LOAD
        core.s_load_tvalid = 0;
#endif
        core.eval();
        clock();
        core.aresetn = 1;
    };

    auto load = [&] {
#ifdef SCSR_LOAD
        static const std::vector<uint16_t> words = read_all<uint16_t>(argv[8]);
        for (std::size_t sent = 0; sent < words.size();) {
            // Garbage on the line while nothing is offered, and events that wait, must do nothing.
            core.s_load_tvalid = !stalls();
            core.s_load_tdata = core.s_load_tvalid ? words[sent] : static_cast<uint16_t>(random());
            core.s_axis_tvalid = 1;
            core.eval();
            if (!core.s_load_tready || core.s_axis_tready) return false;
            sent += core.s_load_tvalid;
            clock();
        }
        core.s_load_tvalid = 0;
        core.s_axis_tvalid = 0;
        core.eval();
        return !core.s_load_tready;
#else
        return true;
#endif
    };

    auto end = [&](int status) {
        core.final();
#if VM_TRACE
        wave.close();
#endif
        return status;
    };

    core.aclk = 0;
    reset();
    if (!load()) return end(6);
    for (std::size_t sent = 0; sent < reset_after;) {
        core.s_axis_tvalid = 1;
        core.s_axis_tdata = beats[sent % beats.size()] & 0xffffu;
        core.s_axis_tlast = (beats[sent % beats.size()] >> kLastBit) & 1u;
        core.m_axis_tready = !stalls();
        core.eval();
        sent += core.s_axis_tready;
        idle = core.s_axis_tready ? 0 : idle + 1;
        if (idle > idle_limit * kStalled) return end(3);
        clock();
    }
    if (reset_after) {
        reset();
        if (!load()) return end(6);
        idle = 0;
    }

    for (uint64_t cycle = 0; drained < kDrainCycles; ++cycle) {
        offered = next < beats.size() && (offered || !stalls());
        core.s_axis_tvalid = offered;
        if (offered) {
            core.s_axis_tdata = beats[next] & 0xffffu;
            core.s_axis_tlast = (beats[next] >> kLastBit) & 1u;
        }
        // A sink at full rate is always ready; one that stalls waits for valid, which must not wait for it.
        core.m_axis_tready = stall_percent == 0;
        core.eval();
        // Now and then it waits for so long that a core gets as far ahead of its answers as it can.
        if (stall_percent != 0 && core.m_axis_tvalid) {
            if (pause > 0) {
                --pause;
            } else if (!stalls()) {
                core.m_axis_tready = 1;
                core.eval();
            } else if (random() % kPausesIn == 0) {
                pause = random() % kLongestPause;
            }
        }

        const bool taken = offered && core.s_axis_tready;
        if (taken) {
            if (beats[next] & kTick) put(ticks, cycle);
            ++next;
            offered = false;
        }

        const bool valid = core.m_axis_tvalid, last = core.m_axis_tlast;
        if (held && (!valid || core.m_axis_tdata != held_data || last != held_last)) return end(4);
        held = valid && !core.m_axis_tready;
        held_data = core.m_axis_tdata;
        held_last = last;
        if (valid && core.m_axis_tready) {
            if (received == packets) return end(5);
            put(out_beats, cycle);
            put(out_beats, held_data);
            put(out_beats, static_cast<uint32_t>(last));
            received += last;
            unfinished = last ? 0 : unfinished + 1;
        }

#ifndef SCSR_NETLIST
        unsigned first_bit = 0;
        for (unsigned i = 0; i < layers.size(); ++i) {
            Layer& layer = layers[i];
            if (bit(core.probe_valid, i)) {
                // A word ends where its group of lanes does.
                const uint64_t neuron = layer.updates % layer.neurons, left = layer.neurons - neuron;
                const uint64_t updated = std::min({left, layer.lanes - neuron % layer.lanes, layer.units});
                for (uint64_t unit = 0; unit < updated; ++unit) {
                    if (bit(core.probe_spike, first_bit + unit)) put(layer.spikes, layer.updates + unit);
                }
                layer.updates += updated;
                if (i + 1 == layers.size() && updated == left) put(ends, cycle);
            }
            first_bit += layer.units;
        }
#endif

        idle = taken || (valid && core.m_axis_tready) ? 0 : idle + 1;
        if (idle > idle_limit || unfinished > idle_limit) return end(3);
        drained = next == beats.size() && received == packets ? drained + 1 : 0;

        clock();
    }
    put(identity, core.model_digest);
    for (const Layer& layer : layers) put(updates, layer.updates);
    return end(0);
}
