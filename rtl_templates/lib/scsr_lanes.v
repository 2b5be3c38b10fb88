`default_nettype none

// The lanes of a layer: LANES neurons accumulate their weights at once, then hand their sums on one by one.
//
//   sum[p] = sum over the group's events of W[p, event]          (golden.py: _feed_forward)
//
// At a group's last operation the sums move to a holding register, from which they leave in neuron order while the
// next group accumulates. Latency 1 cycle after the last operation; a group of E operations takes
// max(E, number of lanes in use) cycles, no cycle lost between groups.

module scsr_lanes #(
    // Number of lanes
    parameter LANES = 1,
    // Width of a weight; 1: the bit means +1 (set) or -1
    parameter WEIGHT_W = 2,
    // Width of a sum, at least WEIGHT_W + (WEIGHT_W == 1)
    parameter SUM_W = 2,
    // Width of a number of lanes, 0 .. LANES
    parameter LANE_W = 1,
    // Number of lanes in use in the last group of a step
    parameter LAST_LANES = 1,
    // Number of groups in a step
    parameter GROUPS = 1,
    // Width of a group's number
    parameter GROUP_W = 1,
    // Width of the tag
    parameter TAG_W = 1
) (
    input  wire                      clk,
    input  wire                      rst,
    output wire                      s_en,
    input  wire                      s_valid,
    input  wire                      s_event,
    input  wire [LANES*WEIGHT_W-1:0] s_weights,
    input  wire                      s_group_last,
    input  wire [TAG_W-1:0]          s_tag,
    output wire                      m_valid,
    input  wire                      m_ready,
    output wire signed [SUM_W-1:0]   m_sum,
    output wire [TAG_W-1:0]          m_tag
);

    localparam [LANE_W-1:0] NO_LANE = 0;
    localparam [LANE_W-1:0] ONE_LANE = 1;
    localparam [LANE_W-1:0] ALL_LANES = LANES;
    localparam [LANE_W-1:0] END_LANES = LAST_LANES;
    localparam [GROUP_W-1:0] ONE_GROUP = 1;
    localparam [GROUP_W:0] GROUP_COUNT = GROUPS;
    localparam [GROUP_W-1:0] LAST_GROUP = GROUP_COUNT[GROUP_W-1:0] - ONE_GROUP;

    reg [LANE_W-1:0]      left_q;
    reg [GROUP_W-1:0]     group_q;
    reg [TAG_W-1:0]       tag_q;
    reg [LANES*SUM_W-1:0] hold_q;

    wire pop = m_valid && m_ready;
    wire hold_free = left_q == NO_LANE || (left_q == ONE_LANE && pop);
    wire add = s_valid && s_en;
    wire load = add && s_group_last;

    assign s_en = hold_free || !(s_valid && s_group_last);
    assign m_valid = left_q != NO_LANE;
    assign m_sum = hold_q[SUM_W-1:0];
    assign m_tag = tag_q;

    always @(posedge clk) begin
        if (rst) begin
            left_q <= NO_LANE;
            group_q <= {GROUP_W{1'b0}};
        end else if (load) begin
            left_q <= group_q == LAST_GROUP ? END_LANES : ALL_LANES;
            group_q <= group_q == LAST_GROUP ? {GROUP_W{1'b0}} : group_q + ONE_GROUP;
        end else if (pop) begin
            left_q <= left_q - ONE_LANE;
        end
    end

    always @(posedge clk) if (load) tag_q <= s_tag;

    wire [LANES*SUM_W-1:0] sums;

    genvar p;
    generate
        for (p = 0; p < LANES; p = p + 1) begin : g_lane
            reg signed [SUM_W-1:0] acc_q;
            wire signed [SUM_W-1:0] weight;

            if (WEIGHT_W == 1) begin : g_binary
                assign weight = {{SUM_W - 1{!s_weights[p]}}, 1'b1};
            end else begin : g_signed
                wire [WEIGHT_W-1:0] code = s_weights[p*WEIGHT_W+:WEIGHT_W];
                assign weight = {{SUM_W - WEIGHT_W + 1{code[WEIGHT_W-1]}}, code[WEIGHT_W-2:0]};
            end

            assign sums[p*SUM_W+:SUM_W] = acc_q + (weight & {SUM_W{s_event}});

            always @(posedge clk) begin
                if (rst || load) acc_q <= {SUM_W{1'b0}};
                else if (add) acc_q <= sums[p*SUM_W+:SUM_W];
            end
        end

        if (LANES == 1) begin : g_hold
            always @(posedge clk) if (load) hold_q <= sums;
        end else begin : g_hold_shift
            always @(posedge clk) begin
                if (load) hold_q <= sums;
                else if (pop) hold_q[(LANES-1)*SUM_W-1:0] <= hold_q[LANES*SUM_W-1:SUM_W];
            end
        end
    endgenerate

endmodule

`default_nettype wire
