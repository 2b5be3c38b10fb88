`default_nettype none

// Read-out: adds up each class's values over a sample, then sends scores, class and status as one AXI4-Stream packet.
//
//   score[i] = clamp32(score[i] + value[i])    every step         (golden.py: run)
//   packet   = score[0], score[1], ..., {status flags, index of the largest score}
//
// Latency 4 cycles from the last neuron's value to its score, one more to the packet's last beat. Interval 1, but for
// one cycle per packet.

module scsr_readout #(
    // Number of classes
    parameter CLASSES = 1,
    // Width of a class index
    parameter INDEX_W = 1,
    // Width of a value; 1: a spike, more: a signed potential
    parameter VALUE_W = 1,
    // Width of the tag: {status flags, last step of the sample}, at least 2
    parameter TAG_W = 4
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      r_valid,
    output wire                      r_ready,
    input  wire [INDEX_W-1:0]        r_index,
    input  wire                      r_last,
    input  wire [VALUE_W-1:0]        r_value,
    input  wire [TAG_W-1:0]          r_tag,
    output wire [31:0]               m_axis_tdata,
    output wire                      m_axis_tvalid,
    input  wire                      m_axis_tready,
    output wire                      m_axis_tlast
);

    localparam SCORE_W = 32;
    localparam CLASS_FIELD_W = 16;
    localparam FLAG_FIELD_W = 16;

    // A count of spikes is never negative: its sign bit is not stored.
    localparam STORED_W = VALUE_W == 1 ? SCORE_W - 1 : SCORE_W;

    // Stage 1: the score comes out of the memory.
    reg                       valid_1_q;
    reg [INDEX_W-1:0]         index_1_q;
    reg                       last_1_q;
    reg                       first_1_q;
    reg [VALUE_W-1:0]         value_1_q;
    reg [TAG_W-1:0]           tag_1_q;

    // Stage 2: the score so far.
    reg                       valid_2_q;
    reg [INDEX_W-1:0]         index_2_q;
    reg                       last_2_q;
    reg [TAG_W-1:0]           tag_2_q;
    reg [VALUE_W-1:0]         value_2_q;
    reg signed [STORED_W-1:0] score_2_q;

    // Stage 3: the new score.
    reg                       valid_3_q;
    reg [INDEX_W-1:0]         index_3_q;
    reg                       last_3_q;
    reg [TAG_W-1:0]           tag_3_q;
    wire [STORED_W-1:0]       score_3;

    reg                       first_q;
    reg                       class_pending_q;
    reg [INDEX_W-1:0]         best_index_q;
    reg signed [STORED_W-1:0] best_score_q;
    reg [TAG_W-2:0]           flags_q;

    reg                       m_valid_q;
    reg                       m_last_q;
    reg [31:0]                m_data_q;

    wire free = !m_valid_q || m_axis_tready;
    wire send = valid_3_q && tag_3_q[0];
    wire en = !send || (free && !class_pending_q);

    wire [STORED_W-1:0] stored_1;
    wire [SCORE_W-1:0]  score;
    wire                greater;
    wire better = index_3_q == {INDEX_W{1'b0}} || greater;

    generate
        if (VALUE_W == 1) begin : g_spikes
            wire full = &score_2_q;
            reg [STORED_W-1:0] count_3_q;

            always @(posedge clk) if (en) count_3_q <= score_2_q + {{STORED_W - 1{1'b0}}, value_2_q && !full};

            assign score_3 = count_3_q;
            assign score = {1'b0, score_3};
            assign greater = score_3 > $unsigned(best_score_q);
        end else begin : g_potentials
            reg signed [SCORE_W:0] sum_3_q;
            wire signed [SCORE_W:0] value_2 = {{SCORE_W + 1 - VALUE_W{value_2_q[VALUE_W-1]}}, value_2_q};
            wire overflow = sum_3_q[SCORE_W] != sum_3_q[SCORE_W-1];

            always @(posedge clk) if (en) sum_3_q <= {score_2_q[SCORE_W-1], score_2_q} + value_2;

            assign score_3 =
                overflow ? {sum_3_q[SCORE_W], {SCORE_W - 1{!sum_3_q[SCORE_W]}}} : sum_3_q[SCORE_W-1:0];
            assign score = score_3;
            assign greater = $signed(score_3) > best_score_q;
        end
    endgenerate

    assign r_ready = en;

    scsr_ram #(
        .WIDTH (STORED_W),
        .DEPTH (CLASSES),
        .ADDR_W(INDEX_W)
    ) scores (
        .clk    (clk),
        .wr_en  (en && valid_3_q),
        .wr_addr(index_3_q),
        .wr_data(score_3),
        .rd_en  (en && r_valid),
        .rd_addr(r_index),
        .rd_data(stored_1)
    );

    always @(posedge clk) begin
        if (rst) begin
            valid_1_q <= 1'b0;
            valid_2_q <= 1'b0;
            valid_3_q <= 1'b0;
            first_q <= 1'b1;
        end else if (en) begin
            valid_1_q <= r_valid;
            valid_2_q <= valid_1_q;
            valid_3_q <= valid_2_q;
            if (r_valid && r_last) first_q <= r_tag[0];
        end
    end

    always @(posedge clk) begin
        if (en) begin
            index_1_q <= r_index;
            last_1_q <= r_last;
            first_1_q <= first_q;
            value_1_q <= r_value;
            tag_1_q <= r_tag;
            index_2_q <= index_1_q;
            last_2_q <= last_1_q;
            value_2_q <= value_1_q;
            tag_2_q <= tag_1_q;
            score_2_q <= first_1_q ? {STORED_W{1'b0}} : stored_1;
            index_3_q <= index_2_q;
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
            class_pending_q <= !class_pending_q && send && last_3_q;
        end
    end

    always @(posedge clk) begin
        if (free) begin
            m_last_q <= class_pending_q;
            m_data_q <= class_pending_q
                ? {{FLAG_FIELD_W - TAG_W + 1{1'b0}}, flags_q, {CLASS_FIELD_W - INDEX_W{1'b0}}, best_index_q}
                : score;
        end
        if (en && send) begin
            flags_q <= tag_3_q[TAG_W-1:1];
            if (better) begin
                best_index_q <= index_3_q;
                best_score_q <= score_3;
            end
        end
    end

    assign m_axis_tdata = m_data_q;
    assign m_axis_tvalid = m_valid_q;
    assign m_axis_tlast = m_last_q;

endmodule

`default_nettype wire
