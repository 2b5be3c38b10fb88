`default_nettype none

// Neuron update: one neuron per cycle, in neuron order, step after step.
//
//   x = sum + (s[t-1] ? self weight : 0)
//   c = SYNAPSE ? leaky_sum(c[t-1], synapse leak, x) : x
//   u = leaky_sum(v[t-1], leak, c)
//   s, v = spiking ? fire(u, threshold) : 0, u                  (golden.py: _run_layer)
//
// In the first step of a sample all state reads as zero. The state word is {c, s, v}, the parameter word
// {synapse leak, self weight, threshold, leak}, each field there only if the feature is.
//
// Latency LATENCY enabled cycles, interval 1. A neuron is read again only after it has been written: a layer with
// fewer neurons than pipeline stages waits between steps until the pipeline is empty.

module scsr_neuron #(
    // Number of neurons
    parameter NEURONS = 1,
    // Width of a neuron's index
    parameter INDEX_W = 1,
    // Width of membrane and filtered current
    parameter STATE_W = 16,
    // Width of a leak code
    parameter LEAK_W = 8,
    // Width of a threshold, less than STATE_W; 0 where the neuron does not spike
    parameter THRESHOLD_W = 15,
    // Width of a self-weight, at least 2; 0 where there is none
    parameter SELF_W = 0,
    // Width of the sum of weights
    parameter SUM_W = 8,
    // Width of x: the sum and the self-weight
    parameter X_W = 9,
    // 1: the neuron has a synaptic filter
    parameter SYNAPSE = 0,
    // 1: a spike subtracts the threshold; 0: it sets the membrane to zero
    parameter RESET_SUBTRACT = 0,
    // Width of r_value: 1 where the neuron spikes, else STATE_W
    parameter VALUE_W = 1,
    // Width of a parameter word
    parameter PARAM_W = 23,
    // Parameter words, in the form of $readmemh
    parameter PARAM_FILE = "",
    // Width of the tag; bit 0: last step of the sample
    parameter TAG_W = 1
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      s_valid,
    output wire                      s_ready,
    input  wire signed [SUM_W-1:0]   s_sum,
    input  wire [TAG_W-1:0]          s_tag,
    output wire                      r_valid,
    input  wire                      r_ready,
    output wire [INDEX_W-1:0]        r_index,
    output wire                      r_last,
    output wire [VALUE_W-1:0]        r_value,
    output wire [TAG_W-1:0]          r_tag
);

    localparam FETCH = 3;  // state and parameters: memory, register, self-weight added
    localparam LEAKY = 4;  // scsr_leaky_sum
    localparam FIRE = THRESHOLD_W > 0 ? 1 : 0;  // scsr_fire
    localparam SELF = SELF_W > 0 ? 1 : 0;
    localparam LATENCY = FETCH + LEAKY * (1 + SYNAPSE) + FIRE;

    localparam STATE_WORD_W = STATE_W * (1 + SYNAPSE) + SELF;
    localparam C_LSB = STATE_W + SELF;
    localparam SELF_LSB = LEAK_W + THRESHOLD_W;
    localparam SYNAPSE_LSB = SELF_LSB + SELF_W;

    localparam [INDEX_W-1:0] ONE = 1;
    localparam [INDEX_W:0] NEURON_COUNT = NEURONS;
    localparam [INDEX_W-1:0] LAST_NEURON = NEURON_COUNT[INDEX_W-1:0] - ONE;

    wire en = !r_valid || r_ready;
    wire issue = s_valid && s_ready;

    reg [INDEX_W-1:0] index_q;
    reg [INDEX_W-1:0] r_index_q;
    reg               first_q;
    reg [LATENCY-1:0] valid_q;

    generate
        if (NEURONS <= LATENCY) begin : g_drain
            assign s_ready = en && !(index_q == {INDEX_W{1'b0}} && (|valid_q));
        end else begin : g_flow
            assign s_ready = en;
        end
    endgenerate

    assign r_valid = valid_q[LATENCY-1];
    assign r_index = r_index_q;
    assign r_last = r_index_q == LAST_NEURON;

    always @(posedge clk) begin
        if (rst) begin
            index_q <= {INDEX_W{1'b0}};
            r_index_q <= {INDEX_W{1'b0}};
            first_q <= 1'b1;
            valid_q <= {LATENCY{1'b0}};
        end else if (en) begin
            valid_q <= {valid_q[LATENCY-2:0], issue};
            if (issue) begin
                index_q <= index_q == LAST_NEURON ? {INDEX_W{1'b0}} : index_q + ONE;
                if (index_q == LAST_NEURON) first_q <= s_tag[0];
            end
            if (r_valid) r_index_q <= r_last ? {INDEX_W{1'b0}} : r_index_q + ONE;
        end
    end

    scsr_delay #(
        .WIDTH (TAG_W),
        .STAGES(LATENCY)
    ) tag_delay (
        .clk(clk),
        .en (en),
        .s  (s_tag),
        .m  (r_tag)
    );

    // Stages 1 and 2: state and parameters of the neuron.

    wire [STATE_WORD_W-1:0] state_next;
    wire [STATE_WORD_W-1:0] state_1;
    wire [PARAM_W-1:0]      param_2;
    reg  [STATE_WORD_W-1:0] state_2_q;
    reg                     first_1_q;

    scsr_ram #(
        .WIDTH (STATE_WORD_W),
        .DEPTH (NEURONS),
        .ADDR_W(INDEX_W)
    ) states (
        .clk    (clk),
        .wr_en  (en && r_valid),
        .wr_addr(r_index_q),
        .wr_data(state_next),
        .rd_en  (issue),
        .rd_addr(index_q),
        .rd_data(state_1)
    );

    scsr_rom #(
        .WIDTH (PARAM_W),
        .DEPTH (NEURONS),
        .ADDR_W(INDEX_W),
        .FILE  (PARAM_FILE)
    ) params (
        .clk (clk),
        .en  (en),
        .addr(index_q),
        .data(param_2)
    );

    always @(posedge clk) begin
        if (en) begin
            first_1_q <= first_q;
            state_2_q <= state_1 & {STATE_WORD_W{!first_1_q}};
        end
    end

    // Stage 3: the input current x, with the neuron's own last spike.

    wire signed [SUM_W-1:0]   sum_2;
    reg signed [X_W-1:0]      x_3_q;
    reg signed [STATE_W-1:0]  v_3_q;
    reg [LEAK_W-1:0]          leak_3_q;

    scsr_delay #(
        .WIDTH (SUM_W),
        .STAGES(2)
    ) sum_delay (
        .clk(clk),
        .en (en),
        .s  (s_sum),
        .m  (sum_2)
    );

    wire signed [X_W-1:0] sum_2_wide = {{X_W - SUM_W{sum_2[SUM_W-1]}}, sum_2};
    wire signed [X_W-1:0] self_2;

    generate
        if (SELF == 0) begin : g_no_self
            assign self_2 = {X_W{1'b0}};
        end else begin : g_self
            wire [SELF_W-1:0] weight = param_2[SELF_LSB+:SELF_W] & {SELF_W{state_2_q[STATE_W]}};
            assign self_2 = {{X_W - SELF_W + 1{weight[SELF_W-1]}}, weight[SELF_W-2:0]};
        end
    endgenerate

    always @(posedge clk) begin
        if (en) begin
            x_3_q <= sum_2_wide + self_2;
            v_3_q <= state_2_q[STATE_W-1:0];
            leak_3_q <= param_2[LEAK_W-1:0];
        end
    end

    // The filtered current c, where there is a synaptic filter, and with it what waits for c.

    localparam C_W = SYNAPSE != 0 ? STATE_W : X_W;

    wire signed [C_W-1:0]     c;
    wire signed [STATE_W-1:0] v;
    wire [LEAK_W-1:0]         leak;

    generate
        if (SYNAPSE == 0) begin : g_no_synapse
            assign c = x_3_q;
            assign v = v_3_q;
            assign leak = leak_3_q;
        end else begin : g_synapse
            reg signed [STATE_W-1:0] c_3_q;
            reg [LEAK_W-1:0]         synapse_leak_3_q;

            always @(posedge clk) begin
                if (en) begin
                    c_3_q <= state_2_q[C_LSB+:STATE_W];
                    synapse_leak_3_q <= param_2[SYNAPSE_LSB+:LEAK_W];
                end
            end

            scsr_leaky_sum #(
                .STATE_W(STATE_W),
                .LEAK_W (LEAK_W),
                .X_W    (X_W)
            ) filter (
                .clk(clk),
                .en (en),
                .z  (c_3_q),
                .d  (synapse_leak_3_q),
                .x  (x_3_q),
                .y  (c)
            );

            scsr_delay #(
                .WIDTH (STATE_W + LEAK_W),
                .STAGES(LEAKY)
            ) membrane_delay (
                .clk(clk),
                .en (en),
                .s  ({v_3_q, leak_3_q}),
                .m  ({v, leak})
            );

            scsr_delay #(
                .WIDTH (STATE_W),
                .STAGES(LEAKY + FIRE)
            ) c_delay (
                .clk(clk),
                .en (en),
                .s  (c),
                .m  (state_next[C_LSB+:STATE_W])
            );
        end
    endgenerate

    // The membrane potential u, and the spike.

    wire signed [STATE_W-1:0] u;

    scsr_leaky_sum #(
        .STATE_W(STATE_W),
        .LEAK_W (LEAK_W),
        .X_W    (C_W)
    ) membrane (
        .clk(clk),
        .en (en),
        .z  (v),
        .d  (leak),
        .x  (c),
        .y  (u)
    );

    generate
        if (FIRE == 0) begin : g_potential
            assign state_next[STATE_W-1:0] = u;
            assign r_value = u;
        end else begin : g_fire
            wire [THRESHOLD_W-1:0] threshold;
            wire                   spike;

            scsr_delay #(
                .WIDTH (THRESHOLD_W),
                .STAGES(LATENCY - FIRE - 2)
            ) threshold_delay (
                .clk(clk),
                .en (en),
                .s  (param_2[LEAK_W+:THRESHOLD_W]),
                .m  (threshold)
            );

            scsr_fire #(
                .STATE_W       (STATE_W),
                .THRESHOLD_W   (THRESHOLD_W),
                .RESET_SUBTRACT(RESET_SUBTRACT)
            ) fire (
                .clk  (clk),
                .en   (en),
                .u    (u),
                .theta(threshold),
                .spike(spike),
                .v    (state_next[STATE_W-1:0])
            );

            if (SELF != 0) begin : g_spike_state
                assign state_next[STATE_W] = spike;
            end

            assign r_value = spike;
        end
    endgenerate

endmodule

`default_nettype wire
