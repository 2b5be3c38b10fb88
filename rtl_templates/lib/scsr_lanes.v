`default_nettype none

// The lanes of a layer: LANES neurons accumulate their weights at once, then hand their sums on, UNITS at a time.
//
//   sum[p] = sum over the group's events of W[p, event]          (quant/projections/dense.py)
//
// At a group's last operation the sums move to a holding register, from which they leave in neuron order, UNITS sums
// to a word, while the next group accumulates. A group's last word is filled up with zeros. Latency PORTS cycles after
// the last operation; a group of n operations takes max(n, words in use) cycles, no cycle lost between groups.

module scsr_lanes #(
    parameter LANES = 1,       // number of lanes
    parameter PORTS = 1,       // events per operation, 1 or 2
    parameter UNITS = 1,       // sums per word, at most LANES
    parameter WEIGHT_W = 2,    // width of a weight; 1: the bit means +1 (set) or -1
    parameter SUM_W = 2,       // width of a sum, at least WEIGHT_W + (WEIGHT_W == 1)
    parameter WORDS = 1,       // words in a group: LANES / UNITS, rounded up
    parameter WORD_W = 1,      // width of a word's number in its group
    parameter LAST_WORDS = 1,  // number of words in the last group of a step
    parameter TAG_W = 1        // width of the tag
) (
    input  wire                            clk,
    input  wire                            rst,
    output wire                            s_en,          // the stages before may move on
    input  wire                            s_valid,       // operations with the weights of all lanes
    input  wire [PORTS-1:0]                s_event,       // ports whose weights count
    input  wire [PORTS*LANES*WEIGHT_W-1:0] s_weights,
    input  wire                            s_group_last,  // the sums are complete with this one
    input  wire                            s_step_last,   // and it is the last group
    input  wire [TAG_W-1:0]                s_tag,         // of the step
    output wire                            m_valid,       // sums, UNITS to a word, in neuron order
    input  wire                            m_ready,
    output wire [UNITS*SUM_W-1:0]          m_sums,
    output wire [TAG_W-1:0]                m_tag
);

    localparam [WORD_W:0] WORD_COUNT = WORDS;
    localparam [WORD_W:0] LAST_WORD_COUNT = LAST_WORDS;
    localparam [WORD_W-1:0] ONE = 1;
    localparam [WORD_W-1:0] FINAL = WORD_COUNT[WORD_W-1:0] - ONE;
    localparam [WORD_W-1:0] LAST_FINAL = LAST_WORD_COUNT[WORD_W-1:0] - ONE;

    // A weight as a number, and a term, what an accumulator adds: one weight or the sum of two. A sum of any weights of
    // a neuron fits into SUM_W bits, so a term does.
    localparam NUMBER_W = WEIGHT_W == 1 ? 2 : WEIGHT_W;
    localparam TERM_W = PORTS == 1 || NUMBER_W == SUM_W ? NUMBER_W : NUMBER_W + 1;

    wire                    add_valid;  // what the accumulators see: with two ports a cycle later
    wire                    add_event;
    wire                    add_group_last;
    wire                    add_step_last;
    wire [TAG_W-1:0]        add_tag;
    wire [LANES*TERM_W-1:0] terms;      // what each lane adds

    reg                     held_q;       // the holding register is full
    reg                     held_last_q;  // with the step's last group, which may be short
    reg [WORD_W-1:0]        word_q;       // the word that leaves
    reg                     final_q;  // the word is its group's last
    reg [TAG_W-1:0]         tag_q;        // of the held sums
    reg [LANES*SUM_W-1:0]   hold_q;       // sums of the group before, while the next one accumulates
    wire [LANES*SUM_W-1:0]  sums;         // of the running group, this operation included

    wire pop = m_valid && m_ready;                 // a word leaves
    wire [WORD_W-1:0] next_word = word_q + ONE;
    wire hold_free = !held_q || (pop && final_q);  // the register is free, or becomes so in this cycle
    wire add = add_valid && s_en;
    wire load = add && add_group_last;             // the group is complete and moves on

    assign s_en = hold_free || !(add_valid && add_group_last);
    assign m_valid = held_q;
    assign m_tag = tag_q;

    always @(posedge clk) begin
        if (rst) begin
            held_q <= 1'b0;
            word_q <= {WORD_W{1'b0}};
        end else begin
            if (load) held_q <= 1'b1;
            else if (pop && final_q) held_q <= 1'b0;
            if (pop) word_q <= final_q ? {WORD_W{1'b0}} : next_word;
        end
    end

    always @(posedge clk) begin
        if (load) final_q <= (add_step_last ? LAST_FINAL : FINAL) == {WORD_W{1'b0}};
        else if (pop) final_q <= next_word == (held_last_q ? LAST_FINAL : FINAL);
        if (load) begin
            held_last_q <= add_step_last;
            tag_q <= add_tag;
            hold_q <= sums;
        end
    end

    genvar p;
    genvar b;
    generate
        if (PORTS == 1) begin : g_one_event
            assign add_valid = s_valid;
            assign add_event = s_event;
            assign add_group_last = s_group_last;
            assign add_step_last = s_step_last;
            assign add_tag = s_tag;
        end else begin : g_two_events
            reg             valid_q;
            reg [TAG_W+2:0] marks_q;  // of the operation whose pairs are being added

            always @(posedge clk) begin
                if (rst) valid_q <= 1'b0;
                else if (s_en) valid_q <= s_valid;
            end

            always @(posedge clk) if (s_en) marks_q <= {s_event[0], s_group_last, s_step_last, s_tag};

            assign add_valid = valid_q;
            assign {add_event, add_group_last, add_step_last, add_tag} = marks_q;
        end

        for (p = 0; p < LANES; p = p + 1) begin : g_lane
            wire signed [PORTS*NUMBER_W-1:0] weight;
            wire signed [TERM_W-1:0] term = terms[p*TERM_W+:TERM_W];
            reg signed [SUM_W-1:0] acc_q;  // sum of the group so far

            for (b = 0; b < PORTS; b = b + 1) begin : g_port
                if (WEIGHT_W == 1) begin : g_binary
                    assign weight[b*NUMBER_W+:NUMBER_W] = {!s_weights[b*LANES+p], 1'b1};
                end else begin : g_signed
                    assign weight[b*NUMBER_W+:NUMBER_W] = s_weights[(b*LANES+p)*WEIGHT_W+:WEIGHT_W];
                end
            end

            if (PORTS == 1) begin : g_weight
                assign terms[p*TERM_W+:TERM_W] = weight;
            end else begin : g_pair
                wire [NUMBER_W-1:0] first = weight[NUMBER_W-1:0];
                wire [NUMBER_W-1:0] second = weight[NUMBER_W+:NUMBER_W] & {NUMBER_W{s_event[1]}};
                reg [TERM_W-1:0] pair_q;  // the two ports' weights, added

                always @(posedge clk) begin
                    if (s_en) begin
                        pair_q <= {{TERM_W - NUMBER_W + 1{first[NUMBER_W-1]}}, first[NUMBER_W-2:0]}
                            + {{TERM_W - NUMBER_W + 1{second[NUMBER_W-1]}}, second[NUMBER_W-2:0]};
                    end
                end

                assign terms[p*TERM_W+:TERM_W] = pair_q;
            end

            wire signed [SUM_W-1:0] addend = {{SUM_W - TERM_W + 1{term[TERM_W-1]}}, term[TERM_W-2:0]};
            assign sums[p*SUM_W+:SUM_W] = acc_q + (addend & {SUM_W{add_event}});

            always @(posedge clk) begin
                if (rst || load) acc_q <= {SUM_W{1'b0}};
                else if (add) acc_q <= sums[p*SUM_W+:SUM_W];
            end
        end

        // Word `word_q` of the holding register: for each bit of a word, a multiplexer over the words.
        if (WORDS == 1) begin : g_one_word
            assign m_sums = hold_q;
        end else begin : g_words
            for (b = 0; b < UNITS * SUM_W; b = b + 1) begin : g_bit
                wire [WORDS-1:0] column;  // one bit of all words
                for (p = 0; p < WORDS; p = p + 1) begin : g_word
                    if (p * UNITS * SUM_W + b < LANES * SUM_W) begin : g_sum
                        assign column[p] = hold_q[p*UNITS*SUM_W+b];
                    end else begin : g_fill
                        assign column[p] = 1'b0;
                    end
                end
                assign m_sums[b] = column[word_q];
            end
        end
    endgenerate

endmodule

`default_nettype wire
