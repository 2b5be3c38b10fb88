`default_nettype none

// With any decay (models/scsr_decay.v): that it is the right one is proven in scsr_decay.sv, here that it gets z and its
// code, and what becomes of its result.

module prove_scsr_leaky_sum #(
    parameter STATE_W = 16,
    parameter LEAK_W = 8,
    parameter CODE_W = 8,
    parameter X_W = 12
) (
    input wire                      clk,
    input wire                      en,
    input wire signed [STATE_W-1:0] z,
    input wire [CODE_W-1:0]         code,
    input wire signed [X_W-1:0]     x
);

    localparam WIDER_W = (X_W > STATE_W ? X_W : STATE_W) + 2;
    localparam signed [WIDER_W-1:0] TOP = (1 << (STATE_W - 1)) - 1;

    wire signed [STATE_W-1:0] y;

    scsr_leaky_sum #(.STATE_W(STATE_W), .LEAK_W(LEAK_W), .CODE_W(CODE_W), .X_W(X_W)) dut (.*);

    (* hierconn *) wire signed [STATE_W-1:0] \dut.decay.z ;
    (* hierconn *) wire [CODE_W-1:0]         \dut.decay.code ;
    (* hierconn *) wire signed [STATE_W-1:0] \dut.decay.whole ;
    (* hierconn *) wire                      \dut.decay.carry ;
    (* hierconn *) wire signed [WIDER_W-2:0] \dut.sum_q ;

    // y = sat(decay(z, d) + x): x comes one enabled cycle after z, y leaves two after x.
    reg [1:0]                 given_q = 0;
    reg signed [WIDER_W-1:0]  sum_q;
    reg signed [WIDER_W-1:0]  y_q;
    wire signed [WIDER_W-1:0] decayed = \dut.decay.whole + $signed({1'b0, \dut.decay.carry });
    always @(posedge clk) begin
        if (en) begin
            given_q <= {given_q, 1'b1};
            sum_q <= decayed + x;
            y_q <= sum_q > TOP ? TOP : sum_q < ~TOP ? ~TOP : sum_q;
        end
    end

    always @* begin
        if (given_q[0]) i_sum: assert (\dut.sum_q == sum_q);

        // The decay is that of z by its code.
        r1_decay: assert (\dut.decay.z == z && \dut.decay.code == code);
        c1_decay: cover (en && z < 0 && code > 1);

        // y = sat(decay(z, d) + x)
        if (given_q[1]) begin
            r2_sum: assert (y == y_q);
            c2_sum: cover (y == ~TOP && sum_q > TOP);
        end
    end

endmodule

`default_nettype wire
