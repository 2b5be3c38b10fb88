`default_nettype none

// Delay line: m = s, STAGES enabled cycles later.
//
// Latency STAGES, interval 1. The contents are not reset; what must be reset travels in a valid chain.

module scsr_delay #(
    parameter WIDTH = 1,  // width of the word in bits
    parameter STAGES = 1  // number of register stages, at least 1
) (
    input  wire             clk,
    input  wire             en,
    input  wire [WIDTH-1:0] s,  // now
    output wire [WIDTH-1:0] m   // STAGES enabled cycles ago
);

    reg [WIDTH*STAGES-1:0] line_q;

    generate
        if (STAGES == 1) begin : g_one
            always @(posedge clk) if (en) line_q <= s;
        end else begin : g_many
            always @(posedge clk) if (en) line_q <= {line_q[WIDTH*(STAGES-1)-1:0], s};
        end
    endgenerate

    assign m = line_q[WIDTH*STAGES-1 -: WIDTH];

endmodule

`default_nettype wire
