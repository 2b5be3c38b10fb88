`default_nettype none

// Leaky sum: y = sat(decay(z, d) + x), the step of a membrane and of a synaptic filter.
//
//   decay(z, d) = sign(z) * floor(|z| * d / 2**LEAK_W)          (golden.py: decay)
//   sat         = clamp to STATE_W signed bits                  (golden.py: saturate)
//
// Latency 4 enabled cycles (magnitude, product, sum, clamp), interval 1.

module scsr_leaky_sum #(
    // Width of z and y in bits
    parameter STATE_W = 16,
    // Width of the leak code d in bits
    parameter LEAK_W = 8,
    // Width of x in bits
    parameter X_W = 8
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [STATE_W-1:0] z,
    input  wire [LEAK_W-1:0]         d,
    input  wire signed [X_W-1:0]     x,
    output wire signed [STATE_W-1:0] y
);

    localparam WIDER_W = X_W > STATE_W ? X_W : STATE_W;
    localparam SUM_W = WIDER_W + 1;
    localparam PRODUCT_W = STATE_W + LEAK_W;

    reg [STATE_W-1:0]        magnitude_q;
    reg                      negative_q;
    reg [LEAK_W-1:0]         d_q;
    reg [STATE_W-1:0]        decayed_q;
    reg                      decayed_negative_q;
    reg signed [SUM_W-1:0]   sum_q;
    reg signed [STATE_W-1:0] y_q;

    wire signed [X_W-1:0]   x_late;
    wire signed [SUM_W-1:0] x_wide = {{SUM_W - X_W{x_late[X_W-1]}}, x_late};
    wire signed [SUM_W-1:0] decayed = {{SUM_W - STATE_W{1'b0}}, decayed_q};

    wire [PRODUCT_W-1:0] product = {{LEAK_W{1'b0}}, magnitude_q} * {{STATE_W{1'b0}}, d_q};
    wire [STATE_W-1:0]   whole;
    wire [LEAK_W-1:0]    unused_fraction;
    assign {whole, unused_fraction} = product;

    // In range: all bits from the state's sign bit upwards are alike.
    wire in_range = &sum_q[SUM_W-1:STATE_W-1] || !(|sum_q[SUM_W-1:STATE_W-1]);

    scsr_delay #(
        .WIDTH (X_W),
        .STAGES(2)
    ) x_delay (
        .clk(clk),
        .en (en),
        .s  (x),
        .m  (x_late)
    );

    always @(posedge clk) begin
        if (en) begin
            magnitude_q <= z[STATE_W-1] ? -z : z;
            negative_q <= z[STATE_W-1];
            d_q <= d;
            decayed_q <= whole;
            decayed_negative_q <= negative_q;
            sum_q <= decayed_negative_q ? x_wide - decayed : x_wide + decayed;
            y_q <= in_range ? sum_q[STATE_W-1:0] : {sum_q[SUM_W-1], {STATE_W - 1{!sum_q[SUM_W-1]}}};
        end
    end

    assign y = y_q;

endmodule

`default_nettype wire
