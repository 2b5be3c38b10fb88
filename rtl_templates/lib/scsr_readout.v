`default_nettype none

// Read-out: adds up each class's values over a sample, then sends scores, class and status as one AXI4-Stream packet.
//
//   score[i] = clamp32(score[i] + value[i])    every step         (golden.py: run)
//   packet   = score[0], score[1], ..., {status flags, index of the largest score}
//
// Latency 3 cycles from the last neuron's value to its score, one more to the packet's last beat. Interval 1, but for
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
    localparam SUM_W = SCORE_W + 1;
    localparam CLASS_FIELD_W = 16;
    localparam FLAG_FIELD_W = 16;

    // Stage 1: the score's memory is being read.
    reg                      valid_1_q;
    reg [INDEX_W-1:0]        index_1_q;
    reg                      last_1_q;
    reg                      first_1_q;
    reg [VALUE_W-1:0]        value_1_q;
    reg [TAG_W-1:0]          tag_1_q;

    // Stage 2: the sum.
    reg                      valid_2_q;
    reg [INDEX_W-1:0]        index_2_q;
    reg                      last_2_q;
    reg [TAG_W-1:0]          tag_2_q;
    reg signed [SUM_W-1:0]   sum_2_q;

    reg                      first_q;
    reg                      class_pending_q;
    reg [INDEX_W-1:0]        best_index_q;
    reg signed [SCORE_W-1:0] best_score_q;
    reg [TAG_W-2:0]          flags_q;

    reg                      m_valid_q;
    reg                      m_last_q;
    reg [31:0]               m_data_q;

    wire free = !m_valid_q || m_axis_tready;
    wire send = valid_2_q && tag_2_q[0];
    wire en = !send || (free && !class_pending_q);

    wire [SCORE_W-1:0]        stored;
    wire signed [SCORE_W-1:0] score_1 = stored & {SCORE_W{!first_1_q}};
    wire overflow = sum_2_q[SUM_W-1] != sum_2_q[SUM_W-2];
    wire signed [SCORE_W-1:0] score =
        overflow ? {sum_2_q[SUM_W-1], {SCORE_W - 1{!sum_2_q[SUM_W-1]}}} : sum_2_q[SCORE_W-1:0];
    wire signed [SUM_W-1:0] value_1;

    generate
        if (VALUE_W == 1) begin : g_spike
            assign value_1 = {{SUM_W - 1{1'b0}}, value_1_q};
        end else begin : g_potential
            assign value_1 = {{SUM_W - VALUE_W{value_1_q[VALUE_W-1]}}, value_1_q};
        end
    endgenerate

    wire better = index_2_q == {INDEX_W{1'b0}} || score > best_score_q;

    assign r_ready = en;

    scsr_ram #(
        .WIDTH (SCORE_W),
        .DEPTH (CLASSES),
        .ADDR_W(INDEX_W)
    ) scores (
        .clk    (clk),
        .wr_en  (en && valid_2_q),
        .wr_addr(index_2_q),
        .wr_data(score),
        .rd_en  (en && r_valid),
        .rd_addr(r_index),
        .rd_data(stored)
    );

    always @(posedge clk) begin
        if (rst) begin
            valid_1_q <= 1'b0;
            valid_2_q <= 1'b0;
            first_q <= 1'b1;
        end else if (en) begin
            valid_1_q <= r_valid;
            valid_2_q <= valid_1_q;
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
            tag_2_q <= tag_1_q;
            sum_2_q <= {score_1[SCORE_W-1], score_1} + value_1;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            m_valid_q <= 1'b0;
            class_pending_q <= 1'b0;
        end else if (free) begin
            m_valid_q <= send || class_pending_q;
            class_pending_q <= !class_pending_q && send && last_2_q;
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
            flags_q <= tag_2_q[TAG_W-1:1];
            if (better) begin
                best_index_q <= index_2_q;
                best_score_q <= score;
            end
        end
    end

    assign m_axis_tdata = m_data_q;
    assign m_axis_tvalid = m_valid_q;
    assign m_axis_tlast = m_last_q;

endmodule

`default_nettype wire
