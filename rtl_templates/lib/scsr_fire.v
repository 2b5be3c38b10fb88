`default_nettype none

// Threshold and reset: s = (u >= theta + h); v = s ? after : u          (quant/neurons/resets.py)
//
//   after = 0, u - theta, u    for RESET 0, 1, 2: the last subtracts later (scsr_neuron.v)
//
// Latency 1 enabled cycle, interval 1.

module scsr_fire #(
    parameter STATE_W = 16,      // width of u and v in bits
    parameter THRESHOLD_W = 15,  // width of the threshold in bits, less than STATE_W
    parameter ADAPTIVE = 0,      // 1: h is added to the threshold; 0: h is not looked at
    // What a spike does to the membrane: 0 sets it to zero, 1 subtracts the threshold, 2 leaves it
    parameter RESET = 0
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] u,      // membrane before the reset
    input  wire [THRESHOLD_W-1:0]    theta,  // threshold
    input  wire signed [STATE_W-1:0] h,      // what is added to it
    output wire                      spike,
    output wire signed [STATE_W-1:0] v       // membrane after the reset
);

    reg                      spike_q;
    reg signed [STATE_W-1:0] v_q;

    wire signed [STATE_W:0]   excess = {u[STATE_W-1], u} - $signed({{STATE_W + 1 - THRESHOLD_W{1'b0}}, theta});
    wire                      over;  // the neuron fires
    wire signed [STATE_W-1:0] after_spike;

    generate
        if (ADAPTIVE == 0) begin : g_fixed
            wire unused = &{1'b0, h};
            assign over = !excess[STATE_W];
        end else begin : g_adaptive
            wire signed [STATE_W+1:0] above = {excess[STATE_W], excess} - {{2{h[STATE_W-1]}}, h};  // u - theta - h
            wire unused = &{1'b0, above[STATE_W:0]};
            assign over = !above[STATE_W+1];
        end

        if (RESET == 1) begin : g_subtract
            assign after_spike = excess[STATE_W-1:0];
        end else if (RESET == 2) begin : g_late
            assign after_spike = u;
        end else begin : g_zero
            assign after_spike = {STATE_W{1'b0}};
        end
    endgenerate

    always @(posedge clk) begin
        if (en) begin
            spike_q <= over;
            v_q <= over ? after_spike : u;
        end
    end

    assign spike = spike_q;
    assign v = v_q;

endmodule

`default_nettype wire
