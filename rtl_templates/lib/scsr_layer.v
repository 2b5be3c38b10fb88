`default_nettype none

// One layer: collects the events of a step, accumulates weights group by group, updates the neurons.
//
//   collector -> event list (-> slots) -> weights (-> lookup) -> lanes -> neuron update <-> neurons
//
// Streams in: one per source; l_* where weights are loaded (scsr_loader.v). Stream out: every neuron of every step, in
// order, with its value. The neurons stand outside, behind the n_* ports (scsr_update.v).
// A step of E events takes about max(E + 1, GROUPS * max(ceil(E / PORTS), ceil(LANES / UNITS))) cycles
// (docs/architecture.md has it exactly).

module scsr_layer #(
    parameter INDEX_W = 1,             // width of a neuron's index
    parameter LANES = 1,               // number of lanes
    parameter PORTS = 1,               // events per cycle, 1 or 2: read ports of the weight memory
    parameter UNITS = 1,               // neurons updated per cycle, at most LANES
    parameter UNIT_W = 1,              // width of a neuron's place in a word of UNITS
    parameter GROUPS = 1,              // number of groups: neurons / LANES, rounded up
    parameter GROUP_W = 1,             // width of a group's number
    parameter WORDS = 1,               // number of words of at most UNITS neurons, in all groups
    parameter WORD_W = 1,              // width of a word's number
    parameter GROUP_WORDS = 1,         // number of words in a group: LANES / UNITS, rounded up
    parameter GROUP_WORD_W = 1,        // width of a word's number in its group
    parameter LAST_WORDS = 1,          // number of words in the last group
    parameter GROUP_LAST_UNITS = 1,    // number of neurons in a group's last word, but for the last group
    parameter LAST_UNITS = 1,          // number of neurons in the last word
    parameter SOURCES = 1,             // number of sources
    parameter EVENT_W = 1,             // width of an incoming index, at most ROW_W
    // First row of each source, source 0 in the lowest bits
    parameter [SOURCES*ROW_W-1:0] OFFSETS = {SOURCES * ROW_W{1'b0}},
    parameter TAG_SOURCE = 0,          // source whose tag is handed on
    // Sources that owe no TICK in the first step after reset
    parameter [SOURCES-1:0] TICKED_AT_RESET = {SOURCES{1'b0}},
    parameter ROWS = 1,                // number of rows: inputs of all sources together
    parameter ROW_W = 1,               // width of a row
    parameter COUNT_W = 1,             // width of a number of events, 0 .. ROWS
    parameter POSITION_W = 1,          // width of a place in the event list, PORTS events to a place
    parameter WEIGHT_ADDR_W = 1,       // width of a weight word's address
    parameter WEIGHT_W = 2,            // width of a weight; 1: the bit means +1 (set) or -1
    parameter WEIGHT_BANKS = 1,        // banks of the weight memory (scsr_banked_memory.v)
    parameter WEIGHT_BANK_DEPTH = 2,   // words in a bank
    parameter WEIGHT_BANK_ADDR_W = 1,  // width of an address in a bank
    parameter WEIGHT_PREFIX = "",      // path of the banks' files, without the number
    parameter WEIGHT_LOADED = 0,       // 1: weights are written at run time
    parameter WEIGHT_SLICES = 1,       // where they are, the 16-bit slices of a weight word; else 1
    parameter SUM_W = 8,               // width of a sum of weights
    parameter STATE_WORD_W = 16,       // width of a neuron's state
    parameter PARAM_W = 23,            // width of a neuron's parameters
    parameter VALUE_W = 1,             // width of a value: 1 where the neurons spike
    parameter NEURON_CYCLES = 4,       // enabled cycles from a neuron's inputs to its outputs
    parameter PARAM_FILE = "",         // parameter words, in the form of $readmemh
    parameter DRAIN = 0,               // 1: a step's updates begin when all of the step before have left
    // Width of the tag; bit 0: last step of the sample; the highest bit, where the memories are protected: the sample
    // is damaged (scsr_mark.v)
    parameter TAG_W = 1,
    // Sources whose TICKs report such damage (scsr_collector.v)
    parameter [SOURCES-1:0] REPORTS = {SOURCES{1'b0}},
    parameter SLOTS = 0,               // recurrent weights that each neuron has beside its rows (scsr_slots.v)
    parameter SLOT_NUMBER_W = 1,       // width of a slot's number
    parameter SLOT_ADDR_W = 1,         // width of the address of a word of slots, one for each lane
    parameter SLOT_W = 3,              // width of a slot (scsr_lookup.v)
    parameter SLOT_PLACE_W = 0,        // width of a neuron's place in its word; 0 where UNITS = 1
    parameter SLOT_BANKS = 1,          // banks of their memory, several just where that of the weights has several
    parameter SLOT_BANK_DEPTH = 2,
    parameter SLOT_BANK_ADDR_W = 1,
    parameter SLOT_PREFIX = "",        // path of the banks' files
    parameter SLOT_CHECKS = 0,         // check bits of a block of slots; 0: not protected
    parameter SLOT_CHECK_W = 0,        // check bits of a word of slots
    parameter WEIGHT_CHECKS = 0,       // check bits of a block of weights (scsr_guard.v); 0: not protected
    parameter WEIGHT_CHECK_W = 0,      // check bits of a word of weights
    parameter PARAM_CHECKS = 0,        // check bits of a block of parameters; 0: not protected
    parameter PARAM_CHECK_W = 0        // check bits of a word of parameters
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire [SOURCES-1:0]            s_valid,        // events and TICKs, a stream for each source
    output wire [SOURCES-1:0]            s_ready,        // each source waits by itself
    input  wire [SOURCES-1:0]            s_tick,         // the source has no more spikes in this step
    input  wire [SOURCES*EVENT_W-1:0]    s_index,        // which of its channels spiked, source 0 in the lowest bits
    input  wire [TAG_W-1:0]              s_tag,          // of the source TAG_SOURCE, with its TICK
    output wire                          r_valid,        // updated neurons, a word after the other
    input  wire                          r_ready,
    output wire [WORD_W-1:0]             r_word,         // number of the word
    output wire [INDEX_W-1:0]            r_index,        // its first neuron
    output wire [UNIT_W-1:0]             r_final,        // place of its last neuron
    output wire                          r_last,         // it is the step's last word
    output wire [UNITS*VALUE_W-1:0]      r_values,       // spikes, or potentials where the neurons do not spike
    output wire [TAG_W-1:0]              r_tag,          // of the step that the word belongs to
    output wire                          n_en,           // the neurons may move on
    output wire [UNITS*SUM_W-1:0]        n_sums,         // to the neurons: weights of this step's events
    output wire [UNITS*STATE_WORD_W-1:0] n_states,       // what they kept of the step before
    output wire [UNITS*PARAM_W-1:0]      n_params,       // their leaks, thresholds and so on
    input  wire [UNITS*STATE_WORD_W-1:0] n_next_states,  // from the neurons, NEURON_CYCLES later
    input  wire [UNITS*VALUE_W-1:0]      n_values,       // what they put out
    input  wire [WEIGHT_SLICES-1:0]      l_write,        // slices to write, where weights are loaded
    input  wire [WEIGHT_ADDR_W-1:0]      l_addr,         // of the word that the slice belongs to
    input  wire [15:0]                   l_data
);

    wire                            row_valid;  // collector to event list: one row per event
    wire                            row_ready;
    wire                            row_close;  // no more rows in this step
    wire [ROW_W-1:0]                row;
    wire [TAG_W-1:0]                row_tag;

    wire                            op_en;          // event list to weights: rows, group after group
    wire                            op_valid;
    wire [PORTS-1:0]                op_event;       // which of the rows are events
    wire [PORTS*ROW_W-1:0]          op_row;
    wire                            op_group_last;  // the group's last operation
    wire                            op_step_last;   // the step's last operation
    wire [TAG_W-1:0]                op_tag;

    wire                            get_en;         // the same, with slots behind each group's rows, to the memories
    wire                            get_valid;
    wire [PORTS-1:0]                get_event;
    wire [PORTS*ROW_W-1:0]          get_row;
    wire                            get_group_last;
    wire                            get_step_last;
    wire [TAG_W-1:0]                get_tag;

    wire                            got_valid;  // weights: one for each lane and port
    wire [PORTS-1:0]                got_event;
    wire [PORTS*LANES*WEIGHT_W-1:0] got_weights;
    wire                            got_group_last;
    wire                            got_step_last;
    wire [TAG_W-1:0]                got_tag;

    wire                            word_valid;  // the same to the lanes, with those of slots
    wire [PORTS-1:0]                word_event;
    wire [PORTS*LANES*WEIGHT_W-1:0] word_weights;
    wire                            word_group_last;
    wire                            word_step_last;
    wire [TAG_W-1:0]                word_tag;

    wire                            sum_valid;  // lanes to update: UNITS sums at a time
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
        .en          (get_en),
        .s_valid     (get_valid),
        .s_event     (get_event),
        .s_row       (get_row),
        .s_group_last(get_group_last),
        .s_step_last (get_step_last),
        .s_tag       (get_tag),
        .m_valid     (got_valid),
        .m_event     (got_event),
        .m_weights   (got_weights),
        .m_group_last(got_group_last),
        .m_step_last (got_step_last),
        .m_tag       (got_tag),
        .l_write     (l_write),
        .l_addr      (l_addr),
        .l_data      (l_data)
    );

    generate
        if (SLOTS == 0) begin : g_rows_only
            assign op_en = get_en;
            assign get_valid = op_valid;
            assign get_event = op_event;
            assign get_row = op_row;
            assign get_group_last = op_group_last;
            assign get_step_last = op_step_last;
            assign get_tag = op_tag;
            assign word_valid = got_valid;
            assign word_event = got_event;
            assign word_weights = got_weights;
            assign word_group_last = got_group_last;
            assign word_step_last = got_step_last;
            assign word_tag = got_tag;
        end else begin : g_slots
            wire                     get_is_slot;
            wire [SLOT_NUMBER_W-1:0] get_slot;
            wire                     got_is_slot;
            wire [LANES*SLOT_W-1:0]  got_slots;
            wire [TAG_W-1:0]         got_slot_tag;
            wire                     unused_valid;  // as those of the rows
            wire                     unused_group_last;
            wire                     unused_step_last;

            scsr_slots #(
                .PORTS (PORTS),
                .ROW_W (ROW_W),
                .SLOTS (SLOTS),
                .SLOT_W(SLOT_NUMBER_W),
                .TAG_W (TAG_W)
            ) slots (
                .clk         (clk),
                .rst         (rst),
                .s_en        (op_en),
                .s_valid     (op_valid),
                .s_event     (op_event),
                .s_row       (op_row),
                .s_group_last(op_group_last),
                .s_step_last (op_step_last),
                .s_tag       (op_tag),
                .m_en        (get_en),
                .m_valid     (get_valid),
                .m_event     (get_event),
                .m_row       (get_row),
                .m_is_slot   (get_is_slot),
                .m_slot      (get_slot),
                .m_group_last(get_group_last),
                .m_step_last (get_step_last),
                .m_tag       (get_tag)
            );

            scsr_weights #(
                .ROWS       (SLOTS),
                .ROW_W      (SLOT_NUMBER_W),
                .ADDR_W     (SLOT_ADDR_W),
                .WORD_W     (LANES * SLOT_W),
                .BANKS      (SLOT_BANKS),
                .BANK_DEPTH (SLOT_BANK_DEPTH),
                .BANK_ADDR_W(SLOT_BANK_ADDR_W),
                .PREFIX     (SLOT_PREFIX),
                .TAG_W      (TAG_W),
                .CHECKS     (SLOT_CHECKS),
                .CHECK_W    (SLOT_CHECK_W)
            ) slot_weights (
                .clk         (clk),
                .rst         (rst),
                .en          (get_en),
                .s_valid     (get_valid),
                .s_event     (get_is_slot),
                .s_row       (get_slot),
                .s_group_last(get_group_last),
                .s_step_last (get_step_last),
                .s_tag       (get_tag),
                .m_valid     (unused_valid),
                .m_event     (got_is_slot),
                .m_weights   (got_slots),
                .m_group_last(unused_group_last),
                .m_step_last (unused_step_last),
                .m_tag       (got_slot_tag),
                .l_write     (1'b0),
                .l_addr      ({SLOT_ADDR_W{1'b0}}),
                .l_data      (16'd0)
            );

            scsr_lookup #(
                .LANES   (LANES),
                .PORTS   (PORTS),
                .UNITS   (UNITS),
                .PLACE_W (SLOT_PLACE_W),
                .WORD_W  (WORD_W),
                .WEIGHT_W(WEIGHT_W),
                .SLOT_W  (SLOT_W),
                .TAG_W   (TAG_W)
            ) lookup (
                .clk         (clk),
                .rst         (rst),
                .en          (get_en),
                .s_valid     (got_valid),
                .s_event     (got_event),
                .s_weights   (got_weights),
                .s_is_slot   (got_is_slot),
                .s_slots     (got_slots),
                .s_group_last(got_group_last),
                .s_step_last (got_step_last),
                .s_tag       (got_tag | got_slot_tag),  // either memory may be damaged
                .m_valid     (word_valid),
                .m_event     (word_event),
                .m_weights   (word_weights),
                .m_group_last(word_group_last),
                .m_step_last (word_step_last),
                .m_tag       (word_tag),
                .r_valid     (r_valid),
                .r_taken     (r_valid && r_ready),
                .r_word      (r_word),
                .r_last      (r_last),
                .r_spikes    (r_values[UNITS-1:0])
            );
        end
    endgenerate

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
        .s_en        (get_en),
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
        .DRAIN           (DRAIN),
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
