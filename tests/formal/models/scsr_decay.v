`default_nettype none

// Any decay: what is proven with it holds for every one.

module scsr_decay #(
    // Width of z and of the result in bits
    parameter STATE_W = 16,
    // Width of a leak d in bits
    parameter LEAK_W = 8,
    // Width of a leak's code: LEAK_W, or with SHIFT that of a number 0 .. LEAK_W
    parameter CODE_W = 8,
    // 1: the code is a shift
    parameter SHIFT = 0
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] z,
    input  wire [CODE_W-1:0]         code,
    output wire signed [STATE_W-1:0] whole,
    output wire                      carry
);

    (* anyseq *) wire signed [STATE_W-1:0] any_whole;
    (* anyseq *) wire                      any_carry;

    assign whole = any_whole;
    assign carry = any_carry;

endmodule

`default_nettype wire
