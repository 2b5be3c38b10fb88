`default_nettype none

// With any leaky sums (models/scsr_leaky_sum.v): what they compute is proven in scsr_leaky_sum.sv, here that they get the
// right operands of one and the same neuron, and what becomes of their results.

module prove_scsr_neuron #(
    parameter STATE_W = 16,
    parameter CODE_W = 8,
    parameter THRESHOLD_W = 15,
    parameter SELF_WEIGHT_W = 4,
    parameter SUM_W = 10,
    parameter SYNAPSE = 0,
    parameter RESET = 0
) (
    input wire                    clk,
    input wire                    en,
    input wire signed [SUM_W-1:0] sum,
    input wire [STATE_W*(1+SYNAPSE)+(SELF_WEIGHT_W>0?1:0)-1:0] state,
    input wire [CODE_W*(1+SYNAPSE)+THRESHOLD_W+SELF_WEIGHT_W-1:0] param
);

    localparam FIRE = THRESHOLD_W > 0 ? 1 : 0;
    localparam SELF_WEIGHT = SELF_WEIGHT_W > 0 ? 1 : 0;
    localparam X_W = SUM_W + 1;
    localparam VALUE_W = FIRE ? 1 : STATE_W;
    localparam STATE_WORD_W = STATE_W * (1 + SYNAPSE) + SELF_WEIGHT;
    localparam PARAM_W = CODE_W * (1 + SYNAPSE) + THRESHOLD_W + SELF_WEIGHT_W;
    localparam C_W = SYNAPSE ? STATE_W : X_W;

    wire [STATE_WORD_W-1:0] next_state;
    wire [VALUE_W-1:0]      value;

    scsr_neuron #(
        .STATE_W(STATE_W), .CODE_W(CODE_W), .THRESHOLD_W(THRESHOLD_W), .SELF_WEIGHT_W(SELF_WEIGHT_W), .SUM_W(SUM_W), .X_W(X_W),
        .HISTORY(SELF_WEIGHT), .SYNAPSE(SYNAPSE), .RESET(RESET), .VALUE_W(VALUE_W), .STATE_WORD_W(STATE_WORD_W),
        .PARAM_W(PARAM_W)
    ) dut (.*);

    (* hierconn *) wire signed [STATE_W-1:0] \dut.membrane.z ;
    (* hierconn *) wire [CODE_W-1:0]         \dut.membrane.code ;
    (* hierconn *) wire signed [C_W-1:0]     \dut.membrane.x ;
    (* hierconn *) wire signed [STATE_W-1:0] \dut.membrane.y ;
    (* hierconn *) wire signed [STATE_W-1:0] \dut.g_synapse.filter.z ;
    (* hierconn *) wire [CODE_W-1:0]         \dut.g_synapse.filter.code ;
    (* hierconn *) wire signed [X_W-1:0]     \dut.g_synapse.filter.x ;
    (* hierconn *) wire signed [STATE_W-1:0] \dut.g_synapse.filter.y ;

    // The fields of state and parameters, {c, s, v} and {synapse leak, self-weight, threshold, leak}, and x.
    wire signed [STATE_W-1:0] v = state[STATE_W-1:0];
    wire [CODE_W-1:0]         leak = param[CODE_W-1:0];
    wire signed [X_W-1:0]     x;
    generate
        if (SELF_WEIGHT) begin : g_self_weight
            wire signed [SELF_WEIGHT_W-1:0] weight = param[CODE_W+THRESHOLD_W+:SELF_WEIGHT_W];
            assign x = state[STATE_W] ? sum + weight : sum;
        end else begin : g_no_self_weight
            assign x = sum;
        end
    endgenerate

    (* hierconn *) wire [X_W-1:0]                     \dut.x_q ;
    (* hierconn *) wire [2*(STATE_W+CODE_W)-1:0]      \dut.g_synapse.membrane_delay.line_q ;
    (* hierconn *) wire [(2+FIRE)*STATE_W-1:0]        \dut.g_synapse.c_delay.line_q ;
    (* hierconn *) wire [(3+2*SYNAPSE)*FIRE*THRESHOLD_W-1:0] \dut.g_fire.threshold_delay.line_q ;

    // Whether there was an enabled cycle, two, ..., and what it saw, the last one in the lowest bits.
    localparam TO_U = 3 + 2 * SYNAPSE;
    reg [TO_U:0]              given_q = 0;
    reg signed [X_W-1:0]      x_q;
    reg [2*STATE_W-1:0]       v_q;
    reg [2*CODE_W-1:0]        leak_q;
    reg signed [STATE_W-1:0]  u_q;
    always @(posedge clk) begin
        if (en) begin
            given_q <= {given_q, 1'b1};
            x_q <= x;
            v_q <= {v_q, v};
            leak_q <= {leak_q, leak};
            u_q <= \dut.membrane.y ;
        end
    end

    genvar i;
    generate
        if (SYNAPSE) begin : g_synapse
            reg [(2+FIRE)*STATE_W-1:0] c_q;
            always @(posedge clk) if (en) c_q <= {c_q, \dut.g_synapse.filter.y };

            for (i = 0; i < 2; i = i + 1) begin : g_waiting
                always @* if (given_q[i]) begin
                    assert (\dut.g_synapse.membrane_delay.line_q [i*(STATE_W+CODE_W)+:STATE_W+CODE_W]
                        == {v_q[i*STATE_W+:STATE_W], leak_q[i*CODE_W+:CODE_W]});
                end
            end
            for (i = 0; i < 2 + FIRE; i = i + 1) begin : g_c
                always @* if (given_q[i]) begin
                    assert (\dut.g_synapse.c_delay.line_q [i*STATE_W+:STATE_W] == c_q[i*STATE_W+:STATE_W]);
                end
            end

            always @* begin
                // c = leaky_sum(c, synapse leak, x), with x one enabled cycle behind c and leak
                r1_filter: assert (
                    \dut.g_synapse.filter.z == $signed(state[STATE_W+SELF_WEIGHT+:STATE_W])
                    && \dut.g_synapse.filter.code == param[CODE_W+THRESHOLD_W+SELF_WEIGHT_W+:CODE_W]
                    && (!given_q[0] || \dut.g_synapse.filter.x == x_q)
                );
                c1_filter: cover (given_q[0] && \dut.g_synapse.filter.x < -5);

                // u = leaky_sum(v, leak, c): v and leak two enabled cycles later, where c comes three after the filter's c
                if (given_q[1]) begin
                    r2_membrane: assert (
                        \dut.membrane.z == $signed(v_q[STATE_W+:STATE_W]) && \dut.membrane.code == leak_q[CODE_W+:CODE_W]
                        && \dut.membrane.x == \dut.g_synapse.filter.y
                    );
                    c2_membrane: cover (\dut.membrane.z < -1 && \dut.membrane.x > 1);
                end

                // The state's c leaves with its v: 2 enabled cycles after c, one more with a spike
                if (given_q[1+FIRE]) begin
                    r3_current: assert (next_state[STATE_W+SELF_WEIGHT+:STATE_W] == c_q[(1+FIRE)*STATE_W+:STATE_W]);
                    c3_current: cover (next_state[STATE_W+SELF_WEIGHT+:STATE_W] == 7);
                end
            end
        end else begin : g_no_synapse
            always @* begin
                // u = leaky_sum(v, leak, x), with x one enabled cycle behind v and leak
                r4_membrane: assert (
                    \dut.membrane.z == v && \dut.membrane.code == leak && (!given_q[0] || \dut.membrane.x == x_q)
                );
                c4_membrane: cover (given_q[0] && \dut.membrane.x < -5);
            end
        end

        if (FIRE) begin : g_fire
            reg [(TO_U+1)*THRESHOLD_W-1:0] threshold_q;
            wire signed [STATE_W:0]        theta = {1'b0, threshold_q[TO_U*THRESHOLD_W+:THRESHOLD_W]};
            wire                           over = u_q >= theta;
            always @(posedge clk) if (en) threshold_q <= {threshold_q, param[CODE_W+:THRESHOLD_W]};

            for (i = 0; i < TO_U; i = i + 1) begin : g_waiting
                always @* if (given_q[i]) begin
                    assert (\dut.g_fire.threshold_delay.line_q [i*THRESHOLD_W+:THRESHOLD_W]
                        == threshold_q[i*THRESHOLD_W+:THRESHOLD_W]);
                end
            end

            always @* if (given_q[TO_U]) begin
                // s = 1 if u >= threshold, of the same neuron: TO_U enabled cycles behind its state
                r5_fire: assert (value == over && (SELF_WEIGHT == 0 || next_state[STATE_W] == over));
                c5_fire: cover (over && u_q == theta);

                // v = u, after a spike 0 or u - threshold
                r6_reset: assert ($signed(next_state[STATE_W-1:0]) == (!over ? u_q : RESET ? u_q - theta : 0));
                c6_reset: cover (over && u_q > theta);
            end
        end else begin : g_potential
            always @* begin
                // Without a threshold the value, and the state, is u.
                r7_potential: assert (value == \dut.membrane.y && next_state[STATE_W-1:0] == value);
                c7_potential: cover ($signed(value) < -1);
            end
        end
    endgenerate

endmodule

`default_nettype wire
