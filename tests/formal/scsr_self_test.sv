`default_nettype none

// With any stored sample and answer (models/scsr_rom.v). What is given: the core answers each sample with one packet,
// the stored one not before it has got all its beats. With EVERY_STEP: each of a sample's packets comes after its first
// beat, the one that says it is the last, or of the stored sample the last beat, after its last.

module prove_scsr_self_test #(
    parameter BEATS = 3,
    parameter BEAT_W = 2,
    parameter ANSWERS = 2,
    parameter ANSWER_W = 1,
    parameter EVERY_STEP = 0
) (
    input wire        clk,
    input wire        rst,
    input wire        start,
    input wire [15:0] s_axis_tdata,
    input wire        s_axis_tvalid,
    input wire        s_axis_tlast,
    input wire        m_axis_tready,
    input wire [31:0] r_axis_tdata,
    input wire        r_axis_tvalid,
    input wire        r_axis_tlast,
    input wire        o_axis_tready
);

    localparam COUNT_W = 8;
    localparam STORED_W = EVERY_STEP ? 33 : 32;

    wire        running;
    wire        failed;
    wire        s_axis_tready;
    wire [15:0] m_axis_tdata;
    wire        m_axis_tvalid;
    wire        m_axis_tlast;
    wire        r_axis_tready;
    wire [31:0] o_axis_tdata;
    wire        o_axis_tvalid;
    wire        o_axis_tlast;

    scsr_self_test #(.BEATS(BEATS), .BEAT_W(BEAT_W), .ANSWERS(ANSWERS), .ANSWER_W(ANSWER_W), .EVERY_STEP(EVERY_STEP)) dut (.*);

    (* hierconn *) wire                \dut.wanted_q ;
    (* hierconn *) wire                \dut.sent_q ;
    (* hierconn *) wire                \dut.open_q ;
    (* hierconn *) wire [COUNT_W-1:0]  \dut.inside_q ;
    (* hierconn *) wire [BEAT_W-1:0]   \dut.beat_q ;
    (* hierconn *) wire [ANSWER_W-1:0] \dut.answer_q ;
    (* hierconn *) wire [1:0]          \dut.beat_settled_q ;
    (* hierconn *) wire [1:0]          \dut.answer_settled_q ;
    (* hierconn *) wire [BEATS*17-1:0]   \dut.beats.words ;
    (* hierconn *) wire [16:0]           \dut.beats.word_q ;
    (* hierconn *) wire [16:0]           \dut.beat ;
    (* hierconn *) wire [ANSWERS*STORED_W-1:0] \dut.answers.words ;
    (* hierconn *) wire [STORED_W-1:0]   \dut.answers.word_q ;
    (* hierconn *) wire [STORED_W-1:0]   \dut.answer ;

    reg begun = 1'b0;  // the first cycle is a reset
    always @(posedge clk) begun <= 1'b1;
    always @* if (!begun) assume (rst);

    wire enter = s_axis_tvalid && s_axis_tready;
    wire entered = enter && s_axis_tdata[15] && s_axis_tlast;
    wire ends = r_axis_tlast && (!EVERY_STEP || r_axis_tdata[22]);  // the beat ends a sample's answer
    wire left = o_axis_tvalid && o_axis_tready && ends;
    wire sent = m_axis_tvalid && m_axis_tready && running;
    wire answered = r_axis_tvalid && r_axis_tready && running;

    reg               open_q;    // the source's sample has begun and not ended
    reg [COUNT_W-1:0] inside_q;  // the source's samples in the core
    reg [BEAT_W:0]    beats_q;   // of a test: beats sent, beats answered, whether one was wrong
    reg [ANSWER_W:0]  answers_q;
    reg               wrong_q;
    reg               ran_q;
    always @(posedge clk) begin
        ran_q <= !rst && running;
        if (rst) begin
            open_q <= 1'b0;
            inside_q <= 0;
            wrong_q <= 1'b0;
            beats_q <= 0;
            answers_q <= 0;
        end else begin
            if (enter) open_q <= !entered;
            inside_q <= inside_q + entered - left;
            beats_q <= running ? beats_q + sent : 0;
            answers_q <= running ? answers_q + answered : 0;
            if (answered && wrong) wrong_q <= 1'b1;
            else if (!running && \dut.wanted_q && !open_q && inside_q == 0 && !enter) wrong_q <= 1'b0;
        end
    end

    wire [STORED_W-1:0] answer = \dut.answers.words [answers_q[ANSWER_W-1:0]*STORED_W+:STORED_W];
    wire                answer_last = EVERY_STEP ? answer[STORED_W-1] : answers_q == ANSWERS - 1;
    wire [16:0] beat = \dut.beats.words [beats_q[BEAT_W-1:0]*17+:17];
    wire        wrong = r_axis_tdata != answer[31:0] || r_axis_tlast != answer_last;

    always @* begin
        if (!EVERY_STEP && r_axis_tvalid) assume (running ? beats_q == BEATS : inside_q != 0);
        if (EVERY_STEP && r_axis_tvalid) begin
            assume (running ? beats_q == BEATS || answers_q != ANSWERS - 1 : inside_q != 0 || (open_q && !ends));
        end
    end

    always @* if (begun) begin
        i_open: assert (\dut.open_q == open_q && \dut.inside_q == inside_q);
        i_test: assert (!running || (!open_q && inside_q == 0 && beats_q <= BEATS && answers_q < ANSWERS));
        i_places: assert (
            running ? (beats_q == BEATS ? \dut.sent_q : !\dut.sent_q && \dut.beat_q == beats_q) && \dut.answer_q == answers_q
            : 1'b1
        );
        i_rest: assert (running || (!ran_q || answers_q == ANSWERS));
        i_start: assert (!(running && !ran_q) || (beats_q == 0 && answers_q == 0));
        i_cleared: assert (
            !(running && !ran_q)
            || (\dut.beat_q == 0 && \dut.answer_q == 0 && !\dut.sent_q && \dut.beat_settled_q == 0 && \dut.answer_settled_q == 0)
        );
        i_beat: assert (
            !running
            || (\dut.beat_settled_q != 2'b10
                && (!\dut.beat_settled_q [0] || \dut.sent_q || \dut.beats.word_q == beat)
                && (!\dut.beat_settled_q [1] || \dut.sent_q || \dut.beat == beat))
        );
        i_answer: assert (
            !running
            || (\dut.answer_settled_q != 2'b10
                && (!\dut.answer_settled_q [0] || \dut.answers.word_q == answer)
                && (!\dut.answer_settled_q [1] || \dut.answer == answer))
        );

        // While a test runs nothing of the source goes in, and nothing comes out.
        r1_apart: assert (!running || (!s_axis_tready && !o_axis_tvalid));
        c1_apart: cover (running && s_axis_tvalid && r_axis_tvalid);

        // It begins between two samples of the source, when the core is empty.
        r2_between: assert (!(running && !ran_q) || (!open_q && inside_q == 0));
        c2_between: cover (running && !ran_q && \dut.wanted_q == 0 && failed == 0);

        // The stored beats go in, in order.
        r3_beats: assert (!sent || (beats_q < BEATS && {m_axis_tlast, m_axis_tdata} == beat));
        c3_beats: cover (sent && beats_q == BEATS - 1);

        // The test has failed if a beat of its packet was not the stored one.
        r4_verdict: assert (failed == wrong_q);
        c4_verdict: cover (!running && ran_q && failed);

        // Outside of a test what goes in is the source's, and what comes out the core's, but for the flag of a failed test.
        r5_through: assert (
            running
            || ((m_axis_tvalid && m_axis_tready) == enter && {m_axis_tlast, m_axis_tdata} == {s_axis_tlast, s_axis_tdata}
                && o_axis_tvalid == r_axis_tvalid && r_axis_tready == o_axis_tready && o_axis_tlast == r_axis_tlast
                && (o_axis_tdata ^ r_axis_tdata) == (failed && r_axis_tlast ? o_axis_tdata & ~r_axis_tdata & 32'h00200000 : 0)
                && (!(failed && r_axis_tlast) || o_axis_tdata[21]))
        );
        c5_through: cover (!running && failed && o_axis_tvalid && o_axis_tlast && o_axis_tready);

        // A test that is wanted comes as soon as it can.
        r6_comes: assert (!(ran_q == 0 && !running && \dut.wanted_q && !open_q) || !s_axis_tready);
        c6_comes: cover (!running && \dut.wanted_q && !open_q && s_axis_tvalid);
    end

endmodule

`default_nettype wire
