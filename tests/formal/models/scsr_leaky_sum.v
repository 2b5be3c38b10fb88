`default_nettype none

// Any sum: what is proven with it holds for every one.

module scsr_leaky_sum #(
    // Width of z and y in bits
    parameter STATE_W = 16,
    // Width of a leak d in bits
    parameter LEAK_W = 8,
    // Width of a leak's code (scsr_decay.v)
    parameter CODE_W = 8,
    // 1: the code is a shift (scsr_decay.v)
    parameter SHIFT = 0,
    // Width of x in bits
    parameter X_W = 8
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] z,
    input  wire [CODE_W-1:0]         code,
    input  wire signed [X_W-1:0]     x,
    output wire signed [STATE_W-1:0] y
);

    (* anyseq *) wire signed [STATE_W-1:0] any_y;

    assign y = any_y;

endmodule

`default_nettype wire
