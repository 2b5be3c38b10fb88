`default_nettype none

// One layer: collects the events of a step, accumulates weights group by group, updates the neurons.
//
//   collector -> event list -> weights -> lanes -> neuron update <-> neurons
//
// Streams in: one per source; l_* where weights are loaded (scsr_loader.v). Stream out: every neuron of every step, in
// order, with its value. The neurons stand outside, behind the n_* ports (scsr_update.v).
// A step of E events takes about max(E + 1, GROUPS * max(ceil(E / PORTS), ceil(LANES / UNITS))) cycles
// (docs/architecture.md has it exactly).

module scsr_layer #(
    // Width of a neuron's index
    parameter INDEX_W = 1,
    // Number of lanes
    parameter LANES = 1,
    // Events per cycle, 1 or 2: read ports of the weight memory
    parameter PORTS = 1,
    // Neurons updated per cycle, at most LANES
    parameter UNITS = 1,
    // Width of a neuron's place in a word of UNITS
    parameter UNIT_W = 1,
    // Number of groups: neurons / LANES, rounded up
    parameter GROUPS = 1,
    // Width of a group's number
    parameter GROUP_W = 1,
    // Number of words of at most UNITS neurons, in all groups
    parameter WORDS = 1,
    // Width of a word's number
    parameter WORD_W = 1,
    // Number of words in a group: LANES / UNITS, rounded up
    parameter GROUP_WORDS = 1,
    // Width of a word's number in its group
    parameter GROUP_WORD_W = 1,
    // Number of words in the last group
    parameter LAST_WORDS = 1,
    // Number of neurons in a group's last word, but for the last group
    parameter GROUP_LAST_UNITS = 1,
    // Number of neurons in the last word
    parameter LAST_UNITS = 1,
    // Number of sources
    parameter SOURCES = 1,
    // Width of an incoming index, at most ROW_W
    parameter EVENT_W = 1,
    // First row of each source, source 0 in the lowest bits
    parameter [SOURCES*ROW_W-1:0] OFFSETS = {SOURCES * ROW_W{1'b0}},
    // Source whose tag is handed on
    parameter TAG_SOURCE = 0,
    // Sources that owe no TICK in the first step after reset
    parameter [SOURCES-1:0] TICKED_AT_RESET = {SOURCES{1'b0}},
    // Number of rows: inputs of all sources together
    parameter ROWS = 1,
    // Width of a row
    parameter ROW_W = 1,
    // Width of a number of events, 0 .. ROWS
    parameter COUNT_W = 1,
    // Width of a place in the event list, PORTS events to a place
    parameter POSITION_W = 1,
    // Width of a weight word's address
    parameter WEIGHT_ADDR_W = 1,
    // Width of a weight; 1: the bit means +1 (set) or -1
    parameter WEIGHT_W = 2,
    // Banks of the weight memory, words in each, and width of an address in one (scsr_banked_memory.v)
    parameter WEIGHT_BANKS = 1,
    parameter WEIGHT_BANK_DEPTH = 2,
    parameter WEIGHT_BANK_ADDR_W = 1,
    // Path of the banks' files, without the number
    parameter WEIGHT_PREFIX = "",
    // 1: weights are written at run time
    parameter WEIGHT_LOADED = 0,
    // Where they are, the 16-bit slices of a weight word; else 1
    parameter WEIGHT_SLICES = 1,
    // Width of a sum of weights
    parameter SUM_W = 8,
    // Width of a neuron's state
    parameter STATE_WORD_W = 16,
    // Width of a neuron's parameters
    parameter PARAM_W = 23,
    // Width of a value: 1 where the neurons spike
    parameter VALUE_W = 1,
    // Enabled cycles from a neuron's inputs to its outputs
    parameter NEURON_CYCLES = 4,
    // Parameter words, in the form of $readmemh
    parameter PARAM_FILE = "",
    // Width of the tag; bit 0: last step of the sample; the highest bit, where the memories are protected: the sample is
    // damaged (scsr_mark.v)
    parameter TAG_W = 1,
    // Sources whose TICKs report such damage (scsr_collector.v)
    parameter [SOURCES-1:0] REPORTS = {SOURCES{1'b0}},
    // Check bits of a block and of a word of weights, and of parameters (scsr_guard.v); 0: not protected
    parameter WEIGHT_CHECKS = 0,
    parameter WEIGHT_CHECK_W = 0,
    parameter PARAM_CHECKS = 0,
    parameter PARAM_CHECK_W = 0
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire [SOURCES-1:0]            s_valid,
    output wire [SOURCES-1:0]            s_ready,
    input  wire [SOURCES-1:0]            s_tick,
    input  wire [SOURCES*EVENT_W-1:0]    s_index,
    input  wire [TAG_W-1:0]              s_tag,
    output wire                          r_valid,
    input  wire                          r_ready,
    output wire [WORD_W-1:0]             r_word,
    output wire [INDEX_W-1:0]            r_index,
    output wire [UNIT_W-1:0]             r_final,
    output wire                          r_last,
    output wire [UNITS*VALUE_W-1:0]      r_values,
    output wire [TAG_W-1:0]              r_tag,
    output wire                          n_en,
    output wire [UNITS*SUM_W-1:0]        n_sums,
    output wire [UNITS*STATE_WORD_W-1:0] n_states,
    output wire [UNITS*PARAM_W-1:0]      n_params,
    input  wire [UNITS*STATE_WORD_W-1:0] n_next_states,
    input  wire [UNITS*VALUE_W-1:0]      n_values,
    input  wire [WEIGHT_SLICES-1:0]      l_write,
    input  wire [WEIGHT_ADDR_W-1:0]      l_addr,
    input  wire [15:0]                   l_data
);

    wire                            row_valid;
    wire                            row_ready;
    wire                            row_close;
    wire [ROW_W-1:0]                row;
    wire [TAG_W-1:0]                row_tag;

    wire                            op_en;
    wire                            op_valid;
    wire [PORTS-1:0]                op_event;
    wire [PORTS*ROW_W-1:0]          op_row;
    wire                            op_group_last;
    wire                            op_step_last;
    wire [TAG_W-1:0]                op_tag;

    wire                            word_valid;
    wire [PORTS-1:0]                word_event;
    wire [PORTS*LANES*WEIGHT_W-1:0] word_weights;
    wire                            word_group_last;
    wire                            word_step_last;
    wire [TAG_W-1:0]                word_tag;

    wire                            sum_valid;
    wire                            sum_ready;
    wire [UNITS*SUM_W-1:0]          sums;
    wire [TAG_W-1:0]                sum_tag;

    scsr_collector #(
        .SOURCES        (SOURCES),
        .EVENT_W        (EVENT_W),
        .ROW_W          (ROW_W),
        .OFFSETS        (OFFSETS),
        .TAG_W          (TAG_W),
        .TAG_SOURCE     (TAG_SOURCE),
        .REPORTS        (REPORTS),
        .TICKED_AT_RESET(TICKED_AT_RESET)
    ) collector (
        .clk    (clk),
        .rst    (rst),
        .s_valid(s_valid),
        .s_ready(s_ready),
        .s_tick (s_tick),
        .s_index(s_index),
        .s_tag  (s_tag),
        .m_valid(row_valid),
        .m_ready(row_ready),
        .m_close(row_close),
        .m_row  (row),
        .m_tag  (row_tag)
    );

    scsr_event_list #(
        .PORTS     (PORTS),
        .ROW_W     (ROW_W),
        .COUNT_W   (COUNT_W),
        .POSITION_W(POSITION_W),
        .GROUPS    (GROUPS),
        .GROUP_W   (GROUP_W),
        .TAG_W     (TAG_W)
    ) event_list (
        .clk         (clk),
        .rst         (rst),
        .s_valid     (row_valid),
        .s_ready     (row_ready),
        .s_close     (row_close),
        .s_row       (row),
        .s_tag       (row_tag),
        .m_en        (op_en),
        .m_valid     (op_valid),
        .m_event     (op_event),
        .m_row       (op_row),
        .m_group_last(op_group_last),
        .m_step_last (op_step_last),
        .m_tag       (op_tag)
    );

    scsr_weights #(
        .PORTS      (PORTS),
        .ROWS       (ROWS),
        .ROW_W      (ROW_W),
        .ADDR_W     (WEIGHT_ADDR_W),
        .WORD_W     (LANES * WEIGHT_W),
        .BANKS      (WEIGHT_BANKS),
        .BANK_DEPTH (WEIGHT_BANK_DEPTH),
        .BANK_ADDR_W(WEIGHT_BANK_ADDR_W),
        .PREFIX     (WEIGHT_PREFIX),
        .LOADED     (WEIGHT_LOADED),
        .SLICES     (WEIGHT_SLICES),
        .TAG_W      (TAG_W),
        .CHECKS     (WEIGHT_CHECKS),
        .CHECK_W    (WEIGHT_CHECK_W)
    ) weights (
        .clk         (clk),
        .rst         (rst),
        .en          (op_en),
        .s_valid     (op_valid),
        .s_event     (op_event),
        .s_row       (op_row),
        .s_group_last(op_group_last),
        .s_step_last (op_step_last),
        .s_tag       (op_tag),
        .m_valid     (word_valid),
        .m_event     (word_event),
        .m_weights   (word_weights),
        .m_group_last(word_group_last),
        .m_step_last (word_step_last),
        .m_tag       (word_tag),
        .l_write     (l_write),
        .l_addr      (l_addr),
        .l_data      (l_data)
    );

    scsr_lanes #(
        .LANES     (LANES),
        .PORTS     (PORTS),
        .UNITS     (UNITS),
        .WEIGHT_W  (WEIGHT_W),
        .SUM_W     (SUM_W),
        .WORDS     (GROUP_WORDS),
        .WORD_W    (GROUP_WORD_W),
        .LAST_WORDS(LAST_WORDS),
        .TAG_W     (TAG_W)
    ) lanes (
        .clk         (clk),
        .rst         (rst),
        .s_en        (op_en),
        .s_valid     (word_valid),
        .s_event     (word_event),
        .s_weights   (word_weights),
        .s_group_last(word_group_last),
        .s_step_last (word_step_last),
        .s_tag       (word_tag),
        .m_valid     (sum_valid),
        .m_ready     (sum_ready),
        .m_sums      (sums),
        .m_tag       (sum_tag)
    );

    scsr_update #(
        .INDEX_W         (INDEX_W),
        .UNITS           (UNITS),
        .UNIT_W          (UNIT_W),
        .WORDS           (WORDS),
        .WORD_W          (WORD_W),
        .GROUP_WORDS     (GROUP_WORDS),
        .GROUP_WORD_W    (GROUP_WORD_W),
        .GROUP_LAST_UNITS(GROUP_LAST_UNITS),
        .LAST_UNITS      (LAST_UNITS),
        .SUM_W           (SUM_W),
        .STATE_WORD_W    (STATE_WORD_W),
        .PARAM_W         (PARAM_W),
        .VALUE_W         (VALUE_W),
        .NEURON_CYCLES   (NEURON_CYCLES),
        .PARAM_FILE      (PARAM_FILE),
        .TAG_W           (TAG_W),
        .CHECKS          (PARAM_CHECKS),
        .CHECK_W         (PARAM_CHECK_W)
    ) update (
        .clk          (clk),
        .rst          (rst),
        .s_valid      (sum_valid),
        .s_ready      (sum_ready),
        .s_sums       (sums),
        .s_tag        (sum_tag),
        .r_valid      (r_valid),
        .r_ready      (r_ready),
        .r_word       (r_word),
        .r_index      (r_index),
        .r_final      (r_final),
        .r_last       (r_last),
        .r_values     (r_values),
        .r_tag        (r_tag),
        .n_en         (n_en),
        .n_sums       (n_sums),
        .n_states     (n_states),
        .n_params     (n_params),
        .n_next_states(n_next_states),
        .n_values     (n_values)
    );

endmodule

`default_nettype wire
