`default_nettype none

module prove_scsr_axis_input #(
    parameter CHANNELS = 2,
    parameter INDEX_W = 1,
    parameter STAMP_W = 2,
    parameter FLAGS = 3
) (
    input wire        clk,
    input wire        rst,
    input wire [15:0] s_axis_tdata,
    input wire        s_axis_tvalid,
    input wire        s_axis_tlast,
    input wire        s_axis_tuser,
    input wire        m_ready
);

    localparam STAMPS = (1 << STAMP_W) - 1;

    wire               s_axis_tready;
    wire               m_valid;
    wire               m_tick;
    wire [INDEX_W-1:0] m_index;
    wire [FLAGS:0]     m_tag;

    scsr_axis_input #(.CHANNELS(CHANNELS), .INDEX_W(INDEX_W), .STAMP_W(STAMP_W), .FLAGS(FLAGS)) dut (.*);

    (* hierconn *) wire                        \dut.sweeping_q ;
    (* hierconn *) wire [INDEX_W-1:0]          \dut.clear_q ;
    (* hierconn *) wire                        \dut.valid_1_q ;
    (* hierconn *) wire                        \dut.tick_1_q ;
    (* hierconn *) wire                        \dut.last_1_q ;
    (* hierconn *) wire                        \dut.user_1_q ;
    (* hierconn *) wire                        \dut.unknown_1_q ;
    (* hierconn *) wire [INDEX_W-1:0]          \dut.index_1_q ;
    (* hierconn *) wire                        \dut.written_1_q ;
    (* hierconn *) wire                        \dut.seen_1_q ;
    (* hierconn *) wire                        \dut.valid_2_q ;
    (* hierconn *) wire                        \dut.tick_2_q ;
    (* hierconn *) wire                        \dut.last_2_q ;
    (* hierconn *) wire                        \dut.user_2_q ;
    (* hierconn *) wire                        \dut.unknown_2_q ;
    (* hierconn *) wire [INDEX_W-1:0]          \dut.index_2_q ;
    (* hierconn *) wire                        \dut.written_2_q ;
    (* hierconn *) wire                        \dut.seen_2_q ;
    (* hierconn *) wire [STAMP_W-1:0]          \dut.stored_1 ;
    (* hierconn *) wire [STAMP_W-1:0]          \dut.stored_2_q ;
    (* hierconn *) wire [STAMP_W-1:0]          \dut.stamp_q ;
    (* hierconn *) wire [FLAGS-1:0]            \dut.flags_q ;
    (* hierconn *) wire [CHANNELS*STAMP_W-1:0] \dut.stamps.words ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    reg                offered_q = 1'b0;
    reg [FLAGS+INDEX_W+1:0] event_q;
    always @(posedge clk) begin
        offered_q <= !rst && m_valid && !m_ready;
        event_q <= {m_tick, m_index, m_tag};
    end

    // docs/streams.md, beat by beat: what each beat that is taken has to become.
    reg [CHANNELS-1:0] spiked_q;  // in the step that is coming in
    reg [FLAGS-1:0]    flags_q;   // of the sample that is coming in

    wire take = s_axis_tvalid && s_axis_tready;
    wire tick = s_axis_tdata[15];
    wire known = !tick && s_axis_tdata[14:0] < CHANNELS;
    wire [INDEX_W-1:0] channel = s_axis_tdata[INDEX_W-1:0];
    wire repeated = known && spiked_q[channel];
    wire event_due = tick || (known && !repeated);
    wire [FLAGS-1:0] flags = flags_q | {tick && s_axis_tuser, !tick && s_axis_tlast, repeated, !tick && !known};

    always @(posedge clk) begin
        if (rst) begin
            spiked_q <= 0;
            flags_q <= 0;
        end else if (take) begin
            if (tick) spiked_q <= 0;
            else if (known) spiked_q[channel] <= 1'b1;
            flags_q <= tick && s_axis_tlast ? 0 : flags;
        end
    end

    // Three stages hold three events at most. Only a TICK's tag has a meaning, only a SPIKE's index.
    localparam EVENT_W = FLAGS + 1 + INDEX_W + 1;
    wire [EVENT_W-1:0] due = tick ? {1'b1, {INDEX_W{1'b0}}, flags, s_axis_tlast} : {1'b0, channel, {FLAGS + 1{1'b0}}};
    wire [EVENT_W-1:0] given = m_tick ? {1'b1, {INDEX_W{1'b0}}, m_tag} : {1'b0, m_index, {FLAGS + 1{1'b0}}};
    wire               out = m_valid && m_ready;
    wire [2:0]         count;
    wire [2:0]         ahead;
    wire               inside;
    wire [EVENT_W-1:0] event_;

    watch #(.WIDTH(EVENT_W), .COUNT_W(3)) watch (
        .clk, .rst, .in(take && event_due), .in_data(due), .out, .count, .ahead, .inside, .word(event_)
    );

    // The same for beats on their way: what has spiked and which flags are up in front of stage 1 and of stage 2.
    reg [CHANNELS-1:0] spiked_1_q;
    reg [CHANNELS-1:0] spiked_2_q;
    reg [FLAGS-1:0]    flags_1_q;
    reg [FLAGS-1:0]    flags_2_q;
    reg                due_1_q;
    reg                due_2_q;
    reg [EVENT_W-1:0]  event_1_q;
    reg [EVENT_W-1:0]  event_2_q;
    wire               advance = !m_valid || m_ready;

    always @(posedge clk) begin
        if (rst) begin
            spiked_1_q <= 0;
            spiked_2_q <= 0;
            flags_1_q <= 0;
            flags_2_q <= 0;
            due_1_q <= 1'b0;
            due_2_q <= 1'b0;
        end else if (advance) begin
            spiked_1_q <= spiked_q;
            spiked_2_q <= spiked_1_q;
            flags_1_q <= flags_q;
            flags_2_q <= flags_1_q;
            due_1_q <= take && event_due;
            due_2_q <= due_1_q;
            event_1_q <= due;
            event_2_q <= event_1_q;
        end
    end

    wire known_1 = \dut.valid_1_q && !\dut.tick_1_q && !\dut.unknown_1_q ;
    wire known_2 = \dut.valid_2_q && !\dut.tick_2_q && !\dut.unknown_2_q ;

    // Of every channel: its stamp, how many TICKs ago that was the number of the step, and how many TICKs ago it was cleared.
    genvar k;
    generate
        for (k = 0; k < CHANNELS; k = k + 1) begin : g_channel
            wire [STAMP_W-1:0] stamp = \dut.stamps.words [k*STAMP_W+:STAMP_W];
            wire [STAMP_W-1:0] age = \dut.stamp_q - stamp - (\dut.stamp_q < stamp);
            wire [INDEX_W:0]   cleared = \dut.clear_q - k - 1 + (\dut.clear_q > k ? 0 : CHANNELS);

            always @* if (running) begin
                assert (!(\dut.sweeping_q && k < \dut.clear_q ) || stamp == 0);
                if (!\dut.sweeping_q ) begin
                    assert (stamp == 0 || age <= cleared);
                    assert ((stamp == \dut.stamp_q ) == spiked_2_q[k]);
                end
                if (known_1 && \dut.index_1_q == k) begin
                    assert (\dut.written_1_q ? \dut.seen_1_q == spiked_2_q[k] : \dut.stored_1 == stamp);
                end
                if (known_2 && \dut.index_2_q == k) begin
                    assert (\dut.written_2_q ? \dut.seen_2_q == spiked_2_q[k] : \dut.stored_2_q == stamp);
                end
            end
        end
    endgenerate

    (* anyconst *) wire [INDEX_W-1:0] some;
    always @* assume (some < CHANNELS);
    wire [STAMP_W-1:0] stamp = \dut.stamps.words [some*STAMP_W+:STAMP_W];

    // What a stage's beat makes of what is in front of it: of the channels that have spiked, of the flags, and its event.
    wire [CHANNELS-1:0] after_1 = !\dut.valid_1_q ? spiked_1_q : \dut.tick_1_q ? 0 : spiked_1_q | (known_1 << \dut.index_1_q );
    wire [CHANNELS-1:0] after_2 = !\dut.valid_2_q ? spiked_2_q : \dut.tick_2_q ? 0 : spiked_2_q | (known_2 << \dut.index_2_q );
    wire [FLAGS-1:0] up_1 = flags_1_q | {
        \dut.tick_1_q && \dut.user_1_q , !\dut.tick_1_q && \dut.last_1_q , known_1 && spiked_1_q[\dut.index_1_q ], !\dut.tick_1_q && \dut.unknown_1_q
    };
    wire [FLAGS-1:0] up_2 = flags_2_q | {
        \dut.tick_2_q && \dut.user_2_q , !\dut.tick_2_q && \dut.last_2_q , known_2 && spiked_2_q[\dut.index_2_q ], !\dut.tick_2_q && \dut.unknown_2_q
    };

    always @* if (running) begin
        i_sweep: assert (!\dut.sweeping_q || !(\dut.valid_1_q || \dut.valid_2_q || m_valid || spiked_2_q != 0));
        i_clear: assert (\dut.clear_q < CHANNELS);
        i_stamp: assert (\dut.stamp_q != 0);
        i_spiked_1: assert (spiked_q == after_1);
        i_spiked_2: assert (spiked_1_q == after_2);
        i_flags_1: assert (flags_q == (!\dut.valid_1_q ? flags_1_q : \dut.tick_1_q && \dut.last_1_q ? 0 : up_1));
        i_flags_2: assert (flags_1_q == (!\dut.valid_2_q ? flags_2_q : \dut.tick_2_q && \dut.last_2_q ? 0 : up_2));
        i_flags: assert (flags_2_q == \dut.flags_q );
        i_known_1: assert (!known_1 || \dut.index_1_q < CHANNELS);
        i_known_2: assert (!known_2 || \dut.index_2_q < CHANNELS);
        i_due_1: assert (due_1_q == (\dut.valid_1_q && (\dut.tick_1_q || (known_1 && !spiked_1_q[\dut.index_1_q ]))));
        i_due_2: assert (due_2_q == (\dut.valid_2_q && (\dut.tick_2_q || (known_2 && !spiked_2_q[\dut.index_2_q ]))));
        i_event_1: assert (
            !due_1_q || event_1_q == (\dut.tick_1_q
                ? {1'b1, {INDEX_W{1'b0}}, up_1, \dut.last_1_q }
                : {1'b0, \dut.index_1_q , {FLAGS + 1{1'b0}}})
        );
        i_event_2: assert (
            !due_2_q || event_2_q == (\dut.tick_2_q
                ? {1'b1, {INDEX_W{1'b0}}, up_2, \dut.last_2_q }
                : {1'b0, \dut.index_2_q , {FLAGS + 1{1'b0}}})
        );
        i_order_1: assert (!(inside && due_1_q && ahead == due_2_q + m_valid) || event_1_q == event_);
        i_order_2: assert (!(inside && due_2_q && ahead == m_valid) || event_2_q == event_);

        // The offered event stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_valid && {m_tick, m_index, m_tag} == event_q));
        c1_stable: cover (offered_q && m_tick && count == 3);

        // Every SPIKE of a channel new in its step, and every TICK, becomes an event; nothing else does.
        r2_count: assert (count == due_1_q + due_2_q + m_valid);
        c2_count: cover (repeated && take && count == 3);

        // Events leave in order, SPIKEs with their channel, TICKs with the sample's flags and its end.
        r3_event: assert (!(m_valid && inside && ahead == 0) || given == event_);
        c3_event: cover (out && inside && ahead == 0 && m_tick && &m_tag);

        // A stamp of an earlier step never passes for one of this step: it is gone before its number returns.
        r4_stamp: assert (\dut.sweeping_q || spiked_2_q[some] || stamp != \dut.stamp_q );
        c4_stamp: cover (!\dut.sweeping_q && !spiked_2_q[some] && stamp != 0 && known_2 && \dut.index_2_q == some);
    end

endmodule

`default_nettype wire
