`default_nettype none

// Neuron update: a word of UNITS neurons per cycle, in neuron order, step after step.
//
//   memory read -> n_* out -> UNITS neurons -> n_* in -> memory write, skid buffer -> r_*
//
// The neurons themselves stand outside, behind the n_* ports: here it does not matter what they compute, only after how
// many cycles they answer. In the first step of a sample all state reads as zero. A word holds the state and the
// parameters of UNITS neurons after each other, the first in the lowest bits; the last word of a group, and of the layer,
// may hold fewer: `r_final` is the place of a word's last neuron, values behind it are 0.
//
// Latency LATENCY enabled cycles, interval 1. A word is read again only after it has been written: a layer with no more
// words than pipeline stages waits between steps until the pipeline is empty, as one does whose neurons need all of the
// step before.

module scsr_update #(
    parameter INDEX_W = 1,           // width of a neuron's index
    parameter UNITS = 1,             // neurons per word
    parameter UNIT_W = 1,            // width of a neuron's place in its word
    parameter WORDS = 1,             // number of words
    parameter WORD_W = 1,            // width of a word's number
    parameter GROUP_WORDS = 1,       // words in a group of lanes
    parameter GROUP_WORD_W = 1,      // width of a word's number in its group
    parameter GROUP_LAST_UNITS = 1,  // neurons in a group's last word, but for the last group
    parameter LAST_UNITS = 1,        // neurons in the last word
    parameter SUM_W = 8,             // width of the sum of weights
    parameter STATE_WORD_W = 16,     // width of a neuron's state
    parameter PARAM_W = 23,          // width of a neuron's parameters
    parameter VALUE_W = 1,           // width of a value: 1 where the neurons spike
    parameter NEURON_CYCLES = 4,     // enabled cycles from a neuron's inputs to its outputs
    parameter PARAM_FILE = "",       // parameter words, in the form of $readmemh
    parameter DRAIN = 0,             // 1: a step begins when all words of the step before have left
    // Width of the tag; bit 0: last step of the sample; the highest bit, where the parameters are protected: the sample
    // is damaged (scsr_mark.v)
    parameter TAG_W = 1,
    parameter CHECKS = 0,            // check bits of a block of parameters (scsr_guard.v); 0: not protected
    parameter CHECK_W = 0            // check bits of a word of parameters
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire                          s_valid,        // sums of weights, a word after the other
    output wire                          s_ready,
    input  wire [UNITS*SUM_W-1:0]        s_sums,
    input  wire [TAG_W-1:0]              s_tag,          // of the step that the sums belong to
    output wire                          r_valid,        // updated neurons, in the same order
    input  wire                          r_ready,
    output wire [WORD_W-1:0]             r_word,         // number of the word
    output wire [INDEX_W-1:0]            r_index,        // its first neuron
    output wire [UNIT_W-1:0]             r_final,        // place of its last neuron
    output wire                          r_last,         // it is the step's last word
    output wire [UNITS*VALUE_W-1:0]      r_values,       // spikes, or potentials where the neurons do not spike
    output wire [TAG_W-1:0]              r_tag,
    output wire                          n_en,           // the neurons may move on
    output wire [UNITS*SUM_W-1:0]        n_sums,         // to the neurons, all three of one word
    output wire [UNITS*STATE_WORD_W-1:0] n_states,
    output wire [UNITS*PARAM_W-1:0]      n_params,
    input  wire [UNITS*STATE_WORD_W-1:0] n_next_states,  // from the neurons, NEURON_CYCLES later
    input  wire [UNITS*VALUE_W-1:0]      n_values
);

    localparam GUARD = CHECKS > 1 ? 2 : CHECKS;
    localparam FETCH = 2 + GUARD;  // state and parameters: memory, register, and the parameters' guard
    localparam LATENCY = FETCH + NEURON_CYCLES;

    localparam [WORD_W-1:0] ONE = 1;
    localparam [WORD_W:0] WORD_COUNT = WORDS;
    localparam [WORD_W-1:0] LAST_WORD = WORD_COUNT[WORD_W-1:0] - ONE;

    wire                     done_valid;   // a word is through the neurons
    wire [TAG_W-1:0]         delayed_tag;  // its tag, as it came
    wire [TAG_W-1:0]         done_tag;     // its tag, with what the guard has found

    // All stages wait while the skid buffer is full; to squeeze bubbles would put done_valid into every enable.
    wire en;
    wire issue = s_valid && s_ready;

    assign n_en = en;

    reg [WORD_W-1:0]  word_q;       // the word that is fetched next
    reg [WORD_W-1:0]  done_word_q;  // the word that is written back next
    reg               first_q;      // it is a sample's first step: state reads as zero
    reg [LATENCY-1:0] valid_q;      // which stages hold a word

    generate
        if (WORDS <= LATENCY || DRAIN != 0) begin : g_drain
            assign s_ready = en && !(word_q == {WORD_W{1'b0}} && |valid_q);
        end else begin : g_flow
            assign s_ready = en;
        end
    endgenerate

    assign done_valid = valid_q[LATENCY-1];

    always @(posedge clk) begin
        if (rst) begin
            word_q <= {WORD_W{1'b0}};
            done_word_q <= {WORD_W{1'b0}};
            first_q <= 1'b1;
            valid_q <= {LATENCY{1'b0}};
        end else if (en) begin
            valid_q <= {valid_q[LATENCY-2:0], issue};
            if (issue) begin
                word_q <= word_q == LAST_WORD ? {WORD_W{1'b0}} : word_q + ONE;
                if (word_q == LAST_WORD) first_q <= s_tag[0];
            end
            if (done_valid) done_word_q <= done_word_q == LAST_WORD ? {WORD_W{1'b0}} : done_word_q + ONE;
        end
    end

    scsr_delay #(
        .WIDTH (TAG_W),
        .STAGES(LATENCY)
    ) tag_delay (
        .clk(clk),
        .en (en),
        .s  (s_tag),
        .m  (delayed_tag)
    );

    // The first FETCH stages: state and parameters of the word, and its sums beside them.

    localparam STORED_W = UNITS * PARAM_W + CHECK_W;

    wire [UNITS*STATE_WORD_W-1:0] states_1;    // out of the memory, a cycle before the parameters
    wire [STORED_W-1:0]           params_2;    // with their check bits
    reg [UNITS*STATE_WORD_W-1:0]  states_2_q;  // beside the parameters
    reg                           first_1_q;

    scsr_ram #(
        .WIDTH (UNITS * STATE_WORD_W),
        .DEPTH (WORDS),
        .ADDR_W(WORD_W)
    ) states (
        .clk    (clk),
        .wr_en  (en && done_valid),
        .wr_addr(done_word_q),
        .wr_data(n_next_states),
        .rd_en  (issue),
        .rd_addr(word_q),
        .rd_data(states_1)
    );

    scsr_rom #(
        .WIDTH (STORED_W),
        .DEPTH (WORDS),
        .ADDR_W(WORD_W),
        .FILE  (PARAM_FILE)
    ) params (
        .clk (clk),
        .en  (en),
        .addr(word_q),
        .data(params_2)
    );

    scsr_delay #(
        .WIDTH (UNITS * SUM_W),
        .STAGES(FETCH)
    ) sum_delay (
        .clk(clk),
        .en (en),
        .s  (s_sums),
        .m  (n_sums)
    );

    always @(posedge clk) begin
        if (en) begin
            first_1_q <= first_q;
            states_2_q <= first_1_q ? {UNITS * STATE_WORD_W{1'b0}} : states_1;
        end
    end

    generate
        if (CHECKS == 0) begin : g_unprotected
            assign n_params = params_2;
            assign n_states = states_2_q;
            assign done_tag = delayed_tag;
        end else begin : g_protected
            wire damaged;       // the guard could not mend the word
            wire done_damaged;  // the same, beside the neurons' answer

            scsr_guard #(
                .WIDTH  (UNITS * PARAM_W),
                .CHECKS (CHECKS),
                .CHECK_W(CHECK_W)
            ) guard (
                .clk      (clk),
                .en       (en),
                .s_word   (params_2),
                .m_data   (n_params),
                .m_damaged(damaged)
            );

            scsr_delay #(
                .WIDTH (UNITS * STATE_WORD_W),
                .STAGES(GUARD)
            ) state_delay (
                .clk(clk),
                .en (en),
                .s  (states_2_q),
                .m  (n_states)
            );

            scsr_delay #(
                .WIDTH (1),
                .STAGES(NEURON_CYCLES)
            ) damage_delay (
                .clk(clk),
                .en (en),
                .s  (damaged),
                .m  (done_damaged)
            );

            scsr_mark #(
                .TAG_W(TAG_W)
            ) mark (
                .clk    (clk),
                .rst    (rst),
                .en     (en),
                .valid  (done_valid),
                .damaged(done_damaged),
                .last   (done_word_q == LAST_WORD && delayed_tag[0]),
                .s_tag  (delayed_tag),
                .m_tag  (done_tag)
            );
        end
    endgenerate

    // The skid buffer ends the path of r_ready; behind it the words are counted once more.

    wire [UNITS*VALUE_W-1:0] values;  // behind the skid buffer

    scsr_skid #(
        .WIDTH(UNITS * VALUE_W + TAG_W)
    ) skid (
        .clk    (clk),
        .rst    (rst),
        .s_valid(done_valid),
        .s_ready(en),
        .s_data ({n_values, done_tag}),
        .m_valid(r_valid),
        .m_ready(r_ready),
        .m_data ({values, r_tag})
    );

    wire             next = r_valid && r_ready;  // a word leaves
    reg [WORD_W-1:0] r_word_q;                   // the word that leaves next

    assign r_word = r_word_q;
    assign r_last = r_word_q == LAST_WORD;

    always @(posedge clk) begin
        if (rst) r_word_q <= {WORD_W{1'b0}};
        else if (next) r_word_q <= r_last ? {WORD_W{1'b0}} : r_word_q + ONE;
    end

    genvar u;
    generate
        if (UNITS == 1) begin : g_one_unit
            assign r_index = r_word_q;
            assign r_final = {UNIT_W{1'b0}};
            assign r_values = values;
        end else begin : g_units
            localparam [UNIT_W-1:0] ONE_UNIT = 1;
            localparam [UNIT_W:0] COUNT = UNITS;
            localparam [UNIT_W:0] GROUP_LAST_COUNT = GROUP_LAST_UNITS;
            localparam [UNIT_W:0] LAST_COUNT = LAST_UNITS;
            localparam [UNIT_W-1:0] FINAL = COUNT[UNIT_W-1:0] - ONE_UNIT;
            localparam [UNIT_W-1:0] GROUP_LAST_FINAL = GROUP_LAST_COUNT[UNIT_W-1:0] - ONE_UNIT;
            localparam [UNIT_W-1:0] LAST_FINAL = LAST_COUNT[UNIT_W-1:0] - ONE_UNIT;
            localparam [INDEX_W-1:0] ONE_NEURON = 1;

            reg [INDEX_W-1:0] r_index_q;  // its first neuron
            wire              group_last;  // a group's last word, where that is shorter than others

            assign r_index = r_index_q;
            assign r_final = r_last ? LAST_FINAL : group_last ? GROUP_LAST_FINAL : FINAL;

            always @(posedge clk) begin
                if (rst) r_index_q <= {INDEX_W{1'b0}};
                else if (next) begin
                    r_index_q <= r_last ? {INDEX_W{1'b0}} : r_index_q + {{INDEX_W - UNIT_W{1'b0}}, r_final} + ONE_NEURON;
                end
            end

            if (GROUP_LAST_UNITS == UNITS) begin : g_even
                assign group_last = 1'b0;
            end else begin : g_uneven
                localparam [GROUP_WORD_W-1:0] ONE_IN_GROUP = 1;
                localparam [GROUP_WORD_W:0] GROUP_WORD_COUNT = GROUP_WORDS;
                localparam [GROUP_WORD_W-1:0] GROUP_LAST = GROUP_WORD_COUNT[GROUP_WORD_W-1:0] - ONE_IN_GROUP;

                reg [GROUP_WORD_W-1:0] group_word_q;  // its number within the group

                assign group_last = group_word_q == GROUP_LAST;

                always @(posedge clk) begin
                    if (rst) group_word_q <= {GROUP_WORD_W{1'b0}};
                    else if (next) begin
                        group_word_q <= r_last || group_last ? {GROUP_WORD_W{1'b0}} : group_word_q + ONE_IN_GROUP;
                    end
                end
            end

            for (u = 0; u < UNITS; u = u + 1) begin : g_value
                wire there = r_last ? u < LAST_UNITS : u < GROUP_LAST_UNITS || !group_last;
                assign r_values[u*VALUE_W+:VALUE_W] = values[u*VALUE_W+:VALUE_W] & {VALUE_W{there}};
            end
        end
    endgenerate

endmodule

`default_nettype wire
