`default_nettype none

module prove_scsr_decay #(
    parameter STATE_W = 5,
    parameter LEAK_W = 3,
    parameter CODE_W = 3,
    parameter SHIFT = 0
) (
    input wire                      clk,
    input wire                      en,
    input wire signed [STATE_W-1:0] z,
    input wire [CODE_W-1:0]         code
);

    localparam PRODUCT_W = STATE_W + LEAK_W;

    wire signed [STATE_W-1:0] whole;
    wire                      carry;

    scsr_decay #(.STATE_W(STATE_W), .LEAK_W(LEAK_W), .CODE_W(CODE_W), .SHIFT(SHIFT)) dut (.*);

    always @* if (SHIFT != 0) assume (code <= LEAK_W);

    // z and d of the last enabled cycle
    reg                        given_q = 1'b0;
    reg signed [STATE_W-1:0]   z_q;
    reg [CODE_W-1:0]           code_q;
    always @(posedge clk) begin
        if (en) begin
            given_q <= 1'b1;
            z_q <= z;
            code_q <= code;
        end
    end

    wire signed [STATE_W:0]     result = whole + $signed({1'b0, carry});
    wire signed [PRODUCT_W-1:0] z_wide = z_q;
    wire [PRODUCT_W-1:0]        product;  // z * d
    wire [PRODUCT_W-1:0]        size = product[PRODUCT_W-1] ? -product : product;
    wire [STATE_W:0]            floor = size >> LEAK_W;

    (* hierconn *) wire [PRODUCT_W-1:0] \dut.g_multiply.product_q ;

    generate
        if (SHIFT == 0) begin : g_multiply
            // Multiplied before it is registered, as in the module: so the solver need not know what a product is.
            wire signed [PRODUCT_W-1:0] z_now = z;
            wire signed [PRODUCT_W-1:0] d_now = {{STATE_W{1'b0}}, code};
            reg [PRODUCT_W-1:0]         product_q;
            always @(posedge clk) if (en) product_q <= z_now * d_now;

            assign product = \dut.g_multiply.product_q ;

            always @* if (given_q) begin
                // The product of z and d. All its bits are there: |z * d| < 2**(PRODUCT_W - 1).
                r1_product: assert (product == product_q);
                c1_product: cover (product[PRODUCT_W-1] && code_q > 2);
            end
        end else begin : g_shift
            // d = 2**LEAK_W - 2**(LEAK_W - code)
            assign product = (z_wide <<< LEAK_W) - ((z_wide <<< LEAK_W) >>> code_q);
        end
    endgenerate

    always @* if (given_q) begin
        // decay(z, d) = sign(z * d) * floor(|z * d| / 2**LEAK_W)
        r2_decay: assert (result == $signed(product[PRODUCT_W-1] ? -floor : floor));
        c2_decay: cover (product[PRODUCT_W-1] && size[LEAK_W-1:0] != 0 && result < -1);
    end

    // The definition in full, sign(z) * floor(|z| * d / 2**LEAK_W), where the solver can multiply.
    generate
        if (STATE_W < 8) begin : g_narrow
            wire [LEAK_W:0]             d = SHIFT == 0 ? code_q : (1 << LEAK_W) - ((1 << LEAK_W) >> code_q);
            wire [STATE_W-1:0]          magnitude = z_q < 0 ? -z_q : z_q;
            wire [PRODUCT_W:0]          scaled = magnitude * d;
            wire signed [STATE_W:0]     floored = scaled >> LEAK_W;

            always @* if (given_q) begin
                r3_definition: assert (result == (z_q < 0 ? -floored : floored));
                c3_definition: cover (z_q < 0 && scaled[LEAK_W-1:0] != 0 && result < -1);
            end
        end
    endgenerate

endmodule

`default_nettype wire
