`default_nettype none

module prove_scsr_lanes #(
    parameter LANES = 3,
    parameter PORTS = 1,
    parameter UNITS = 2,
    parameter WEIGHT_W = 2,
    parameter SUM_W = 4,
    parameter WORDS = 2,
    parameter WORD_W = 1,
    parameter LAST_WORDS = 1
) (
    input wire                            clk,
    input wire                            rst,
    input wire                            s_valid,
    input wire [PORTS-1:0]                s_event,
    input wire [PORTS*LANES*WEIGHT_W-1:0] s_weights,
    input wire                            s_group_last,
    input wire                            s_step_last,
    input wire [1:0]                      s_tag,
    input wire                            m_ready
);

    wire                   s_en;
    wire                   m_valid;
    wire [UNITS*SUM_W-1:0] m_sums;
    wire [1:0]             m_tag;

    scsr_lanes #(
        .LANES(LANES), .PORTS(PORTS), .UNITS(UNITS), .WEIGHT_W(WEIGHT_W), .SUM_W(SUM_W), .WORDS(WORDS), .WORD_W(WORD_W),
        .LAST_WORDS(LAST_WORDS), .TAG_W(2)
    ) dut (.*);

    (* hierconn *) wire                   \dut.add_valid ;
    (* hierconn *) wire                   \dut.add_event ;
    (* hierconn *) wire                   \dut.add_group_last ;
    (* hierconn *) wire                   \dut.add_step_last ;
    (* hierconn *) wire [1:0]             \dut.add_tag ;
    (* hierconn *) wire [LANES*SUM_W-1:0] \dut.sums ;
    (* hierconn *) wire [LANES*SUM_W-1:0] \dut.hold_q ;
    (* hierconn *) wire                   \dut.held_q ;
    (* hierconn *) wire                   \dut.held_last_q ;
    (* hierconn *) wire                   \dut.final_q ;
    (* hierconn *) wire [WORD_W-1:0]      \dut.word_q ;
    (* hierconn *) wire [SUM_W-1:0]       \dut.g_lane[0].acc_q ;
    (* hierconn *) wire [SUM_W-1:0]       \dut.g_lane[1].acc_q ;
    (* hierconn *) wire [SUM_W-1:0]       \dut.g_lane[2].acc_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    // A second event only beside a first one; a step's last operation is a group's.
    always @* assume ((PORTS == 1 || s_event[0] || s_event == 0) && (s_group_last || !s_step_last));

    wire take = s_valid && s_en;
    wire out = m_valid && m_ready;

    reg                     s_offered_q = 1'b0;
    reg [PORTS*(LANES*WEIGHT_W+1)+3:0] s_offer_q;
    reg                     offered_q = 1'b0;
    reg [UNITS*SUM_W+1:0]   offer_q;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_valid && !s_en;
        s_offer_q <= {s_event, s_weights, s_group_last, s_step_last, s_tag};
        offered_q <= !rst && m_valid && !m_ready;
        offer_q <= {m_sums, m_tag};
    end
    always @* if (s_offered_q) assume (s_valid && {s_event, s_weights, s_group_last, s_step_last, s_tag} == s_offer_q);

    // One lane, any: the sum of its weights in the group that comes in. One bit means +1 or -1.
    (* anyconst *) wire [$clog2(LANES+1)-1:0] lane;
    always @* assume (lane < LANES);

    function signed [SUM_W-1:0] number(input [WEIGHT_W-1:0] weight);
        number = WEIGHT_W == 1 ? (weight ? 1 : -1) : $signed(weight);
    endfunction

    reg signed [SUM_W-1:0] sum_q;
    reg signed [SUM_W-1:0] sum;
    integer p;
    always @* begin
        sum = sum_q;
        for (p = 0; p < PORTS; p = p + 1) if (s_event[p]) sum = sum + number(s_weights[(p*LANES+lane)*WEIGHT_W+:WEIGHT_W]);
    end
    always @(posedge clk) begin
        if (rst) sum_q <= 0;
        else if (take) sum_q <= s_group_last ? 0 : sum;
    end

    // Words of the group that goes out, of which there are fewer in a step's last group.
    wire [2:0]            count;
    wire [2:0]            ahead;
    wire                  inside;
    wire [SUM_W+2:0]      group;
    reg [2:0]             word_q;
    reg [2:0]             step_lasts_q;  // which of the groups inside are their step's last, the oldest in front
    reg [2:0]             step_lasts;
    wire                  last_word = word_q == (step_lasts_q[0] ? LAST_WORDS : WORDS) - 1;
    wire                  group_in = take && s_group_last;
    wire                  group_out = out && last_word;
    wire                  mine = word_q == lane / UNITS;

    watch #(.WIDTH(SUM_W + 3), .COUNT_W(3)) watch (
        .clk, .rst, .in(group_in), .in_data({sum, s_tag, s_step_last}), .out(group_out), .count, .ahead, .inside, .word(group)
    );

    always @* begin
        step_lasts = step_lasts_q;
        if (group_in) step_lasts[count] = s_step_last;
        if (group_out) step_lasts = step_lasts >> 1;
    end
    always @(posedge clk) begin
        step_lasts_q <= step_lasts;
        if (rst) word_q <= 0;
        else if (out) word_q <= last_word ? 0 : word_q + 1'b1;
    end

    wire watched = m_valid && inside && ahead == 0;

    // Inside: a group that is held, and with two ports an operation between their adder and the accumulators.
    wire                   between = PORTS == 2 && \dut.add_valid ;
    wire                   closing = between && \dut.add_group_last ;
    wire [SUM_W-1:0]       next_sum = \dut.sums [lane*SUM_W+:SUM_W];
    wire [SUM_W-1:0]       held_sum = \dut.hold_q [lane*SUM_W+:SUM_W];
    wire [LANES*SUM_W-1:0] accs;
    generate
        if (LANES == 3) assign accs = {\dut.g_lane[2].acc_q , \dut.g_lane[1].acc_q , \dut.g_lane[0].acc_q };
        else assign accs = {\dut.g_lane[1].acc_q , \dut.g_lane[0].acc_q };
    endgenerate

    always @* if (running) begin
        i_acc: assert (between || accs[lane*SUM_W+:SUM_W] == sum_q);
        i_next: assert (!between || (closing ? sum_q == 0 : next_sum == sum_q));
        i_closing: assert (
            !(closing && inside && ahead == \dut.held_q ) || {next_sum, \dut.add_tag , \dut.add_step_last } == group
        );
        i_closing_last: assert (!closing || step_lasts_q[\dut.held_q ] == \dut.add_step_last );
        i_count: assert (count == \dut.held_q + closing);
        i_word: assert (word_q == \dut.word_q && (\dut.held_q ? word_q <= WORDS - 1 : word_q == 0));
        i_last: assert (!\dut.held_q || (\dut.held_last_q == step_lasts_q[0] && \dut.final_q == last_word));
        i_few: assert (!(\dut.held_q && \dut.held_last_q ) || word_q < LAST_WORDS);
        i_held: assert (!watched || {held_sum, m_tag, \dut.held_last_q } == group);

        // The offered word stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_valid && {m_sums, m_tag} == offer_q));
        c1_stable: cover (offered_q && m_sums != 0);

        // No group is lost, repeated or invented: of those inside the oldest goes out, word by word.
        r2_count: assert (count <= 2 && (!m_valid || count != 0));
        c2_count: cover (count == PORTS);

        // Groups are never mixed: a lane's sum is that of the weights of its group's events, ...
        r3_sum: assert (!(watched && mine) || $signed(m_sums[(lane%UNITS)*SUM_W+:SUM_W]) == $signed(group[3+:SUM_W]));
        c3_sum: cover (watched && mine && group[SUM_W+2:3] == 3 && lane == LANES - 1);

        // ... and the tag its own.
        r4_tag: assert (!watched || m_tag == group[2:1]);
        c4_tag: cover (watched && m_tag == 2'b11);

        // Where a group's last word is longer than the rest of its sums, it is filled up with zeros.
        r5_fill: assert (!(m_valid && word_q == WORDS - 1) || (m_sums >> (SUM_W * (LANES - (WORDS - 1) * UNITS))) == 0);
        c5_fill: cover (m_valid && word_q == WORDS - 1 && m_sums != 0);

        // A group that comes while nothing waits costs nothing: operations are taken in every cycle.
        r6_ready: assert (s_en || (m_valid && !group_out));
        c6_ready: cover (!s_en);
    end

endmodule

`default_nettype wire
