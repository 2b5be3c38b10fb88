`default_nettype none

// With any neurons, whose answers are free inputs here, and any parameters (models/scsr_rom.v): what a neuron computes is
// proven in scsr_neuron.sv, here that it gets the right state, parameters and sums, and where its results go.

module prove_scsr_update #(
    parameter UNITS = 1,
    parameter UNIT_W = 1,
    parameter INDEX_W = 1,
    parameter WORDS = 2,
    parameter WORD_W = 1,
    parameter GROUP_WORDS = 1,
    parameter GROUP_WORD_W = 1,
    parameter GROUP_LAST_UNITS = 1,
    parameter LAST_UNITS = 1,
    parameter STATE_WORD_W = 2,
    parameter VALUE_W = 1,
    parameter NEURON_CYCLES = 4,
    parameter DRAIN = 0
) (
    input wire             clk,
    input wire             rst,
    input wire             s_valid,
    input wire [UNITS-1:0] s_sums,
    input wire [1:0]       s_tag,
    input wire             r_ready,
    input wire [UNITS*STATE_WORD_W-1:0] n_next_states,
    input wire [UNITS*VALUE_W-1:0]      n_values
);

    localparam LATENCY = 2 + NEURON_CYCLES;
    localparam STATES_W = UNITS * STATE_WORD_W;

    wire                     s_ready;
    wire                     r_valid;
    wire [WORD_W-1:0]        r_word;
    wire [INDEX_W-1:0]       r_index;
    wire [UNIT_W-1:0]        r_final;
    wire                     r_last;
    wire [UNITS*VALUE_W-1:0] r_values;
    wire [1:0]               r_tag;
    wire                     n_en;
    wire [UNITS-1:0]         n_sums;
    wire [STATES_W-1:0]      n_states;
    wire [UNITS-1:0]         n_params;

    scsr_update #(
        .INDEX_W(INDEX_W), .UNITS(UNITS), .UNIT_W(UNIT_W), .WORDS(WORDS), .WORD_W(WORD_W), .GROUP_WORDS(GROUP_WORDS),
        .GROUP_WORD_W(GROUP_WORD_W), .GROUP_LAST_UNITS(GROUP_LAST_UNITS), .LAST_UNITS(LAST_UNITS), .SUM_W(1),
        .STATE_WORD_W(STATE_WORD_W), .PARAM_W(1), .VALUE_W(VALUE_W), .NEURON_CYCLES(NEURON_CYCLES), .TAG_W(2),
        .DRAIN(DRAIN)
    ) dut (.*);

    (* hierconn *) wire                      \dut.en ;
    (* hierconn *) wire                      \dut.done_valid ;
    (* hierconn *) wire [LATENCY-1:0]        \dut.valid_q ;
    (* hierconn *) wire [WORD_W-1:0]         \dut.word_q ;
    (* hierconn *) wire [WORD_W-1:0]         \dut.done_word_q ;
    (* hierconn *) wire [WORD_W-1:0]         \dut.r_word_q ;
    (* hierconn *) wire                      \dut.first_q ;
    (* hierconn *) wire                      \dut.first_1_q ;
    (* hierconn *) wire [STATES_W-1:0]       \dut.states_1 ;
    (* hierconn *) wire [WORDS*STATES_W-1:0] \dut.states.words ;
    (* hierconn *) wire [WORDS*UNITS-1:0]    \dut.params.words ;
    (* hierconn *) wire [UNITS-1:0]          \dut.params.word_q ;
    (* hierconn *) wire [2*UNITS-1:0]        \dut.sum_delay.line_q ;
    (* hierconn *) wire [2*LATENCY-1:0]      \dut.tag_delay.line_q ;
    (* hierconn *) wire                      \dut.skid.full_q ;
    (* hierconn *) wire [UNITS*VALUE_W+1:0]  \dut.skid.data_q ;
    (* hierconn *) wire [GROUP_WORD_W-1:0]   \dut.g_units.g_uneven.group_word_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire issue = s_valid && s_ready;
    wire done = \dut.done_valid && \dut.en ;
    wire out = r_valid && r_ready;

    reg                          s_offered_q = 1'b0;
    reg [UNITS+1:0]              s_offer_q;
    reg                          offered_q = 1'b0;
    reg [WORD_W+UNITS*VALUE_W+1:0] offer_q;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_valid && !s_ready;
        s_offer_q <= {s_sums, s_tag};
        offered_q <= !rst && r_valid && !r_ready;
        offer_q <= {r_word, r_values, r_tag};
    end
    always @* if (s_offered_q) assume (s_valid && {s_sums, s_tag} == s_offer_q);

    // What comes in: words 0 .. WORDS - 1 of a step, of which the last one's tag tells whether a sample begins behind it.
    reg [WORD_W-1:0] word_q;
    reg              first_q;
    always @(posedge clk) begin
        if (rst) begin
            word_q <= 0;
            first_q <= 1'b1;
        end else if (issue) begin
            word_q <= word_q == WORDS - 1 ? 0 : word_q + 1'b1;
            if (word_q == WORDS - 1) first_q <= s_tag[0];
        end
    end

    wire [3:0]        count;
    wire [3:0]        ahead;
    wire              inside;
    wire [WORD_W+1:0] word;

    watch #(.WIDTH(WORD_W + 2), .COUNT_W(4)) watch (
        .clk, .rst, .in(issue), .in_data({word_q, s_tag}), .out, .count, .ahead, .inside, .word
    );

    // Beside each stage: the number, the first-step flag and the sums of its word; and how many words are ahead of it.
    reg [LATENCY*WORD_W-1:0] words_q;
    reg [LATENCY-1:0]        firsts_q;
    reg [2*UNITS-1:0]        sums_q;
    always @(posedge clk) begin
        if (\dut.en ) begin
            words_q <= {words_q, word_q};
            firsts_q <= {firsts_q, first_q};
            sums_q <= {sums_q, s_sums};
        end
    end

    wire [WORD_W-1:0] word_1 = words_q[WORD_W-1:0];
    wire [WORD_W-1:0] word_2 = words_q[WORD_W+:WORD_W];

    // For any word: the state that its neurons returned last, and the values and the tag of the word that was done last.
    (* anyconst *) wire [WORD_W-1:0] some;
    always @* assume (some < WORDS);
    reg                     returned_q = 1'b0;
    reg [STATES_W-1:0]      state_q;
    reg [UNITS*VALUE_W-1:0] values_q;
    always @(posedge clk) begin
        if (done && \dut.done_word_q == some) begin
            returned_q <= 1'b1;
            state_q <= n_next_states;
        end
        if (done) values_q <= n_values;
    end

    wire [STATES_W-1:0] stored = \dut.states.words [some*STATES_W+:STATES_W];

    // Places of the words in flight, and whether the one that is watched is among them.
    wire [LATENCY-1:0] is_some;
    wire [5*LATENCY+4:0] places;  // words in flight ahead of stage i, at the skid buffer of all
    assign places[5*LATENCY+:5] = \dut.skid.full_q ;
    genvar i;
    generate
        for (i = 0; i < LATENCY; i = i + 1) begin : g_stage
            wire [4:0] place = places[5*(i+1)+:5];
            wire [WORD_W-1:0] number = words_q[i*WORD_W+:WORD_W];
            wire [WORD_W+4:0] expected = \dut.done_word_q + (place - \dut.skid.full_q );
            assign places[5*i+:5] = place + \dut.valid_q [i];
            assign is_some[i] = \dut.valid_q [i] && number == some;

            always @* if (running && \dut.valid_q [i]) begin
                assert (number == expected % WORDS);
                assert (WORDS > LATENCY || expected < WORDS);
                assert (
                    !(inside && ahead == place) || {number, \dut.tag_delay.line_q [2*i+:2]} == word
                );
            end
        end
    endgenerate

    wire [WORD_W+4:0] next_word = \dut.done_word_q + (places[4:0] - \dut.skid.full_q );
    wire [31:0]       group = r_word / GROUP_WORDS;
    wire [31:0]       group_word = r_word % GROUP_WORDS;
    wire [31:0]       length =
        r_word == WORDS - 1 ? LAST_UNITS : group_word == GROUP_WORDS - 1 ? GROUP_LAST_UNITS : UNITS;
    wire [31:0]       first_index = group * ((GROUP_WORDS - 1) * UNITS + GROUP_LAST_UNITS) + group_word * UNITS;
    reg [UNITS*VALUE_W-1:0] there;
    integer u;
    always @* for (u = 0; u < UNITS; u = u + 1) there[u*VALUE_W+:VALUE_W] = {VALUE_W{u < length}};

    generate
        if (UNITS > 1 && GROUP_LAST_UNITS != UNITS) begin : g_uneven
            always @* if (running) assert (\dut.g_units.g_uneven.group_word_q == group_word);
        end
    endgenerate

    always @* i_start: assert (running || !returned_q);

    always @* if (running) begin
        i_words: assert (word_q == \dut.word_q && word_q < WORDS && \dut.done_word_q < WORDS && r_word < WORDS);
        i_next: assert (word_q == next_word % WORDS);
        i_step: assert (WORDS > LATENCY || next_word <= WORDS);
        i_done: assert (\dut.done_word_q == (r_word + \dut.skid.full_q ) % WORDS);
        i_first: assert (first_q == \dut.first_q );
        i_first_1: assert (!\dut.valid_q [0] || firsts_q[0] == \dut.first_1_q );
        i_returned: assert (returned_q || (is_some == 0 ? first_q && word_q <= some : (is_some & ~firsts_q) == 0));
        i_stored: assert (!returned_q || stored == state_q);
        i_states_1: assert (!(is_some[0] && !firsts_q[0]) || (returned_q && \dut.states_1 == state_q));
        i_params_1: assert (!\dut.valid_q [0] || \dut.params.word_q == \dut.params.words [word_1*UNITS+:UNITS]);
        i_sums_1: assert (!\dut.valid_q [0] || \dut.sum_delay.line_q [UNITS-1:0] == sums_q[UNITS-1:0]);
        i_values: assert (!\dut.skid.full_q || \dut.skid.data_q [UNITS*VALUE_W+1:2] == values_q);
        i_tag: assert (!(\dut.skid.full_q && inside && ahead == 0) || {r_word, \dut.skid.data_q [1:0]} == word);

        // The offered word stays as it is until it is taken.
        r1_stable: assert (!offered_q || (r_valid && {r_word, r_values, r_tag} == offer_q));
        c1_stable: cover (offered_q && r_values != 0);

        // No word is lost, repeated or invented.
        r2_count: assert (count == places[4:0] && (!r_valid || count != 0));
        c2_count: cover (count == (WORDS > LATENCY ? LATENCY + 1 : WORDS));

        // Words come out in order, with number and tag.
        r3_order: assert (!(r_valid && inside && ahead == 0) || {r_word, r_tag} == word);
        c3_order: cover (out && inside && ahead == 0 && r_tag == 2'b11);

        // A word is never read while one of the same number is still to be written.
        r4_hazard: assert (!(issue && word_q == some) || is_some == 0);
        c4_hazard: cover (issue && word_q == some && !first_q);

        // Its neurons get the state that they returned in the step before, in a sample's first step zero.
        r5_state: assert (!is_some[1] || n_states== (firsts_q[1] ? 0 : state_q));
        c5_state: cover (is_some[1] && !firsts_q[1] && state_q != 0);

        // They get the sums that came with the word.
        r6_sums: assert (!\dut.valid_q [1] || n_sums== sums_q[UNITS+:UNITS]);
        c6_sums: cover (\dut.valid_q [1] && n_sums!= 0);

        // They get the parameters of the word.
        r7_params: assert (!\dut.valid_q [1] || n_params== \dut.params.words [word_2*UNITS+:UNITS]);
        c7_params: cover (\dut.valid_q [1] && word_2 == WORDS - 1);

        // Their values leave with the word, zero where it has no neuron.
        r8_values: assert (!r_valid || r_values == (there & (\dut.skid.full_q ? values_q : n_values)));
        c8_values: cover (r_valid && \dut.skid.full_q && r_values != 0);

        // The first neuron of the word, and the place of its last one.
        r9_neurons: assert (r_index == first_index && r_final == length - 1);
        c9_neurons: cover (r_valid && r_last && r_word == WORDS - 1);

        // Where neurons need all of the step before, no step begins before all words of it have left.
        r10_drain: assert (!(DRAIN && issue && word_q == 0) || places[4:0] == 0);
        c10_drain: cover (issue && word_q == 0 && returned_q && places[4:0] == 0);
    end

endmodule

`default_nettype wire
