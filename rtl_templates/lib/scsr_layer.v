`default_nettype none

// One layer: collects the events of a step, accumulates weights group by group, updates the neurons.
//
//   collector -> event list -> weights -> lanes -> neuron update
//
// Streams in: one per source. Stream out: every neuron of every step, in order, with its value.
// A step of E events takes about max(E + 1, GROUPS * max(E, LANES)) cycles (docs/architecture.md has it exactly).

module scsr_layer #(
    // Number of neurons
    parameter NEURONS = 1,
    // Width of a neuron's index
    parameter INDEX_W = 1,
    // Number of lanes
    parameter LANES = 1,
    // Width of a number of lanes, 0 .. LANES
    parameter LANE_W = 1,
    // Number of groups: NEURONS / LANES, rounded up
    parameter GROUPS = 1,
    // Width of a group's number
    parameter GROUP_W = 1,
    // Number of lanes in use in the last group
    parameter LAST_LANES = 1,
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
    // Width of a weight word's address
    parameter WEIGHT_ADDR_W = 1,
    // Width of a weight; 1: the bit means +1 (set) or -1
    parameter WEIGHT_W = 2,
    // Weight words, in the form of $readmemh
    parameter WEIGHT_FILE = "",
    // Width of a sum of weights
    parameter SUM_W = 8,
    // Width of the input current: the sum and the self-weight
    parameter X_W = 9,
    // Width of membrane and filtered current
    parameter STATE_W = 16,
    // Width of a leak code
    parameter LEAK_W = 8,
    // Width of a threshold, less than STATE_W; 0 where the neuron does not spike
    parameter THRESHOLD_W = 15,
    // Width of a self-weight, at least 2; 0 where there is none
    parameter SELF_W = 0,
    // 1: the neuron has a synaptic filter
    parameter SYNAPSE = 0,
    // 1: a spike subtracts the threshold; 0: it sets the membrane to zero
    parameter RESET_SUBTRACT = 0,
    // Width of r_value: 1 where the neuron spikes, else STATE_W
    parameter VALUE_W = 1,
    // Width of a parameter word
    parameter PARAM_W = 23,
    // Parameter words, in the form of $readmemh
    parameter PARAM_FILE = "",
    // Width of the tag; bit 0: last step of the sample
    parameter TAG_W = 1
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [SOURCES-1:0]         s_valid,
    output wire [SOURCES-1:0]         s_ready,
    input  wire [SOURCES-1:0]         s_tick,
    input  wire [SOURCES*EVENT_W-1:0] s_index,
    input  wire [TAG_W-1:0]           s_tag,
    output wire                       r_valid,
    input  wire                       r_ready,
    output wire [INDEX_W-1:0]         r_index,
    output wire                       r_last,
    output wire [VALUE_W-1:0]         r_value,
    output wire [TAG_W-1:0]           r_tag
);

    wire                      row_valid;
    wire                      row_ready;
    wire                      row_close;
    wire [ROW_W-1:0]          row;
    wire [TAG_W-1:0]          row_tag;

    wire                      op_en;
    wire                      op_valid;
    wire                      op_event;
    wire [ROW_W-1:0]          op_row;
    wire                      op_group_last;
    wire                      op_step_last;
    wire [TAG_W-1:0]          op_tag;

    wire                      word_valid;
    wire                      word_event;
    wire [LANES*WEIGHT_W-1:0] word_weights;
    wire                      word_group_last;
    wire [TAG_W-1:0]          word_tag;

    wire                      sum_valid;
    wire                      sum_ready;
    wire signed [SUM_W-1:0]   sum;
    wire [TAG_W-1:0]          sum_tag;

    scsr_collector #(
        .SOURCES        (SOURCES),
        .EVENT_W        (EVENT_W),
        .ROW_W          (ROW_W),
        .OFFSETS        (OFFSETS),
        .TAG_W          (TAG_W),
        .TAG_SOURCE     (TAG_SOURCE),
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
        .ROW_W     (ROW_W),
        .COUNT_W   (COUNT_W),
        .POSITION_W(ROW_W),
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
        .ROWS  (ROWS),
        .ROW_W (ROW_W),
        .DEPTH (GROUPS * ROWS),
        .ADDR_W(WEIGHT_ADDR_W),
        .WORD_W(LANES * WEIGHT_W),
        .TAG_W (TAG_W),
        .FILE  (WEIGHT_FILE)
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
        .m_tag       (word_tag)
    );

    scsr_lanes #(
        .LANES     (LANES),
        .WEIGHT_W  (WEIGHT_W),
        .SUM_W     (SUM_W),
        .LANE_W    (LANE_W),
        .LAST_LANES(LAST_LANES),
        .GROUPS    (GROUPS),
        .GROUP_W   (GROUP_W),
        .TAG_W     (TAG_W)
    ) lanes (
        .clk         (clk),
        .rst         (rst),
        .s_en        (op_en),
        .s_valid     (word_valid),
        .s_event     (word_event),
        .s_weights   (word_weights),
        .s_group_last(word_group_last),
        .s_tag       (word_tag),
        .m_valid     (sum_valid),
        .m_ready     (sum_ready),
        .m_sum       (sum),
        .m_tag       (sum_tag)
    );

    scsr_neuron #(
        .NEURONS       (NEURONS),
        .INDEX_W       (INDEX_W),
        .STATE_W       (STATE_W),
        .LEAK_W        (LEAK_W),
        .SUM_W         (SUM_W),
        .X_W           (X_W),
        .THRESHOLD_W   (THRESHOLD_W),
        .SELF_W        (SELF_W),
        .SYNAPSE       (SYNAPSE),
        .RESET_SUBTRACT(RESET_SUBTRACT),
        .VALUE_W       (VALUE_W),
        .PARAM_W       (PARAM_W),
        .PARAM_FILE    (PARAM_FILE),
        .TAG_W         (TAG_W)
    ) neuron (
        .clk    (clk),
        .rst    (rst),
        .s_valid(sum_valid),
        .s_ready(sum_ready),
        .s_sum  (sum),
        .s_tag  (sum_tag),
        .r_valid(r_valid),
        .r_ready(r_ready),
        .r_index(r_index),
        .r_last (r_last),
        .r_value(r_value),
        .r_tag  (r_tag)
    );

endmodule

`default_nettype wire
