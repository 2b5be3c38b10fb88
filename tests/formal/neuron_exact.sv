`default_nettype none

// scsr_neuron with all that is in it against docs/semantics.md, for every state, parameter and sum of small widths.

module prove_neuron_exact #(
    parameter STATE_W = 4,
    parameter LEAK_W = 3,
    parameter CODE_W = 3,
    parameter SHIFT = 0,
    parameter THRESHOLD_W = 3,
    parameter HISTORY = 1,
    parameter SELF_WEIGHT_W = 2,
    parameter BIAS_W = 0,
    parameter STEP_W = 0,
    parameter DELAY_W = 0,
    parameter REFRACTORY_W = 0,
    parameter INHIBITION_W = 0,
    parameter COUNT_W = 0,
    parameter SUM_W = 4,
    parameter SYNAPSE = 0,
    parameter RESET = 0
) (
    input wire                     clk,
    input wire [COUNT_W+SUM_W-1:0] sum,
    input wire [STATE_W*(1+SYNAPSE+(STEP_W>0?1:0))+HISTORY-1:0] state,
    input wire [CODE_W*(1+SYNAPSE+(STEP_W>0?1:0))+THRESHOLD_W+SELF_WEIGHT_W+BIAS_W+INHIBITION_W+STEP_W+DELAY_W+REFRACTORY_W-1:0] param
);

    localparam X_W = SUM_W + 2 + INHIBITION_W + COUNT_W;
    localparam ADAPTIVE = STEP_W > 0 ? 1 : 0;
    localparam STATE_WORD_W = STATE_W * (1 + SYNAPSE + ADAPTIVE) + HISTORY;
    localparam PARAM_W =
        CODE_W * (1 + SYNAPSE + ADAPTIVE)
        + THRESHOLD_W + SELF_WEIGHT_W + BIAS_W + INHIBITION_W + STEP_W + DELAY_W + REFRACTORY_W;
    localparam LATENCY = 4 + 2 * SYNAPSE + (INHIBITION_W > 0 ? 2 : 0);
    localparam TOP = (1 << (STATE_W - 1)) - 1;

    wire [STATE_WORD_W-1:0] next_state;
    wire                    value;

    scsr_neuron #(
        .STATE_W(STATE_W), .LEAK_W(LEAK_W), .CODE_W(CODE_W), .SHIFT(SHIFT), .THRESHOLD_W(THRESHOLD_W), .RESET(RESET),
        .HISTORY(HISTORY), .SELF_WEIGHT_W(SELF_WEIGHT_W), .BIAS_W(BIAS_W), .STEP_W(STEP_W), .DELAY_W(DELAY_W),
        .REFRACTORY_W(REFRACTORY_W), .INHIBITION_W(INHIBITION_W), .COUNT_W(COUNT_W), .SUM_W(SUM_W), .X_W(X_W), .SYNAPSE(SYNAPSE), .VALUE_W(1),
        .STATE_WORD_W(STATE_WORD_W), .PARAM_W(PARAM_W)
    ) dut (
        .clk, .en(1'b1), .sum, .state, .param, .next_state, .value
    );

    // The fields of a word one after the other, as wide as they are; a field that is not there reads 0.
    localparam SELF_WEIGHT_LSB = CODE_W + THRESHOLD_W;
    localparam BIAS_LSB = SELF_WEIGHT_LSB + SELF_WEIGHT_W;
    localparam INHIBITION_LSB = BIAS_LSB + BIAS_W;
    localparam SYNAPSE_LSB = INHIBITION_LSB + INHIBITION_W;
    localparam ADAPTATION_LSB = SYNAPSE_LSB + CODE_W * SYNAPSE;
    localparam STEP_LSB = ADAPTATION_LSB + CODE_W * ADAPTIVE;

    function signed [15:0] field(input [63:0] word, input integer lsb, input integer width, input integer is_signed);
        reg [63:0] above;
        begin
            above = word >> lsb;
            field = 0;
            if (is_signed && width > 0) field = $signed(above << (64 - width)) >>> (64 - width);
            else if (width > 0) field = above & ((64'd1 << width) - 1);
        end
    endfunction

    wire signed [15:0] v = field(state, 0, STATE_W, 1);
    wire               s = HISTORY > 0 && state[STATE_W];
    wire signed [15:0] c = field(state, STATE_W + HISTORY, STATE_W * SYNAPSE, 1);
    wire signed [15:0] h = field(state, STATE_W + HISTORY + STATE_W * SYNAPSE, STATE_W * ADAPTIVE, 1);
    wire [CODE_W-1:0]  leak = param[CODE_W-1:0];
    wire signed [15:0] theta = field(param, CODE_W, THRESHOLD_W, 0);
    wire signed [15:0] self_weight = field(param, SELF_WEIGHT_LSB, SELF_WEIGHT_W, 1);
    wire signed [15:0] bias = field(param, BIAS_LSB, BIAS_W, 1);
    wire [CODE_W-1:0]  synapse_leak = field(param, SYNAPSE_LSB, CODE_W * SYNAPSE, 0);

    wire [CODE_W-1:0]  adaptation_leak = field(param, ADAPTATION_LSB, CODE_W * ADAPTIVE, 0);
    wire signed [15:0] step = field(param, STEP_LSB, STEP_W, 0);

    wire signed [15:0] delay = field(param, STEP_LSB + STEP_W, DELAY_W, 0);
    wire [15:0]        past = field(state, STATE_W, HISTORY, 0);

    wire signed [15:0] refractory = field(param, STEP_LSB + STEP_W + DELAY_W, REFRACTORY_W, 0);

    always @* assume (delay <= HISTORY && refractory <= HISTORY);
    always @* if (SHIFT != 0) assume (leak <= LEAK_W && synapse_leak <= LEAK_W && adaptation_leak <= LEAK_W);

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

    wire signed [15:0] weights = field(sum, 0, SUM_W, 1);
    wire signed [15:0] spikes_before = field(sum, SUM_W, COUNT_W, 0);
    wire signed [15:0] inhibition = field(param, INHIBITION_LSB, INHIBITION_W, 0);
    wire               own = past[delay];
    always @* assume (INHIBITION_W == 0 || (delay < HISTORY && spikes_before >= own));

    wire signed [15:0] x = weights + (s ? self_weight : 0) + bias - inhibition * (spikes_before - $signed({1'b0, own}));
    wire signed [15:0] filtered = SYNAPSE ? sat(decay(c, synapse_leak) + x) : x;
    wire               held = (past & ((1 << refractory) - 1)) != 0;
    wire signed [15:0] u = held ? 0 : sat(decay(v, leak) + filtered - (RESET == 2 && s ? theta : 0));
    wire signed [15:0] raised = ADAPTIVE ? sat(decay(h, adaptation_leak) + (s ? step : 0)) : 0;
    wire               spike = u >= theta + raised;
    wire signed [15:0] after = !spike ? u : RESET == 1 ? u - theta : RESET == 2 ? u : 0;

    wire [16:0] spikes = {past, spike};  // the latest in the lowest bit

    // What is due LATENCY cycles later: the state word, and the value.
    wire [STATE_WORD_W-1:0] due_state =
        (ADAPTIVE ? {raised[STATE_W-1:0], {STATE_W * (1 + SYNAPSE) + HISTORY{1'b0}}} : 0)
        | (SYNAPSE ? {filtered[STATE_W-1:0], {STATE_W + HISTORY{1'b0}}} : 0)
        | ((spikes & ((1 << HISTORY) - 1)) << STATE_W) | after[STATE_W-1:0];
    localparam DUE_W = STATE_WORD_W + 1;
    reg [LATENCY*DUE_W-1:0] due_q;
    reg [LATENCY-1:0]       given_q = 0;
    always @(posedge clk) begin
        due_q <= {due_q, spikes[delay], due_state};
        given_q <= {given_q, 1'b1};
    end
    wire [DUE_W-1:0] due = due_q[LATENCY*DUE_W-1-:DUE_W];

    always @* if (given_q[LATENCY-1]) begin
        // The step of docs/semantics.md
        r1_step: assert (next_state == due[STATE_WORD_W-1:0] && value == due[STATE_WORD_W]);
        c1_step: cover (value && next_state != 0);
    end

endmodule

`default_nettype wire
