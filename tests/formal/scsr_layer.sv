`default_nettype none

// A whole layer against docs/semantics.md: two neurons in two groups, one input, self-recurrence, small widths, with any
// weights and parameters (models/scsr_rom.v).

module prove_scsr_layer #(
    parameter ANSWER = 18  // cycles in which a step is answered
) (
    input wire       clk,
    input wire       rst,
    input wire       s_valid,
    input wire       s_tick,
    input wire [1:0] s_tag,
    input wire       r_ready
);

    localparam STATE_W = 3;
    localparam LEAK_W = 2;
    localparam THRESHOLD_W = 2;
    localparam SELF_WEIGHT_W = 2;
    localparam WEIGHT_W = 3;
    localparam PARAM_W = LEAK_W + THRESHOLD_W + SELF_WEIGHT_W;
    localparam TOP = (1 << (STATE_W - 1)) - 1;

    wire       s_ready;
    wire       r_valid;
    wire       r_word;
    wire       r_index;
    wire       r_final;
    wire       r_last;
    wire       r_values;
    wire [1:0] r_tag;

    wire                n_en;
    wire [WEIGHT_W-1:0] n_sums;
    wire [STATE_W:0]    n_states;
    wire [PARAM_W-1:0]  n_params;
    wire [STATE_W:0]    n_next_states;
    wire                n_values;

    scsr_neuron #(
        .SUM_W(WEIGHT_W), .X_W(WEIGHT_W + 1), .STATE_W(STATE_W), .LEAK_W(LEAK_W), .CODE_W(LEAK_W),
        .THRESHOLD_W(THRESHOLD_W), .HISTORY(1), .SELF_WEIGHT_W(SELF_WEIGHT_W), .STATE_WORD_W(STATE_W + 1), .PARAM_W(PARAM_W)
    ) neuron_unit (
        .clk, .en(n_en), .sum(n_sums), .state(n_states), .param(n_params), .next_state(n_next_states), .value(n_values)
    );

    scsr_layer #(
        .GROUPS(2), .WORDS(2), .ROWS(1), .WEIGHT_W(WEIGHT_W), .SUM_W(WEIGHT_W), .STATE_WORD_W(STATE_W + 1),
        .PARAM_W(PARAM_W), .NEURON_CYCLES(4), .TAG_W(2)
    ) dut (
        .clk, .rst, .s_valid, .s_ready, .s_tick, .s_index(1'b0), .s_tag, .r_valid, .r_ready, .r_word, .r_index, .r_final,
        .r_last, .r_values, .r_tag, .n_en, .n_sums, .n_states, .n_params, .n_next_states, .n_values, .l_write(1'b0), .l_addr(1'b0), .l_data(16'd0)
    );

    (* hierconn *) wire [2*WEIGHT_W-1:0] \dut.weights.memory.g_bank[0].g_rom.rom.words ;
    (* hierconn *) wire [2*PARAM_W-1:0]  \dut.update.params.words ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    // The source keeps what it offers, and sends the channel at most once in a step.
    reg       s_offered_q = 1'b0;
    reg [2:0] s_offer_q;
    reg       event_q;
    reg       offered_q = 1'b0;
    reg [4:0] offer_q;
    wire      take = s_valid && s_ready;
    wire      tick = take && s_tick;
    wire      out = r_valid && r_ready;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_valid && !s_ready;
        s_offer_q <= {s_tick, s_tag};
        event_q <= !rst && !tick && (event_q || take);
        offered_q <= !rst && r_valid && !r_ready;
        offer_q <= {r_word, r_last, r_values, r_tag};
    end
    always @* if (s_offered_q) assume (s_valid && {s_tick, s_tag} == s_offer_q);
    always @* if (event_q) assume (!s_valid || s_tick);

    // One of the neurons, any, step by step as in docs/semantics.md.
    (* anyconst *) wire neuron;
    wire signed [WEIGHT_W-1:0] weight = \dut.weights.memory.g_bank[0].g_rom.rom.words [neuron*WEIGHT_W+:WEIGHT_W];
    wire [PARAM_W-1:0]         param = \dut.update.params.words [neuron*PARAM_W+:PARAM_W];
    wire signed [SELF_WEIGHT_W-1:0]   self_weight = param[LEAK_W+THRESHOLD_W+:SELF_WEIGHT_W];
    wire signed [7:0]          theta = param[LEAK_W+:THRESHOLD_W];
    wire signed [7:0]          d = param[LEAK_W-1:0];

    reg                first_q;
    reg signed [7:0]   v_q;
    reg                s_q;
    wire signed [7:0]  v = first_q ? 0 : v_q;
    wire signed [7:0]  x = (event_q ? weight : 0) + (s_q && !first_q ? self_weight : 0);
    wire signed [7:0]  decayed = v < 0 ? -((-v * d) >>> LEAK_W) : (v * d) >>> LEAK_W;
    wire signed [7:0]  sum = decayed + x;
    wire signed [7:0]  u = sum > TOP ? TOP : sum < -TOP - 1 ? -TOP - 1 : sum;
    wire               spike = u >= theta;
    always @(posedge clk) begin
        if (rst) first_q <= 1'b1;
        else if (tick) begin
            first_q <= s_tag[0];
            v_q <= spike ? 0 : u;
            s_q <= spike;
        end
    end

    wire [3:0] count;
    wire [3:0] ahead;
    wire       inside;
    wire [2:0] step;

    watch #(.WIDTH(3), .COUNT_W(4)) watch (
        .clk, .rst, .in(tick), .in_data({spike, s_tag}), .out(out && r_last), .count, .ahead, .inside, .word(step)
    );

    reg       word_q;
    reg [4:0] waited_q;  // cycles since a word came out, while a step is inside and nothing behind the layer waits
    always @(posedge clk) begin
        word_q <= !rst && (word_q ^ out);
        waited_q <= rst || out || count == 0 || !r_ready ? 0 : waited_q + 1'b1;
    end

    wire watched = r_valid && inside && ahead == 0;

    always @* if (running) begin
        // The offered word stays as it is until it is taken.
        r1_stable: assert (!offered_q || (r_valid && {r_word, r_last, r_values, r_tag} == offer_q));
        c1_stable: cover (offered_q && r_last && r_values);

        // Of each step that is closed the words come out once, in order; of others none.
        r2_words: assert (!r_valid || (r_word == word_q && r_last == word_q && r_index == word_q));
        c2_words: cover (out && r_last && count == 2);

        // A neuron spikes exactly when it should.
        r3_spike: assert (!(watched && r_word == neuron) || r_values == step[2]);
        c3_spike: cover (watched && r_word == neuron && r_values && theta == 2);

        // The tag is the step's.
        r4_tag: assert (!watched || r_tag == step[1:0]);
        c4_tag: cover (watched && r_tag == 2'b10);

        // A closed step is answered.
        r5_answer: assert (waited_q < ANSWER);
        c5_answer: cover (waited_q > 10);
    end

endmodule

`default_nettype wire
