`default_nettype none

// Threshold and reset: s = (u >= theta); v = s ? (RESET == 1 ? u - theta : 0) : u          (quant/neurons/resets.py)
//
// Latency 1 enabled cycle, interval 1.

module scsr_fire #(
    // Width of u and v in bits
    parameter STATE_W = 16,
    // Width of the threshold in bits, less than STATE_W
    parameter THRESHOLD_W = 15,
    // What a spike does to the membrane: 0 sets it to zero, 1 subtracts the threshold
    parameter RESET = 0
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] u,
    input  wire [THRESHOLD_W-1:0]    theta,
    output wire                      spike,
    output wire signed [STATE_W-1:0] v
);

    reg                      spike_q;
    reg signed [STATE_W-1:0] v_q;

    wire signed [STATE_W:0]   excess = {u[STATE_W-1], u} - $signed({{STATE_W + 1 - THRESHOLD_W{1'b0}}, theta});
    wire                      over = !excess[STATE_W];
    wire signed [STATE_W-1:0] after_spike;

    generate
        if (RESET == 1) begin : g_subtract
            assign after_spike = excess[STATE_W-1:0];
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
