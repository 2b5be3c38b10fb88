`default_nettype none

module prove_scsr_lookup #(
    parameter PORTS = 1,
    parameter UNITS = 1,
    parameter PLACE_W = 0,
    parameter LANES = 2,
    parameter WEIGHT_W = 2,
    parameter WORDS = 3,
    parameter WORD_W = 2,
    parameter SLOT_W = WEIGHT_W + WORD_W + PLACE_W
) (
    input wire                        clk,
    input wire                        rst,
    input wire                        en,
    input wire                        s_valid,
    input wire [PORTS-1:0]            s_event,
    input wire [PORTS*LANES*2-1:0]    s_weights,
    input wire                        s_is_slot,
    input wire [LANES*SLOT_W-1:0]     s_slots,
    input wire                        s_group_last,
    input wire                        s_step_last,
    input wire [1:0]                  s_tag,
    input wire                        r_valid,
    input wire                        r_taken,
    input wire [1:0]                  r_word,
    input wire                        r_last,
    input wire [UNITS-1:0]            r_spikes
);

    wire                            m_valid;
    wire [PORTS-1:0]                m_event;
    wire [PORTS*LANES*WEIGHT_W-1:0] m_weights;
    wire                            m_group_last;
    wire                            m_step_last;
    wire [1:0]                      m_tag;

    scsr_lookup #(
        .LANES(LANES), .PORTS(PORTS), .UNITS(UNITS), .PLACE_W(PLACE_W), .WORD_W(WORD_W), .WEIGHT_W(WEIGHT_W), .SLOT_W(SLOT_W),
        .TAG_W(2)
    ) dut (.*);

    (* hierconn *) wire [(2<<WORD_W)*UNITS-1:0] \dut.g_lane[0].spikes.words ;
    (* hierconn *) wire [(2<<WORD_W)*UNITS-1:0] \dut.g_lane[1].spikes.words ;
    (* hierconn *) wire [UNITS-1:0]             \dut.g_lane[0].word ;
    (* hierconn *) wire [UNITS-1:0]             \dut.g_lane[1].word ;
    (* hierconn *) wire                         \dut.g_lane[0].spike ;
    (* hierconn *) wire                         \dut.g_lane[1].spike ;
    (* hierconn *) wire [LANES*WEIGHT_W-1:0]    \dut.found_1 ;
    (* hierconn *) wire                         \dut.read_q ;
    (* hierconn *) wire                         \dut.write_q ;
    (* hierconn *) wire                         \dut.waits_q ;
    (* hierconn *) wire                         \dut.first_q ;
    (* hierconn *) wire                         \dut.first_1_q ;
    (* hierconn *) wire                         \dut.slot_1_q ;
    (* hierconn *) wire [PORTS-1:0]             \dut.event_1_q ;
    (* hierconn *) wire [PORTS*LANES*WEIGHT_W-1:0] \dut.weights_1_q ;
    (* hierconn *) wire [1:0]                   \dut.valid_q ;
    (* hierconn *) wire [7:0]                   \dut.marks.line_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    // Words of a step are offered in order, each until it is taken, the last one behind the step's operations;
    // operations of the next step may come before, but no slot. A slot may come before the last word has been taken.
    reg [WORD_W-1:0] word_q;     // the next one
    reg [1:0]        written_q;  // steps whose words have all been offered
    reg [1:0]        read_q;     // steps whose operations have all come
    reg              waits_q;    // the word that is offered was so before
    reg [WORD_W-1:0] held_q;     // that word, and what comes with it
    reg              held_last_q;
    reg [UNITS-1:0]  held_spikes_q;
    wire             take = s_valid && en;
    wire             offers = r_valid && !waits_q;
    always @* begin
        assume (!r_taken || r_valid);
        if (waits_q) assume (r_valid && r_word == held_q && r_last == held_last_q && r_spikes == held_spikes_q);
        else assume (r_word == word_q && r_last == (word_q == WORDS - 1));
        assume (!(offers && r_last) || written_q + 2'd1 == read_q);
        assume (!(s_valid && s_is_slot) || written_q == read_q);
        assume (!(s_valid && s_step_last) || (s_is_slot && s_group_last));  // a step's last operation is a slot
        assume (!(s_valid && s_is_slot) || s_event == 0);
    end
    always @(posedge clk) begin
        if (rst) begin
            word_q <= 0;
            written_q <= 0;
            read_q <= 0;
            waits_q <= 1'b0;
        end else begin
            if (offers) word_q <= r_last ? 0 : word_q + 1'b1;
            if (offers && r_last) written_q <= written_q + 1'b1;
            if (take && s_step_last) read_q <= read_q + 1'b1;
            waits_q <= r_valid && !r_taken;
        end
        held_q <= r_word;
        held_last_q <= r_last;
        held_spikes_q <= r_spikes;
    end

    // One lane, and one neuron, any: whether that spiked in the step under way, if its word has come, and in the one before.
    (* anyconst *) wire              lane;
    (* anyconst *) wire [WORD_W-1:0] word;
    (* anyconst *) wire              place;
    always @* assume (word < WORDS && place < UNITS);
    wire             mine = offers && r_word == word;
    reg              now_q;
    reg              before_q;
    reg              known_q;  // there was a step
    reg              first_q;  // the slots to come are a sample's first
    always @(posedge clk) begin
        if (rst) begin
            known_q <= 1'b0;
            first_q <= 1'b1;
        end else begin
            if (offers && r_last) known_q <= 1'b1;
            if (take && s_step_last) first_q <= s_tag[0];
        end
        if (mine) now_q <= r_spikes[place];
        if (offers && r_last) before_q <= mine ? r_spikes[place] : now_q;
    end

    // What came in: of a slot of that lane and neuron, what it should become.
    wire [SLOT_W-1:0]   slot = s_slots[lane*SLOT_W+:SLOT_W];
    wire                asks = s_is_slot && slot[PLACE_W+:WORD_W] == word && (UNITS == 1 || slot[0] == place);
    wire [WEIGHT_W-1:0] weight = slot[PLACE_W+WORD_W+:WEIGHT_W] & {WEIGHT_W{before_q && !first_q}};
    reg [1:0]           valid_q;
    reg [1:0]           slot_q;
    reg [1:0]           asks_q;
    reg [2*WEIGHT_W-1:0] weight_q;
    reg [2*PORTS-1:0]   event_q;
    reg [2*PORTS*LANES*WEIGHT_W-1:0] weights_q;
    reg [7:0]           marks_q;
    always @(posedge clk) begin
        if (rst) valid_q <= 0;
        else if (en) valid_q <= {valid_q[0], s_valid};
        if (en) begin
            slot_q <= {slot_q[0], s_is_slot};
            asks_q <= {asks_q[0], asks};
            weight_q <= {weight_q, weight};
            event_q <= {event_q, s_event};
            weights_q <= {weights_q, s_weights};
            marks_q <= {marks_q, s_group_last, s_step_last, s_tag};
        end
    end

    wire [(2<<WORD_W)*UNITS-1:0] words = lane ? \dut.g_lane[1].spikes.words : \dut.g_lane[0].spikes.words ;
    wire now = words[({written_q[0], word} * UNITS) + place];
    wire before = words[({!written_q[0], word} * UNITS) + place];

    always @* if (running) begin
        i_steps: assert (written_q == read_q || written_q + 2'd1 == read_q);
        i_waits: assert (\dut.waits_q == waits_q);
        i_halves: assert (\dut.write_q == (written_q[0] ^ (waits_q && held_last_q)) && \dut.read_q == !read_q[0]);
        i_first: assert (\dut.first_q == first_q && (known_q || first_q || written_q != read_q));
        i_unknown: assert (known_q || written_q == 0);
        i_word: assert (word_q < WORDS);
        i_now: assert (word_q <= word || now == now_q);
        i_before: assert (!known_q || before == before_q);
        i_valid: assert (\dut.valid_q == valid_q);
        i_marks: assert (!valid_q[0] || \dut.marks.line_q [3:0] == marks_q[3:0]);
        i_marks_2: assert (!valid_q[1] || \dut.marks.line_q [7:4] == marks_q[7:4]);
        i_stage: assert (
            !valid_q[0] || (\dut.slot_1_q == slot_q[0] && \dut.event_1_q == event_q[PORTS-1:0]
                && \dut.weights_1_q == weights_q[PORTS*LANES*WEIGHT_W-1:0])
        );
        i_found: assert (!(valid_q[0] && asks_q[0]) || \dut.found_1 [lane*WEIGHT_W+:WEIGHT_W] == weight_q[WEIGHT_W-1:0]);
        i_asks: assert (!(valid_q[0] && asks_q[0]) || slot_q[0]);
        i_events: assert (!(valid_q[0] && slot_q[0]) || event_q[PORTS-1:0] == 0);
        i_events_2: assert (!(valid_q[1] && slot_q[1]) || event_q[2*PORTS-1:PORTS] == 0);

        // Operations come out two enabled cycles later, none lost, repeated or invented, with their marks.
        r1_valid: assert (m_valid == valid_q[1] && (!m_valid || {m_group_last, m_step_last, m_tag} == marks_q[7:4]));
        c1_valid: cover (m_valid && m_step_last && m_tag == 2'b11);

        // Those that are no slots come out as they were.
        r2_through: assert (
            !(m_valid && !slot_q[1])
            || {m_event, m_weights} == {event_q[2*PORTS-1:PORTS], weights_q[2*PORTS*LANES*WEIGHT_W-1:PORTS*LANES*WEIGHT_W]}
        );
        c2_through: cover (m_valid && !slot_q[1] && m_event != 0);

        // A slot is an event of port 0.
        r3_event: assert (!(m_valid && slot_q[1]) || m_event == 1);
        c3_event: cover (m_valid && slot_q[1] && !en);

        // Its weight counts just where the neuron spiked in the step before, of the same sample.
        r4_weight: assert (
            !(m_valid && asks_q[1]) || m_weights[lane*WEIGHT_W+:WEIGHT_W] == weight_q[2*WEIGHT_W-1:WEIGHT_W]
        );
        c4_weight: cover (m_valid && asks_q[1] && m_weights[lane*WEIGHT_W+:WEIGHT_W] == 2'b10 && word == WORDS - 1);
    end

endmodule

`default_nettype wire
