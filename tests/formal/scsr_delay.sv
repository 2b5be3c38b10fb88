`default_nettype none

module prove_scsr_delay #(
    parameter WIDTH = 2,
    parameter STAGES = 3
) (
    input wire             clk,
    input wire             en,
    input wire [WIDTH-1:0] s
);

    wire [WIDTH-1:0] m;

    scsr_delay #(.WIDTH(WIDTH), .STAGES(STAGES)) dut (.*);

    // The words that came in at the last enabled cycles, the oldest in the highest place.
    reg [WIDTH*STAGES-1:0] words_q;
    reg [STAGES:0]         enabled_q = 0;
    reg                    waited_q = 1'b0;
    always @(posedge clk) begin
        if (en) words_q <= {words_q, s};
        if (en) enabled_q <= {enabled_q, 1'b1};
        waited_q <= !en;
    end

    (* hierconn *) wire [WIDTH*STAGES-1:0] \dut.line_q ;
    genvar i;
    generate
        for (i = 0; i < STAGES; i = i + 1) begin : g_stage
            always @* if (enabled_q[i]) assert (\dut.line_q [i*WIDTH+:WIDTH] == words_q[i*WIDTH+:WIDTH]);
        end
    endgenerate

    always @* if (enabled_q[STAGES-1]) begin
        // What comes out came in STAGES enabled cycles ago.
        r1_delay: assert (m == words_q[WIDTH*STAGES-1-:WIDTH]);
        c1_delay: cover (waited_q && m != s && enabled_q[STAGES]);
    end

endmodule

`default_nettype wire
