`default_nettype none

// Neuron: the step of one neuron's state.
//
//   x = sum + (s[t-1] ? self-weight : 0) + bias - inhibition * (n - o[t-1])
//                                                      n: the layer's outputs of the step before, o: the neuron's own
//   c = SYNAPSE ? leaky_sum(c[t-1], synapse leak, x) : x
//   u = held ? 0 : leaky_sum(v[t-1], leak, c - late),  late = RESET == 2 && s[t-1] ? threshold : 0,
//                                                      held: a spike in the last `refractory` steps
//   h = leaky_sum(h[t-1], adaptation leak, s[t-1] ? step : 0)
//   s, v = spiking ? fire(u, threshold, h) : 0, u               (quant/neurons/lif.py)
//   value = spiking ? s[t - delay] : u
//
// The state word is {h, c, past spikes, v}, the parameter word {refractory, delay, step, adaptation leak, synapse leak,
// inhibition, bias, self-weight, threshold, leak}; a field whose part the neuron does not have takes no bits. Bit 0 of
// the past spikes is s[t-1], bit 1 is s[t-2], and so on.
//
// Latency 3 enabled cycles, 2 more with a synaptic filter, 2 more with inhibition, 1 more where it spikes. Interval 1.

module scsr_neuron #(
    parameter STATE_W = 16,       // width of a state: membrane, filtered current, adaptation
    parameter LEAK_W = 8,         // width of a leak
    parameter CODE_W = 8,         // width of a leak's code (scsr_decay.v)
    parameter SHIFT = 0,          // 1: a leak's code is a shift (scsr_decay.v)
    parameter THRESHOLD_W = 15,   // width of a threshold, less than STATE_W; 0 where the neuron does not spike
    parameter SELF_WEIGHT_W = 0,  // width of a self-weight, at least 2; 0 where there is none
    parameter BIAS_W = 0,         // width of a bias, at least 2; 0 where there is none
    parameter INHIBITION_W = 0,   // width of what a spike of another neuron takes from x; 0 where it takes nothing
    parameter COUNT_W = 0,        // width of a number of the layer's spikes, where there is inhibition, else 0
    parameter SUM_W = 8,          // width of the sum of weights
    // Width of x: sum, self-weight, bias, less inhibition, which with all COUNT_W bits must fit, and less a threshold
    // where the reset is late
    parameter X_W = 9,
    parameter SYNAPSE = 0,        // 1: the neuron has a synaptic filter
    parameter RESET = 0,          // what a spike does to the membrane (scsr_fire.v)
    parameter STEP_W = 0,         // width of a spike's step of the threshold; 0 where the threshold is fixed
    parameter DELAY_W = 0,        // width of a spike's delay, at most HISTORY steps; 0 where there is none
    parameter REFRACTORY_W = 0,   // width of the steps that a spike holds v, at most HISTORY; 0 where it does not
    // Past spikes that are kept: as many as the longest delay or refractory steps, at least one where there is a
    // self-weight, a reset that comes late or an adaptive threshold, and one more than the longest delay where there is
    // inhibition
    parameter HISTORY = 0,
    parameter VALUE_W = 1,        // width of the value: 1 where the neuron spikes, else STATE_W
    parameter STATE_WORD_W = 16,  // width of a state word
    parameter PARAM_W = 23        // width of a parameter word
) (
    input  wire                    clk,
    input  wire                    en,
    input  wire [COUNT_W+SUM_W-1:0] sum,        // {n, sum of the weights of this step's events}
    input  wire [STATE_WORD_W-1:0] state,       // what the step before left
    input  wire [PARAM_W-1:0]      param,       // constants of the neuron
    output wire [STATE_WORD_W-1:0] next_state,  // to be kept for the next step
    output wire [VALUE_W-1:0]      value        // a spike, or the potential
);

    localparam FIRE = THRESHOLD_W > 0 ? 1 : 0;
    localparam TO_U = 3 + 2 * SYNAPSE;  // cycles from the state to u

    localparam C_LSB = STATE_W + HISTORY;          // the filtered current's place in the state
    localparam H_LSB = C_LSB + STATE_W * SYNAPSE;  // the adaptation's
    localparam SELF_WEIGHT_LSB = CODE_W + THRESHOLD_W;  // from here on, places in the parameters
    localparam BIAS_LSB = SELF_WEIGHT_LSB + SELF_WEIGHT_W;
    localparam INHIBITION_LSB = BIAS_LSB + BIAS_W;
    localparam SYNAPSE_LSB = INHIBITION_LSB + INHIBITION_W;
    localparam ADAPTATION_LSB = SYNAPSE_LSB + CODE_W * SYNAPSE;
    localparam STEP_LSB = ADAPTATION_LSB + CODE_W;
    localparam DELAY_LSB = STEP_W > 0 ? STEP_LSB + STEP_W : ADAPTATION_LSB;
    localparam REFRACTORY_LSB = DELAY_LSB + DELAY_W;

    localparam LATE = RESET == 2 ? 1 : 0;

    // What the layer's other spikes take from x, and what waits for it.

    wire [SUM_W-1:0]        sum_x;
    wire [STATE_WORD_W-1:0] state_x;
    wire [PARAM_W-1:0]      param_x;
    wire [X_W-1:0]          inhibition;

    generate
        if (INHIBITION_W == 0) begin : g_no_inhibition
            assign {sum_x, state_x, param_x} = {sum, state, param};
            assign inhibition = {X_W{1'b0}};
        end else begin : g_inhibition
            localparam [COUNT_W-1:0] ONE_SPIKE = 1;
            localparam [HISTORY-1:0] ONE_STEP = 1;

            wire [COUNT_W-1:0]              spikes = sum[SUM_W+:COUNT_W];  // of the step before, the neuron's own included
            wire                            own;
            reg [COUNT_W-1:0]               others_q;
            reg [INHIBITION_W-1:0]          step_q;
            reg [COUNT_W+INHIBITION_W-1:0]  product_q;

            if (DELAY_W == 0) begin : g_own
                assign own = state[STATE_W];
            end else begin : g_own_delayed
                assign own = |(state[STATE_W+:HISTORY] & (ONE_STEP << param[DELAY_LSB+:DELAY_W]));
            end

            always @(posedge clk) begin
                if (en) begin
                    others_q <= own ? spikes - ONE_SPIKE : spikes;
                    step_q <= param[INHIBITION_LSB+:INHIBITION_W];
                    product_q <= {{INHIBITION_W{1'b0}}, others_q} * {{COUNT_W{1'b0}}, step_q};
                end
            end

            scsr_delay #(
                .WIDTH (SUM_W + STATE_WORD_W + PARAM_W),
                .STAGES(2)
            ) inhibition_delay (
                .clk(clk),
                .en (en),
                .s  ({sum[SUM_W-1:0], state, param}),
                .m  ({sum_x, state_x, param_x})
            );

            // They were needed earlier.
            wire unused = &{1'b0, state_x[STATE_W+:HISTORY], param_x[INHIBITION_LSB+:INHIBITION_W]};
            assign inhibition = {{X_W - COUNT_W - INHIBITION_W{1'b0}}, product_q};
        end
    endgenerate

    // The input current x, with the neuron's own last spike.

    wire signed [X_W-1:0] sum_wide = {{X_W - SUM_W{sum_x[SUM_W-1]}}, sum_x};  // sign extended, as all terms of x
    wire signed [X_W-1:0] self_weight;  // the self-weight, if the neuron spiked a step ago
    wire signed [X_W-1:0] bias;
    reg signed [X_W-1:0]  x_q;

    generate
        if (SELF_WEIGHT_W == 0) begin : g_no_self_weight
            assign self_weight = {X_W{1'b0}};
        end else begin : g_self_weight
            wire [SELF_WEIGHT_W-1:0] weight = param_x[SELF_WEIGHT_LSB+:SELF_WEIGHT_W] & {SELF_WEIGHT_W{state_x[STATE_W]}};
            assign self_weight = {{X_W - SELF_WEIGHT_W + 1{weight[SELF_WEIGHT_W-1]}}, weight[SELF_WEIGHT_W-2:0]};
        end

        if (BIAS_W == 0) begin : g_no_bias
            assign bias = {X_W{1'b0}};
        end else begin : g_bias
            wire [BIAS_W-1:0] current = param_x[BIAS_LSB+:BIAS_W];
            assign bias = {{X_W - BIAS_W + 1{current[BIAS_W-1]}}, current[BIAS_W-2:0]};
        end
    endgenerate

    // Without a filter the late reset is taken from x, with one from what comes out of it.
    wire signed [X_W-1:0] late_x;

    generate
        if (LATE == 0 || SYNAPSE != 0) begin : g_x
            assign late_x = {X_W{1'b0}};
        end else begin : g_late_x
            assign late_x = {{X_W - THRESHOLD_W{1'b0}}, param_x[CODE_W+:THRESHOLD_W] & {THRESHOLD_W{state_x[STATE_W]}}};
        end
    endgenerate

    always @(posedge clk) if (en) x_q <= sum_wide + self_weight + bias - late_x - inhibition;

    // The filtered current c, where there is a synaptic filter, and with it what waits for c.

    localparam C_W = SYNAPSE != 0 ? STATE_W + LATE : X_W;

    wire signed [C_W-1:0]     c;
    wire signed [STATE_W-1:0] v;
    wire [CODE_W-1:0]         leak;

    generate
        if (SYNAPSE == 0) begin : g_no_synapse
            assign c = x_q;
            assign v = state_x[STATE_W-1:0];
            assign leak = param_x[CODE_W-1:0];
        end else begin : g_synapse
            wire signed [STATE_W-1:0] filtered;  // behind the synaptic filter

            scsr_leaky_sum #(
                .STATE_W(STATE_W),
                .LEAK_W (LEAK_W),
                .CODE_W (CODE_W),
                .SHIFT  (SHIFT),
                .X_W    (X_W)
            ) filter (
                .clk (clk),
                .en  (en),
                .z   (state_x[C_LSB+:STATE_W]),
                .code(param_x[SYNAPSE_LSB+:CODE_W]),
                .x   (x_q),
                .y   (filtered)
            );

            if (LATE == 0) begin : g_c
                assign c = filtered;
            end else begin : g_late_c
                wire [THRESHOLD_W-1:0] late_3;  // the late threshold, beside the filtered current

                scsr_delay #(
                    .WIDTH (THRESHOLD_W),
                    .STAGES(3)
                ) late_delay (
                    .clk(clk),
                    .en (en),
                    .s  (param_x[CODE_W+:THRESHOLD_W] & {THRESHOLD_W{state_x[STATE_W]}}),
                    .m  (late_3)
                );

                assign c = {filtered[STATE_W-1], filtered} - {{C_W - THRESHOLD_W{1'b0}}, late_3};
            end

            scsr_delay #(
                .WIDTH (STATE_W + CODE_W),
                .STAGES(2)
            ) membrane_delay (
                .clk(clk),
                .en (en),
                .s  ({state_x[STATE_W-1:0], param_x[CODE_W-1:0]}),
                .m  ({v, leak})
            );

            scsr_delay #(
                .WIDTH (STATE_W),
                .STAGES(2 + FIRE)
            ) c_delay (
                .clk(clk),
                .en (en),
                .s  (filtered),
                .m  (next_state[C_LSB+:STATE_W])
            );
        end
    endgenerate

    // The membrane potential u, and the spike.

    wire signed [STATE_W-1:0] summed;  // before a spike of earlier holds it
    wire signed [STATE_W-1:0] u;       // before the reset

    scsr_leaky_sum #(
        .STATE_W(STATE_W),
        .LEAK_W (LEAK_W),
        .CODE_W (CODE_W),
        .SHIFT  (SHIFT),
        .X_W    (C_W)
    ) membrane (
        .clk (clk),
        .en  (en),
        .z   (v),
        .code(leak),
        .x   (c),
        .y   (summed)
    );

    generate
        if (REFRACTORY_W == 0 || HISTORY == 0) begin : g_free
            assign u = summed;
        end else begin : g_refractory
            wire [HISTORY-1:0] recent = ~({HISTORY{1'b1}} << param_x[REFRACTORY_LSB+:REFRACTORY_W]);
            wire               held;  // one of the recent steps had a spike

            scsr_delay #(
                .WIDTH (1),
                .STAGES(TO_U)
            ) held_delay (
                .clk(clk),
                .en (en),
                .s  (|(state_x[STATE_W+:HISTORY] & recent)),
                .m  (held)
            );

            assign u = summed & {STATE_W{!held}};
        end

        if (FIRE == 0) begin : g_potential
            assign next_state[STATE_W-1:0] = u;
            assign value = u;
        end else begin : g_fire
            wire [THRESHOLD_W-1:0] threshold;  // beside u
            wire                   spike;

            scsr_delay #(
                .WIDTH (THRESHOLD_W),
                .STAGES(TO_U)
            ) threshold_delay (
                .clk(clk),
                .en (en),
                .s  (param_x[CODE_W+:THRESHOLD_W]),
                .m  (threshold)
            );

            // What the spikes before have added to the threshold.
            wire signed [STATE_W-1:0] raised;

            if (STEP_W == 0) begin : g_fixed
                assign raised = {STATE_W{1'b0}};
            end else begin : g_adaptive
                wire signed [STATE_W-1:0] h;       // before it waits for u
                reg [STEP_W-1:0]          step_q;  // raises h, if the neuron spiked a step ago

                always @(posedge clk) if (en) step_q <= param_x[STEP_LSB+:STEP_W] & {STEP_W{state_x[STATE_W]}};

                scsr_leaky_sum #(
                    .STATE_W(STATE_W),
                    .LEAK_W (LEAK_W),
                    .CODE_W (CODE_W),
                    .SHIFT  (SHIFT),
                    .X_W    (STEP_W + 1)
                ) adaptation (
                    .clk (clk),
                    .en  (en),
                    .z   (state_x[H_LSB+:STATE_W]),
                    .code(param_x[ADAPTATION_LSB+:CODE_W]),
                    .x   ({1'b0, step_q}),
                    .y   (h)
                );

                if (SYNAPSE == 0) begin : g_raised
                    assign raised = h;
                end else begin : g_raised_later
                    scsr_delay #(
                        .WIDTH (STATE_W),
                        .STAGES(TO_U - 3)
                    ) raised_delay (
                        .clk(clk),
                        .en (en),
                        .s  (h),
                        .m  (raised)
                    );
                end

                scsr_delay #(
                    .WIDTH (STATE_W),
                    .STAGES(1)
                ) h_delay (
                    .clk(clk),
                    .en (en),
                    .s  (raised),
                    .m  (next_state[H_LSB+:STATE_W])
                );
            end

            scsr_fire #(
                .STATE_W    (STATE_W),
                .THRESHOLD_W(THRESHOLD_W),
                .ADAPTIVE   (STEP_W > 0 ? 1 : 0),
                .RESET      (RESET)
            ) fire (
                .clk  (clk),
                .en   (en),
                .u    (u),
                .theta(threshold),
                .h    (raised),
                .spike(spike),
                .v    (next_state[STATE_W-1:0])
            );

            // The spikes up to this step, the latest in the lowest bit, and the one that is due now.
            if (HISTORY == 1) begin : g_last
                assign next_state[STATE_W] = spike;
            end else if (HISTORY > 1) begin : g_past
                wire [HISTORY-2:0] past;  // spikes to be kept, the oldest one left out

                scsr_delay #(
                    .WIDTH (HISTORY - 1),
                    .STAGES(TO_U + 1)
                ) past_delay (
                    .clk(clk),
                    .en (en),
                    .s  (state_x[STATE_W+:HISTORY-1]),
                    .m  (past)
                );

                assign next_state[STATE_W+:HISTORY] = {past, spike};
            end

            if (DELAY_W == 0 || HISTORY == 0) begin : g_at_once_out
                assign value = spike;
            end else begin : g_delayed
                wire [DELAY_W-1:0] delay = param_x[DELAY_LSB+:DELAY_W];          // in steps
                wire [HISTORY:0]   earlier = {state_x[STATE_W+:HISTORY], 1'b0} >> delay;  // the one that is due first
                wire               at_once;  // the spike of this very step is due
                wire               due;      // the earlier spike that is due
                wire               unused = &{1'b0, earlier[HISTORY:1]};

                scsr_delay #(
                    .WIDTH (2),
                    .STAGES(TO_U + 1)
                ) due_delay (
                    .clk(clk),
                    .en (en),
                    .s  ({delay == {DELAY_W{1'b0}}, earlier[0]}),
                    .m  ({at_once, due})
                );

                assign value = at_once ? spike : due;
            end
        end
    endgenerate

endmodule

`default_nettype wire
