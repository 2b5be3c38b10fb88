`default_nettype none

// scsr_neuron with all that is in it against docs/semantics.md, for every state, parameter and sum of small widths.

module prove_neuron_exact #(
    parameter STATE_W = 4,
    parameter LEAK_W = 3,
    parameter CODE_W = 3,
    parameter SHIFT = 0,
    parameter THRESHOLD_W = 3,
    parameter SELF_W = 2,
    parameter SUM_W = 4,
    parameter SYNAPSE = 0,
    parameter RESET = 0
) (
    input wire                      clk,
    input wire signed [SUM_W-1:0]   sum,
    input wire signed [STATE_W-1:0] v,
    input wire signed [STATE_W-1:0] c,
    input wire                      s,
    input wire [CODE_W-1:0]         leak,
    input wire [CODE_W-1:0]         synapse_leak,
    input wire [THRESHOLD_W-1:0]    threshold,
    input wire signed [SELF_W-1:0]  self_weight
);

    localparam X_W = SUM_W + 1;
    localparam STATE_WORD_W = STATE_W * (1 + SYNAPSE) + 1;
    localparam PARAM_W = CODE_W * (1 + SYNAPSE) + THRESHOLD_W + SELF_W;
    localparam LATENCY = 4 + 2 * SYNAPSE;
    localparam TOP = (1 << (STATE_W - 1)) - 1;

    wire [STATE_WORD_W-1:0] next_state;
    wire                    value;
    wire [2*STATE_W:0]      state = {c, s, v};
    wire [2*CODE_W+THRESHOLD_W+SELF_W-1:0] param = {synapse_leak, self_weight, threshold, leak};

    scsr_neuron #(
        .STATE_W(STATE_W), .LEAK_W(LEAK_W), .CODE_W(CODE_W), .SHIFT(SHIFT), .THRESHOLD_W(THRESHOLD_W), .SELF_W(SELF_W),
        .SUM_W(SUM_W), .X_W(X_W), .HISTORY(1), .SYNAPSE(SYNAPSE), .RESET(RESET), .VALUE_W(1),
        .STATE_WORD_W(STATE_WORD_W), .PARAM_W(PARAM_W)
    ) dut (
        .clk, .en(1'b1), .sum, .state(state[STATE_WORD_W-1:0]), .param(param[PARAM_W-1:0]), .next_state, .value
    );

    always @* if (SHIFT != 0) assume (leak <= LEAK_W && synapse_leak <= LEAK_W);

    function signed [15:0] decay(input signed [15:0] z, input [CODE_W-1:0] code);
        reg signed [15:0] d;
        begin
            d = SHIFT == 0 ? code : (1 << LEAK_W) - ((1 << LEAK_W) >> code);
            decay = z < 0 ? -((-z * d) >>> LEAK_W) : (z * d) >>> LEAK_W;
        end
    endfunction

    function signed [15:0] sat(input signed [15:0] sum);
        sat = sum > TOP ? TOP : sum < -TOP - 1 ? -TOP - 1 : sum;
    endfunction

    wire signed [15:0] x = sum + (s ? self_weight : 0);
    wire signed [15:0] filtered = SYNAPSE ? sat(decay(c, synapse_leak) + x) : x;
    wire signed [15:0] u = sat(decay(v, leak) + filtered);
    wire signed [15:0] theta = threshold;
    wire               spike = u >= theta;
    wire signed [15:0] after = !spike ? u : RESET ? u - theta : 0;

    localparam DUE_W = 2 * STATE_W + 1;
    reg [LATENCY*DUE_W-1:0] due_q;
    reg [LATENCY-1:0]       given_q = 0;
    always @(posedge clk) begin
        due_q <= {due_q, filtered[STATE_W-1:0], spike, after[STATE_W-1:0]};
        given_q <= {given_q, 1'b1};
    end
    wire [DUE_W-1:0] due = due_q[LATENCY*DUE_W-1-:DUE_W];

    always @* if (given_q[LATENCY-1]) begin
        // c, s, v = the step of docs/semantics.md
        r1_step: assert (next_state == due[STATE_WORD_W-1:0] && value == due[STATE_W]);
        c1_step: cover (value && due[STATE_W-1:0] == RESET);
    end

endmodule

`default_nettype wire
