`default_nettype none

module prove_scsr_collector #(
    parameter SOURCES = 3,
    parameter EVENT_W = 2,
    parameter ROW_W = 4,
    parameter OFFSETS = 12'h730,
    parameter TAG_SOURCE = 1,
    parameter TICKED_AT_RESET = 4,
    parameter REPORTS = 0
) (
    input wire                       clk,
    input wire                       rst,
    input wire [SOURCES-1:0]         s_valid,
    input wire [SOURCES-1:0]         s_tick,
    input wire [SOURCES*EVENT_W-1:0] s_index,
    input wire [1:0]                 s_tag,
    input wire                       m_ready
);

    wire [SOURCES-1:0] s_ready;
    wire               m_valid;
    wire               m_close;
    wire [ROW_W-1:0]   m_row;
    wire [1:0]         m_tag;

    scsr_collector #(
        .SOURCES(SOURCES), .EVENT_W(EVENT_W), .ROW_W(ROW_W), .OFFSETS(OFFSETS), .TAG_W(2), .TAG_SOURCE(TAG_SOURCE),
        .TICKED_AT_RESET(TICKED_AT_RESET), .REPORTS(REPORTS)
    ) dut (.*);

    (* hierconn *) wire [SOURCES-1:0] \dut.ticked_q ;
    (* hierconn *) wire [1:0]         \dut.tag_q ;
    (* hierconn *) wire               \dut.g_reports.damaged_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    // One source, any. Sources keep what they offer; a sample's tag comes with its source's TICK.
    (* anyconst *) wire [$clog2(SOURCES+1)-1:0] source;
    always @* assume (source < SOURCES);
    wire                 tick = s_valid[source] && s_tick[source];
    wire                 spike = s_valid[source] && !s_tick[source];
    wire                 taken = s_valid[source] && s_ready[source];
    wire [ROW_W-1:0]     row = (OFFSETS >> (source * ROW_W)) + s_index[source*EVENT_W+:EVENT_W];
    wire [SOURCES-1:0]   events = s_valid & s_ready & ~s_tick;
    wire [SOURCES-1:0]   ticks = s_valid & s_ready & s_tick;
    wire                 tag_tick = ticks[TAG_SOURCE];
    wire                 close = m_valid && m_ready && m_close;

    reg                       s_offered_q = 1'b0;
    reg [EVENT_W:0]           s_offer_q;
    reg                       offered_q = 1'b0;
    reg                       offered_close_q;
    reg [1:0]                 offered_tag_q;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_valid[source] && !s_ready[source];
        s_offer_q <= {s_tick[source], s_index[source*EVENT_W+:EVENT_W]};
        offered_q <= !rst && m_valid && !m_ready;
        offered_close_q <= m_close;
        offered_tag_q <= m_tag;
    end
    genvar k;
    generate
        for (k = 0; k < SOURCES; k = k + 1) begin : g_source
            reg offer_q = 1'b0;
            reg tick_q;
            reg report_q;
            always @(posedge clk) begin
                offer_q <= !rst && s_valid[k] && !s_ready[k];
                tick_q <= s_tick[k];
                report_q <= s_index[k*EVENT_W];
            end
            always @* if (offer_q) assume (s_valid[k] && s_tick[k] == tick_q && s_index[k*EVENT_W] == report_q);
        end
    endgenerate
    reg [1:0] waiting_tag_q;
    reg       tag_waits_q = 1'b0;
    always @(posedge clk) begin
        tag_waits_q <= !rst && s_valid[TAG_SOURCE] && !s_ready[TAG_SOURCE];
        waiting_tag_q <= s_tag;
    end
    always @* if (tag_waits_q) assume (s_tag == waiting_tag_q);

    // What the step has seen: the TICKs of this source, and the tag that came with the tag source's.
    reg       ticked_q;
    reg       tagged_q;
    reg [1:0] tag_q;
    always @(posedge clk) begin
        if (rst) begin
            ticked_q <= TICKED_AT_RESET >> source;
            tagged_q <= 1'b0;
        end else begin
            ticked_q <= !close && (ticked_q || (tick && taken));
            tagged_q <= !close && (tagged_q || tag_tick);
            if (tag_tick) tag_q <= s_tag;
        end
    end

    // Of the sources that report damage, whether one has with its TICK in this step.
    wire [SOURCES-1:0] reported;
    reg                damaged_q;
    generate
        for (k = 0; k < SOURCES; k = k + 1) begin : g_report
            assign reported[k] = REPORTS[k] && s_valid[k] && s_tick[k] && s_index[k*EVENT_W] && !\dut.ticked_q [k];
        end
    endgenerate
    always @(posedge clk) damaged_q <= !rst && !close && (damaged_q || |(reported & ticks));
    wire damaged = damaged_q || |reported;

    always @* if (running) begin
        i_ticked: assert (\dut.ticked_q [source] == ticked_q);
        i_damaged: assert (damaged_q == (REPORTS != 0 && \dut.g_reports.damaged_q ));
        i_tagged: assert (\dut.ticked_q [TAG_SOURCE] == tagged_q && (!tagged_q || \dut.tag_q == tag_q));

        // An offered close stays with its tag. An offered row stays an event, if not the same one: a lower source goes first.
        r1_stable: assert (!offered_q || (m_valid && (!offered_close_q || (m_close && m_tag == offered_tag_q))));
        c1_stable: cover (offered_q && offered_close_q && m_ready);

        // An event that is taken goes out in the same cycle, as a row in its source's range, alone.
        r2_event: assert (!(spike && taken) || (m_valid && m_ready && !m_close && m_row == row && events == (1 << source)));
        c2_event: cover (spike && taken && source == SOURCES - 1);

        // Nothing else goes out as an event.
        r3_none: assert (!(m_valid && m_ready && !m_close) || events != 0);
        c3_none: cover (m_valid && m_ready && !m_close && ticks != 0);

        // A step's TICK comes from each source once; behind it the source waits for the step to close.
        r4_step: assert (!(ticked_q && taken));
        c4_step: cover (ticked_q && spike);

        // When every source has ticked, and not before, the step closes.
        r5_close: assert (!close || ticked_q || tick);
        c5_close: cover (close && ticked_q);

        // The tag is the one that came with the tag source's TICK.
        r6_tag: assert (!(m_valid && m_close && !damaged) || m_tag == (tagged_q ? tag_q : s_tag));
        c6_tag: cover (close && tagged_q && m_tag == 2'b10);

        // Its highest bit is set where a source reports damage with its TICK.
        r8_report: assert (!(m_valid && m_close && damaged) || m_tag == ((tagged_q ? tag_q : s_tag) | 2'b10));
        c8_report: cover (m_close && (REPORTS == 0 || (damaged_q && reported == 0)));

        // No source waits for another within a step: some event or TICK of the step that is offered is always taken.
        r7_progress: assert (!(m_ready && s_valid[source] && !ticked_q) || events != 0 || ticks != 0);
        c7_progress: cover (m_ready && spike && !taken);
    end

endmodule

`default_nettype wire
