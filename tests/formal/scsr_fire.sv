`default_nettype none

module prove_scsr_fire #(
    parameter STATE_W = 16,
    parameter THRESHOLD_W = 15,
    parameter ADAPTIVE = 0,
    parameter RESET = 0
) (
    input wire                      clk,
    input wire                      en,
    input wire signed [STATE_W-1:0] u,
    input wire [THRESHOLD_W-1:0]    theta,
    input wire signed [STATE_W-1:0] h
);

    wire                      spike;
    wire signed [STATE_W-1:0] v;

    scsr_fire #(.STATE_W(STATE_W), .THRESHOLD_W(THRESHOLD_W), .ADAPTIVE(ADAPTIVE), .RESET(RESET)) dut (.*);

    reg                     given_q = 1'b0;
    reg signed [STATE_W:0]  u_q;
    reg signed [STATE_W:0]  theta_q;
    reg signed [STATE_W+1:0] limit_q;
    wire                    over = u_q >= limit_q;
    wire signed [STATE_W:0] after = !over ? u_q : RESET == 1 ? u_q - theta_q : RESET == 2 ? u_q : 0;
    always @(posedge clk) begin
        if (en) begin
            given_q <= 1'b1;
            u_q <= u;
            theta_q <= {1'b0, theta};
            limit_q <= $signed({1'b0, theta}) + (ADAPTIVE ? h : 0);
        end
    end

    always @* if (given_q) begin
        // s = 1 if u >= theta + h
        r1_spike: assert (spike == over);
        c1_spike: cover (u_q == limit_q && u_q != 0);

        // After a spike v = 0, u - theta, or with a late reset u; without one u.
        r2_reset: assert (v == after);
        c2_reset: cover (u_q > limit_q && theta_q > 1);
    end

endmodule

`default_nettype wire
