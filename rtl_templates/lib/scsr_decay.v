`default_nettype none

// Decay of a state towards zero: membrane, filtered current or adaptation.
//
//   decay(z, d) = sign(z) * floor(|z| * d / 2**LEAK_W) = whole + carry          (quant/arithmetic.py: decay)
//
// Rounding towards zero is rounding down, plus one where z is negative and a fraction is lost: `carry` is that one, left
// to the adder that follows. With SHIFT, the code stands for d = 2**LEAK_W - 2**(LEAK_W - code), and no multiplier is
// needed:
//
//   decay(z, d) = z - ceil(z / 2**code)   for z >= 0
//                 z - floor(z / 2**code)  for z < 0
//
// Latency 1 enabled cycle, interval 1.

module scsr_decay #(
    parameter STATE_W = 16,  // width of z and of the result in bits
    parameter LEAK_W = 8,    // width of a leak d in bits
    parameter CODE_W = 8,    // width of a leak's code: LEAK_W, or with SHIFT that of a number 0 .. LEAK_W
    parameter SHIFT = 0      // 1: the code is a shift
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] z,      // the state
    input  wire [CODE_W-1:0]         code,   // its leak
    output wire signed [STATE_W-1:0] whole,  // the decayed state; without SHIFT rounded down
    output wire                      carry   // 1 more, where rounding toward zero needs it; 0 with SHIFT
);

    generate
        if (SHIFT == 0) begin : g_multiply
            localparam PRODUCT_W = STATE_W + LEAK_W;

            wire signed [PRODUCT_W-1:0] z_wide = {{LEAK_W{z[STATE_W-1]}}, z};
            wire signed [PRODUCT_W-1:0] d_wide = {{STATE_W{1'b0}}, code};
            reg signed [PRODUCT_W-1:0] product_q;  // z * d

            always @(posedge clk) if (en) product_q <= z_wide * d_wide;

            assign whole = product_q[PRODUCT_W-1:LEAK_W];
            assign carry = product_q[PRODUCT_W-1] && (|product_q[LEAK_W-1:0]);
        end else begin : g_shift
            wire signed [STATE_W-1:0] part = z >>> code;
            wire [STATE_W-1:0] lost = z & ~({STATE_W{1'b1}} << code);  // the bits that the shift drops
            wire round_up = !z[STATE_W-1] && (|lost);
            reg signed [STATE_W-1:0] whole_q;

            // z - part - round_up
            always @(posedge clk) if (en) whole_q <= z + ~part + {{STATE_W - 1{1'b0}}, !round_up};

            assign whole = whole_q;
            assign carry = 1'b0;
        end
    endgenerate

endmodule

`default_nettype wire
