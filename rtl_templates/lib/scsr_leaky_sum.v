`default_nettype none

// Leaky sum: y = sat(decay(z, d) + x), the step of a membrane and of a synaptic filter.
//
//   decay  (scsr_decay.v)                                       (quant/arithmetic.py: decay)
//   sat    clamp to STATE_W signed bits                         (quant/arithmetic.py: saturate)
//
// Latency 3 enabled cycles (decay, sum, clamp), interval 1. x is taken one enabled cycle after z and its code.

module scsr_leaky_sum #(
    parameter STATE_W = 16,  // width of z and y in bits
    parameter LEAK_W = 8,    // width of a leak d in bits
    parameter CODE_W = 8,    // width of a leak's code (scsr_decay.v)
    parameter SHIFT = 0,     // 1: the code is a shift (scsr_decay.v)
    parameter X_W = 8        // width of x in bits
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] z,     // the state
    input  wire [CODE_W-1:0]         code,  // its leak
    input  wire signed [X_W-1:0]     x,     // what is added
    output wire signed [STATE_W-1:0] y      // the next state
);

    localparam WIDER_W = X_W > STATE_W ? X_W : STATE_W;
    localparam SUM_W = WIDER_W + 1;

    wire signed [STATE_W-1:0] whole;  // the decayed state, up to a carry
    wire                      carry;
    reg signed [SUM_W-1:0]    sum_q;  // one bit wider than any term: cannot overflow
    reg signed [STATE_W-1:0]  y_q;    // within the state's range

    wire signed [SUM_W-1:0] x_wide = {{SUM_W - X_W{x[X_W-1]}}, x};
    wire signed [SUM_W-1:0] decayed = {{SUM_W - STATE_W{whole[STATE_W-1]}}, whole};
    wire signed [SUM_W-1:0] carry_wide = {{SUM_W - 1{1'b0}}, carry};

    // In range: all bits from the state's sign bit upwards are alike.
    wire in_range = &sum_q[SUM_W-1:STATE_W-1] || !(|sum_q[SUM_W-1:STATE_W-1]);

    scsr_decay #(
        .STATE_W(STATE_W),
        .LEAK_W (LEAK_W),
        .CODE_W (CODE_W),
        .SHIFT  (SHIFT)
    ) decay (
        .clk  (clk),
        .en   (en),
        .z    (z),
        .code (code),
        .whole(whole),
        .carry(carry)
    );

    always @(posedge clk) begin
        if (en) begin
            sum_q <= x_wide + decayed + carry_wide;
            y_q <= in_range ? sum_q[STATE_W-1:0] : {sum_q[SUM_W-1], {STATE_W - 1{!sum_q[SUM_W-1]}}};
        end
    end

    assign y = y_q;

endmodule

`default_nettype wire
