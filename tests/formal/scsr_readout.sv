`default_nettype none

module prove_scsr_readout #(
    parameter UNITS = 1,
    parameter UNIT_W = 1,
    parameter WORDS = 2,
    parameter WORD_W = 1,
    parameter INDEX_W = 1,
    parameter LAST_UNITS = 1,  // classes in the last word
    parameter VALUE_W = 1,
    parameter MODE = 0,
    parameter EVERY_STEP = 0
) (
    input wire                     clk,
    input wire                     rst,
    input wire                     r_valid,
    input wire [UNITS*VALUE_W-1:0] r_values,
    input wire [3:0]               r_tag,
    input wire                     m_axis_tready
);

    localparam CLASSES = (WORDS - 1) * UNITS + LAST_UNITS;
    localparam STORED_W = VALUE_W == 1 ? 31 : 32;
    localparam signed [32:0] TOP = 33'sh07fffffff;
    localparam signed [32:0] BOTTOM = -33'sh080000000;

    reg [WORD_W-1:0]  word_q;  // words of a step come in order
    wire [WORD_W-1:0] r_word = word_q;
    wire              r_last = word_q == WORDS - 1;
    wire [UNIT_W-1:0] r_final = r_last ? LAST_UNITS - 1 : UNITS - 1;
    wire              r_ready;
    wire [31:0]       m_axis_tdata;
    wire              m_axis_tvalid;
    wire              m_axis_tlast;

    scsr_readout #(
        .UNITS(UNITS), .UNIT_W(UNIT_W), .WORDS(WORDS), .WORD_W(WORD_W), .INDEX_W(INDEX_W), .VALUE_W(VALUE_W),
        .MODE(MODE), .TAG_W(4), .EVERY_STEP(EVERY_STEP)
    ) dut (.*);

    (* hierconn *) wire                            \dut.valid_1_q ;
    (* hierconn *) wire                            \dut.valid_2_q ;
    (* hierconn *) wire                            \dut.valid_3_q ;
    (* hierconn *) wire [WORD_W-1:0]               \dut.word_1_q ;
    (* hierconn *) wire [WORD_W-1:0]               \dut.word_2_q ;
    (* hierconn *) wire [WORD_W-1:0]               \dut.word_3_q ;
    (* hierconn *) wire [UNIT_W-1:0]               \dut.final_1_q ;
    (* hierconn *) wire [UNIT_W-1:0]               \dut.final_2_q ;
    (* hierconn *) wire [UNIT_W-1:0]               \dut.final_3_q ;
    (* hierconn *) wire                            \dut.last_1_q ;
    (* hierconn *) wire                            \dut.last_2_q ;
    (* hierconn *) wire                            \dut.last_3_q ;
    (* hierconn *) wire [3:0]                      \dut.tag_1_q ;
    (* hierconn *) wire [3:0]                      \dut.tag_2_q ;
    (* hierconn *) wire [3:0]                      \dut.tag_3_q ;
    (* hierconn *) wire                            \dut.first_q ;
    (* hierconn *) wire                            \dut.first_1_q ;
    (* hierconn *) wire [UNITS*VALUE_W-1:0]        \dut.values_1_q ;
    (* hierconn *) wire [UNITS*VALUE_W-1:0]        \dut.values_2_q ;
    (* hierconn *) wire [UNITS*STORED_W-1:0]       \dut.stored_1 ;
    (* hierconn *) wire [UNITS*STORED_W-1:0]       \dut.scores_2_q ;
    (* hierconn *) wire [UNITS*STORED_W-1:0]       \dut.scores_3 ;
    (* hierconn *) wire [WORDS*UNITS*STORED_W-1:0] \dut.scores.words ;
    (* hierconn *) wire                            \dut.beat ;
    (* hierconn *) wire                            \dut.word_sent ;
    (* hierconn *) wire                            \dut.class_pending_q ;
    (* hierconn *) wire [INDEX_W-1:0]              \dut.index ;
    (* hierconn *) wire [INDEX_W-1:0]              \dut.best_index_q ;
    (* hierconn *) wire [STORED_W-1:0]             \dut.best_score_q ;
    (* hierconn *) wire [2:0]                      \dut.flags_q ;
    (* hierconn *) wire                            \dut.ends_q ;
    (* hierconn *) wire [UNIT_W-1:0]               \dut.g_units.unit_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire take = r_valid && r_ready;
    wire out = m_axis_tvalid && m_axis_tready;

    reg                     r_offered_q = 1'b0;
    reg [UNITS*VALUE_W+3:0] r_offer_q;
    reg                     offered_q = 1'b0;
    reg [32:0]              offer_q;
    always @(posedge clk) begin
        r_offered_q <= !rst && r_valid && !r_ready;
        r_offer_q <= {r_values, r_tag};
        offered_q <= !rst && m_axis_tvalid && !m_axis_tready;
        offer_q <= {m_axis_tlast, m_axis_tdata};
    end
    always @* if (r_offered_q) assume (r_valid && {r_values, r_tag} == r_offer_q);

    // What comes in: the words of a step have one tag.
    reg       first_q;
    reg [3:0] tag_q;
    reg [3:0] previous_tag_q;
    always @* if (word_q != 0) assume (r_tag == tag_q);
    always @(posedge clk) begin
        if (rst) begin
            word_q <= 0;
            first_q <= 1'b1;
        end else if (take) begin
            word_q <= r_last ? 0 : word_q + 1'b1;
            tag_q <= r_tag;
            if (r_last) first_q <= r_tag[0];
            if (r_last) previous_tag_q <= r_tag;
        end
    end

    // Whether a step's scores leave, and the status of its packet: {last step of its sample, flags}.
    function leaves(input [3:0] tag);
        leaves = EVERY_STEP || tag[0];
    endfunction

    function [3:0] status(input [3:0] tag);
        status = {EVERY_STEP && tag[0], tag[3:1]};
    endfunction

    // One class, any: the unit `unit` of word `some`, and its score.
    (* anyconst *) wire [WORD_W-1:0] some;
    (* anyconst *) wire [UNIT_W-1:0] unit;
    always @* assume (some < WORDS && unit < (some == WORDS - 1 ? LAST_UNITS : UNITS));
    wire [INDEX_W-1:0] class_ = some * UNITS + unit;

    localparam signed [31:0] START = MODE == 1 ? BOTTOM : 0;

    function signed [31:0] add(input signed [31:0] score, input [VALUE_W-1:0] value);
        reg signed [32:0] wide;
        reg signed [32:0] sum;
        begin
            wide = VALUE_W == 1 ? $signed({32'd0, value}) : $signed({{33 - VALUE_W{value[VALUE_W-1]}}, value});
            sum = MODE == 0 ? score + wide : MODE == 1 && score > wide ? score : wide;
            add = sum > TOP ? TOP : sum < BOTTOM ? BOTTOM : sum;
        end
    endfunction

    function [31:0] score_of(input [UNITS*STORED_W-1:0] scores);
        score_of = {{32 - STORED_W{1'b0}}, scores[unit*STORED_W+:STORED_W]};
    endfunction

    reg signed [31:0]  score_q;
    wire signed [31:0] score = add(first_q ? START : score_q, r_values[unit*VALUE_W+:VALUE_W]);
    wire               some_take = take && r_word == some;
    always @(posedge clk) if (some_take) score_q <= score;

    wire some_1 = \dut.valid_1_q && \dut.word_1_q == some;
    wire some_2 = \dut.valid_2_q && \dut.word_2_q == some;
    wire some_3 = \dut.valid_3_q && \dut.word_3_q == some;

    // What goes out: the place of a beat in its packet, and the first of the packet's largest scores.
    reg [INDEX_W:0]    place_q;
    reg signed [31:0]  largest_q;
    reg [INDEX_W-1:0]  largest_class_q;
    wire               greater = place_q == 0 || $signed(m_axis_tdata) > largest_q;
    wire signed [31:0] largest = greater ? m_axis_tdata : largest_q;
    wire [INDEX_W-1:0] largest_class = greater ? place_q : largest_class_q;
    always @(posedge clk) begin
        if (rst) place_q <= 0;
        else if (out) place_q <= m_axis_tlast ? 0 : place_q + 1'b1;
        if (out && !m_axis_tlast) begin
            largest_q <= largest;
            largest_class_q <= largest_class;
        end
    end

    wire [2:0]  score_count;
    wire [2:0]  score_ahead;
    wire        score_inside;
    wire [31:0] score_due;
    wire        is_score = m_axis_tvalid && !m_axis_tlast && place_q == class_;

    watch #(.WIDTH(32), .COUNT_W(3)) scores (
        .clk, .rst, .in(some_take && leaves(r_tag)), .in_data(score), .out(is_score && m_axis_tready),
        .count(score_count), .ahead(score_ahead), .inside(score_inside), .word(score_due)
    );

    wire [2:0] packet_count;
    wire [2:0] packet_ahead;
    wire       packet_inside;
    wire [3:0] flags_due;

    watch #(.WIDTH(4), .COUNT_W(3)) packets (
        .clk, .rst, .in(take && r_last && leaves(r_tag)), .in_data(status(r_tag)), .out(out && m_axis_tlast),
        .count(packet_count), .ahead(packet_ahead), .inside(packet_inside), .word(flags_due)
    );

    // In between: words in the stages, beats sent of the packet that is under way, and the word that is or comes next in
    // stage 3.
    reg [INDEX_W:0] sent_q;
    always @(posedge clk) begin
        if (rst) sent_q <= 0;
        else if (\dut.beat ) sent_q <= sent_q + 1'b1;
        else if (sent_q == CLASSES && (!m_axis_tvalid || m_axis_tready)) sent_q <= 0;
    end

    wire [UNIT_W-1:0] unit_q;
    generate
        if (UNITS == 1) assign unit_q = 0;
        else assign unit_q = \dut.g_units.unit_q ;
    endgenerate

    wire signed [31:0] best_score = {{32 - STORED_W{1'b0}}, \dut.best_score_q };

    wire [1:0]      stages = \dut.valid_1_q + \dut.valid_2_q + \dut.valid_3_q ;
    wire [WORD_W:0] before_3 = word_q >= stages ? word_q - stages : word_q + WORDS - stages;
    wire [WORD_W:0] before_2 = word_q >= stages - \dut.valid_3_q
        ? word_q - (stages - \dut.valid_3_q ) : word_q + WORDS - (stages - \dut.valid_3_q );
    wire [WORD_W:0] before_1 = word_q == 0 ? WORDS - 1 : word_q - 1;
    wire [3:0]      tag_3 = before_3 < word_q ? tag_q : previous_tag_q;  // of the step of the word in or before stage 3
    wire            last_step_3 = (stages != 0 || word_q != 0) && leaves(stages != 0 ? tag_3 : tag_q);
    wire            send = \dut.valid_3_q && leaves(\dut.tag_3_q );
    wire            unsent_3 = some_3 && leaves(\dut.tag_3_q ) && (sent_q == CLASSES || unit_q <= unit);
    wire            under_way = (some_1 && leaves(\dut.tag_1_q )) || (some_2 && leaves(\dut.tag_2_q )) || unsent_3;
    wire            end_1 = \dut.valid_1_q && \dut.last_1_q && leaves(\dut.tag_1_q );
    wire            end_2 = \dut.valid_2_q && \dut.last_2_q && leaves(\dut.tag_2_q );
    wire            end_3 = \dut.valid_3_q && \dut.last_3_q && leaves(\dut.tag_3_q );
    wire            sent_last = sent_q == CLASSES || (m_axis_tvalid && m_axis_tlast);

    always @* if (running) begin
        i_word: assert (word_q < WORDS && first_q == \dut.first_q );
        i_word_3: assert (!\dut.valid_3_q || \dut.word_3_q == before_3);
        i_word_2: assert (!\dut.valid_2_q || \dut.word_2_q == before_2);
        i_word_1: assert (!\dut.valid_1_q || \dut.word_1_q == before_1);
        i_step: assert (WORDS > 3 || stages <= (word_q == 0 ? WORDS : word_q));
        i_last_1: assert (!\dut.valid_1_q || (\dut.last_1_q == (\dut.word_1_q == WORDS - 1)));
        i_last_2: assert (!\dut.valid_2_q || (\dut.last_2_q == (\dut.word_2_q == WORDS - 1)));
        i_last_3: assert (!\dut.valid_3_q || (\dut.last_3_q == (\dut.word_3_q == WORDS - 1)));
        i_final_1: assert (!\dut.valid_1_q || \dut.final_1_q == (\dut.last_1_q ? LAST_UNITS : UNITS) - 1);
        i_final_2: assert (!\dut.valid_2_q || \dut.final_2_q == (\dut.last_2_q ? LAST_UNITS : UNITS) - 1);
        i_final_3: assert (!\dut.valid_3_q || \dut.final_3_q == (\dut.last_3_q ? LAST_UNITS : UNITS) - 1);
        i_tag_1: assert (!\dut.valid_1_q || \dut.tag_1_q == (\dut.word_1_q < word_q ? tag_q : previous_tag_q));
        i_tag_2: assert (!\dut.valid_2_q || \dut.tag_2_q == (\dut.word_2_q < word_q ? tag_q : previous_tag_q));
        i_tag_3: assert (!\dut.valid_3_q || \dut.tag_3_q == tag_3);
        i_first: assert (word_q != 0 || first_q || stages == 0 || !previous_tag_q[0]);
        i_score_1: assert (
            !some_1 || add(\dut.first_1_q ? START : score_of(\dut.stored_1 ), \dut.values_1_q [unit*VALUE_W+:VALUE_W]) == score_q
        );
        i_score_2: assert (
            !some_2 || add(score_of(\dut.scores_2_q ), \dut.values_2_q [unit*VALUE_W+:VALUE_W]) == score_q
        );
        i_stored: assert (
            some_1 || some_2 || some_3 || (first_q && word_q <= some)
            || score_of(\dut.scores.words [some*UNITS*STORED_W+:UNITS*STORED_W]) == score_q
        );
        i_pending: assert (\dut.class_pending_q == (sent_q == CLASSES) && sent_q <= CLASSES);
        i_unit: assert (unit_q <= (before_3 == WORDS - 1 ? LAST_UNITS : UNITS) - 1 && (unit_q == 0 || send));
        i_index: assert ((UNITS == 1 && !send) || \dut.index == (sent_q == CLASSES ? 0 : sent_q));
        i_sent: assert (sent_q == CLASSES ? unit_q == 0 && !(last_step_3 && before_3 != 0) : sent_q == 0 || last_step_3);
        i_sent_place: assert (
            sent_q == CLASSES || (last_step_3 ? sent_q == before_3 * UNITS + unit_q : sent_q == 0)
        );
        i_place: assert (place_q == (!m_axis_tvalid ? sent_q : m_axis_tlast ? CLASSES : sent_q - 1));
        i_given: assert (!m_axis_tvalid || (m_axis_tlast ? sent_q == 0 : sent_q != 0));
        i_largest: assert (
            sent_q == 0 || (m_axis_tvalid
                ? best_score == largest && \dut.best_index_q == largest_class
                : best_score == largest_q && \dut.best_index_q == largest_class_q)
        );
        i_due_count: assert (score_count == under_way + is_score);
        i_due: assert (!(under_way && score_inside && score_ahead == is_score) || score_due == score_q);
        i_packet_count: assert (packet_count == end_1 + end_2 + end_3 + sent_last);
        i_flags: assert (
            !(packet_inside && packet_ahead == 0 && sent_q == CLASSES) || status({\dut.flags_q , \dut.ends_q }) == flags_due
        );
        i_flags_3: assert (!(end_3 && packet_inside && packet_ahead == sent_last) || status(\dut.tag_3_q ) == flags_due);
        i_flags_2: assert (
            !(end_2 && packet_inside && packet_ahead == sent_last + end_3) || status(\dut.tag_2_q ) == flags_due
        );
        i_flags_1: assert (
            !(end_1 && packet_inside && packet_ahead == sent_last + end_3 + end_2) || status(\dut.tag_1_q ) == flags_due
        );

        // The offered beat stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_axis_tvalid && {m_axis_tlast, m_axis_tdata} == offer_q));
        c1_stable: cover (offered_q && m_axis_tlast);

        // A word is never read while one of the same number is still to be written.
        r2_hazard: assert (!some_take || !(some_1 || some_2 || some_3));
        c2_hazard: cover (some_take && !first_q);

        // A class's score is the clamped sum of its values since the sample's first step, or their largest, or the last.
        r3_score: assert (!some_3 || score_of(\dut.scores_3 ) == score_q);
        c3_score: cover (some_3 && score_q == 2);

        // A packet has a beat for each class and one more.
        r4_packet: assert (!m_axis_tvalid || m_axis_tlast == (place_q == CLASSES));
        c4_packet: cover (out && m_axis_tlast);

        // The beat of a class is its score in the step of the packet; no packet's is lost, repeated or invented.
        r5_due: assert (!is_score || (score_count != 0 && (!(score_inside && score_ahead == 0) || m_axis_tdata == score_due)));
        c5_due: cover (is_score && score_inside && score_ahead == 0 && score_due == 1);

        // The last beat names the first of the largest scores ...
        r6_class: assert (!(m_axis_tvalid && m_axis_tlast) || m_axis_tdata[15:0] == largest_class_q);
        c6_class: cover (out && m_axis_tlast && (largest_class_q != 0 || CLASSES == 1));

        // ... and has the flags of its sample, with EVERY_STEP the mark of its last step; no packet is lost, repeated or invented.
        r7_flags: assert (
            !(m_axis_tvalid && m_axis_tlast)
            || (packet_count != 0 && (!(packet_inside && packet_ahead == 0) || m_axis_tdata[31:16] == {9'd0, flags_due[3], 3'd0, flags_due[2:0]}))
        );
        c7_flags: cover (m_axis_tvalid && m_axis_tlast && packet_inside && packet_ahead == 0 && flags_due == {EVERY_STEP == 1, 3'b101});
    end

endmodule

`default_nettype wire
