`default_nettype none

// Read-out: makes a score of each class's values over a sample, then sends scores, class and status as one AXI4-Stream
// packet; with EVERY_STEP such a packet of the scores so far after every step.
//
//   score[i] = clamp32(score[i] + value[i]), max(score[i], value[i]), value[i]    every step, for MODE 0, 1, 2
//                                                                                 (quant/readouts.py)
//   packet   = score[0], score[1], ..., {status flags, index of the largest score}
//
// A word of UNITS classes per cycle; in a step with a packet one class per cycle, and one cycle more for the packet's
// last beat. Latency 4 cycles from a word to its first score.

module scsr_readout #(
    parameter UNITS = 1,    // classes per word
    parameter UNIT_W = 1,   // width of a class's number in its word
    parameter WORDS = 1,    // number of words
    parameter WORD_W = 1,   // width of a word's number
    parameter INDEX_W = 1,  // width of a class index
    parameter VALUE_W = 1,  // width of a value; 1: a spike, more: a signed potential
    parameter MODE = 0,     // what the values become: 0 their sum, 1 the largest, 2 the last; spikes are summed
    parameter TAG_W = 4,    // width of the tag: {status flags, last step of the sample}, 2 .. 7
    // 1: a packet after every step, of the scores so far; that of a sample's last step has the flag LAST_STEP
    parameter EVERY_STEP = 0
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     r_valid,       // values of a word of classes
    output wire                     r_ready,
    input  wire [WORD_W-1:0]        r_word,        // number of the word
    input  wire [UNIT_W-1:0]        r_final,       // place of its last class
    input  wire                     r_last,        // it is the step's last word
    input  wire [UNITS*VALUE_W-1:0] r_values,
    input  wire [TAG_W-1:0]         r_tag,         // {status flags, the sample's last step}
    output wire [31:0]              m_axis_tdata,  // packets: scores, then class and flags
    output wire                     m_axis_tvalid,
    input  wire                     m_axis_tready,
    output wire                     m_axis_tlast
);

    localparam SCORE_W = 32;
    localparam CLASS_FIELD_W = 16;
    localparam FLAG_FIELD_W = 16;
    localparam STAGES = 3;  // from a word's read to its write
    localparam [31:0] LAST_STEP = 32'd1 << 22;  // the status flag of a packet that ends its sample

    // A count of spikes is never negative: its sign bit is not stored.
    localparam STORED_W = VALUE_W == 1 ? SCORE_W - 1 : SCORE_W;

    // The score before a sample's first step.
    localparam [STORED_W-1:0] START = {MODE == 1 ? 1'b1 : 1'b0, {STORED_W - 1{1'b0}}};

    // Stage 1: the word's scores come out of the memory.
    reg                      valid_1_q;  // a word is in this stage
    reg [WORD_W-1:0]         word_1_q;
    reg [UNIT_W-1:0]         final_1_q;
    reg                      last_1_q;
    reg                      first_1_q;  // it is a sample's first step
    reg [UNITS*VALUE_W-1:0]  values_1_q;
    reg [TAG_W-1:0]          tag_1_q;

    // Stage 2: the scores so far.
    reg                      valid_2_q;
    reg [WORD_W-1:0]         word_2_q;
    reg [UNIT_W-1:0]         final_2_q;
    reg                      last_2_q;
    reg [TAG_W-1:0]          tag_2_q;
    reg [UNITS*VALUE_W-1:0]  values_2_q;
    reg [UNITS*STORED_W-1:0] scores_2_q;

    // Stage 3: the new scores; in a step with a packet they leave one by one.
    reg                      valid_3_q;
    reg [WORD_W-1:0]         word_3_q;
    reg [UNIT_W-1:0]         final_3_q;
    reg                      last_3_q;
    reg [TAG_W-1:0]          tag_3_q;
    wire [UNITS*STORED_W-1:0] scores_3;  // what is written back

    reg                       first_q;          // the next word belongs to a sample's first step
    reg                       class_pending_q;  // the packet's last beat is to follow
    reg [INDEX_W-1:0]         best_index_q;     // the class that leads
    reg signed [STORED_W-1:0] best_score_q;     // and its score
    reg [TAG_W-2:0]           flags_q;          // of the sample
    reg                       ends_q;           // the packet is of its last step

    reg                       m_valid_q;
    reg                       m_last_q;
    reg [31:0]                m_data_q;

    wire [UNITS*STORED_W-1:0]  stored_1;  // the scores that the steps before have left
    wire signed [STORED_W-1:0] score;      // the one that leaves
    wire [INDEX_W-1:0]         index;      // of its class
    wire                       word_sent;  // it is its word's last
    wire                       greater;

    wire free = !m_valid_q || m_axis_tready;            // the output register can take a beat
    wire send = valid_3_q && (EVERY_STEP != 0 || tag_3_q[0]);  // the step's scores leave
    wire beat = send && free && !class_pending_q;       // one of them leaves now
    wire en = !send || (beat && word_sent);
    wire better = index == {INDEX_W{1'b0}} || greater;  // the score that leaves leads

    // A word is read again only after it has been written. A stall can bring two steps together here: one whose scores
    // leave waits in stage 3, the next steps behind it.
    wire settled;

    generate
        if (WORDS > STAGES) begin : g_far_apart
            assign settled = 1'b1;
        end else begin : g_near
            assign settled = r_word != {WORD_W{1'b0}} || !(valid_1_q || valid_2_q || valid_3_q);
        end
    endgenerate

    wire take = r_valid && r_ready;

    assign r_ready = en && settled;

    scsr_ram #(
        .WIDTH (UNITS * STORED_W),
        .DEPTH (WORDS),
        .ADDR_W(WORD_W)
    ) scores (
        .clk    (clk),
        .wr_en  (en && valid_3_q),
        .wr_addr(word_3_q),
        .wr_data(scores_3),
        .rd_en  (take),
        .rd_addr(r_word),
        .rd_data(stored_1)
    );

    genvar u;
    genvar b;
    generate
        for (u = 0; u < UNITS; u = u + 1) begin : g_unit
            wire signed [STORED_W-1:0] score_2 = scores_2_q[u*STORED_W+:STORED_W];

            if (VALUE_W == 1) begin : g_spike
                wire full = &score_2;  // the count has reached its bound
                reg [STORED_W-1:0] count_3_q;

                always @(posedge clk) if (en) count_3_q <= score_2 + {{STORED_W - 1{1'b0}}, values_2_q[u] && !full};

                assign scores_3[u*STORED_W+:STORED_W] = count_3_q;
            end else begin : g_potential
                wire signed [VALUE_W-1:0] value_2 = values_2_q[u*VALUE_W+:VALUE_W];
                wire signed [SCORE_W:0]   value_wide = {{SCORE_W + 1 - VALUE_W{value_2[VALUE_W-1]}}, value_2};
                wire signed [SCORE_W:0]   score_wide = {score_2[SCORE_W-1], score_2};
                reg signed [SCORE_W:0]    sum_3_q;
                wire overflow = sum_3_q[SCORE_W] != sum_3_q[SCORE_W-1];  // the sum has left 32 bits

                if (MODE == 0) begin : g_sum
                    always @(posedge clk) if (en) sum_3_q <= score_wide + value_wide;
                end else begin : g_choice
                    // The scores before a sample's first step are less than any value.
                    wire keep = MODE == 1 && score_wide > value_wide;
                    always @(posedge clk) if (en) sum_3_q <= keep ? score_wide : value_wide;
                end

                assign scores_3[u*STORED_W+:STORED_W] =
                    overflow ? {sum_3_q[SCORE_W], {SCORE_W - 1{!sum_3_q[SCORE_W]}}} : sum_3_q[SCORE_W-1:0];
            end
        end

        if (VALUE_W == 1) begin : g_counts
            assign greater = $unsigned(score) > $unsigned(best_score_q);
        end else begin : g_sums
            assign greater = score > best_score_q;
        end

        if (UNITS == 1) begin : g_one_unit
            wire unused = &{1'b0, final_3_q};
            assign score = scores_3;
            assign index = word_3_q;
            assign word_sent = 1'b1;
        end else begin : g_units
            localparam [UNIT_W-1:0] ONE_UNIT = 1;
            localparam [INDEX_W-1:0] ONE_CLASS = 1;

            reg [UNIT_W-1:0]  unit_q;   // place of the class whose score leaves
            reg [INDEX_W-1:0] index_q;  // its number among all classes

            assign index = index_q;
            assign word_sent = unit_q == final_3_q;

            always @(posedge clk) begin
                if (rst) begin
                    unit_q <= {UNIT_W{1'b0}};
                    index_q <= {INDEX_W{1'b0}};
                end else if (beat) begin
                    unit_q <= word_sent ? {UNIT_W{1'b0}} : unit_q + ONE_UNIT;
                    index_q <= word_sent && last_3_q ? {INDEX_W{1'b0}} : index_q + ONE_CLASS;
                end
            end

            for (b = 0; b < STORED_W; b = b + 1) begin : g_bit
                wire [UNITS-1:0] column;  // one bit of all units
                for (u = 0; u < UNITS; u = u + 1) begin : g_column
                    assign column[u] = scores_3[u*STORED_W+b];
                end
                assign score[b] = column[unit_q];
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            valid_1_q <= 1'b0;
            valid_2_q <= 1'b0;
            valid_3_q <= 1'b0;
            first_q <= 1'b1;
        end else if (en) begin
            valid_1_q <= take;
            valid_2_q <= valid_1_q;
            valid_3_q <= valid_2_q;
            if (take && r_last) first_q <= r_tag[0];
        end
    end

    always @(posedge clk) begin
        if (en) begin
            word_1_q <= r_word;
            final_1_q <= r_final;
            last_1_q <= r_last;
            first_1_q <= first_q;
            values_1_q <= r_values;
            tag_1_q <= r_tag;
            word_2_q <= word_1_q;
            final_2_q <= final_1_q;
            last_2_q <= last_1_q;
            values_2_q <= values_1_q;
            tag_2_q <= tag_1_q;
            scores_2_q <= first_1_q ? {UNITS{START}} : stored_1;
            word_3_q <= word_2_q;
            final_3_q <= final_2_q;
            last_3_q <= last_2_q;
            tag_3_q <= tag_2_q;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            m_valid_q <= 1'b0;
            class_pending_q <= 1'b0;
        end else if (free) begin
            m_valid_q <= send || class_pending_q;
            class_pending_q <= beat && word_sent && last_3_q;
        end
    end

    always @(posedge clk) begin
        if (free) begin
            m_last_q <= class_pending_q;
            m_data_q <= class_pending_q
                ? {{FLAG_FIELD_W - TAG_W + 1{1'b0}}, flags_q, {CLASS_FIELD_W - INDEX_W{1'b0}}, best_index_q}
                    | (EVERY_STEP != 0 && ends_q ? LAST_STEP : 32'd0)
                : {{SCORE_W - STORED_W{1'b0}}, score};
        end
        if (beat) begin
            flags_q <= tag_3_q[TAG_W-1:1];
            ends_q <= tag_3_q[0];
            if (better) begin
                best_index_q <= index;
                best_score_q <= score;
            end
        end
    end

    assign m_axis_tdata = m_data_q;
    assign m_axis_tvalid = m_valid_q;
    assign m_axis_tlast = m_last_q;

endmodule

`default_nettype wire
