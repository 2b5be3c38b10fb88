`default_nettype none

module prove_scsr_event_list #(
    parameter PORTS = 1,
    parameter ROWS = 2,
    parameter ROW_W = 1,
    parameter COUNT_W = 2,
    parameter POSITION_W = 1,
    parameter GROUPS = 2,
    parameter GROUP_W = 1
) (
    input wire             clk,
    input wire             rst,
    input wire             s_valid,
    input wire             s_close,
    input wire [ROW_W-1:0] s_row,
    input wire [1:0]       s_tag,
    input wire             m_en
);

    wire                   s_ready;
    wire                   m_valid;
    wire [PORTS-1:0]       m_event;
    wire [PORTS*ROW_W-1:0] m_row;
    wire                   m_group_last;
    wire                   m_step_last;
    wire [1:0]             m_tag;

    scsr_event_list #(
        .PORTS(PORTS), .ROW_W(ROW_W), .COUNT_W(COUNT_W), .POSITION_W(POSITION_W), .GROUPS(GROUPS), .GROUP_W(GROUP_W), .TAG_W(2)
    ) dut (.*);

    (* hierconn *) wire [COUNT_W-1:0] \dut.fill_count_q ;
    (* hierconn *) wire [COUNT_W-1:0] \dut.fill_length ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire push = s_valid && s_ready && !s_close;
    wire close = s_valid && s_ready && s_close;
    wire out = m_valid && m_en;

    reg                   s_offered_q = 1'b0;
    reg [ROW_W+2:0]       s_offer_q;
    reg                   offered_q = 1'b0;
    reg [PORTS*(ROW_W+1)+3:0] offer_q;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_valid && !s_ready;
        s_offer_q <= {s_close, s_row, s_tag};
        offered_q <= !rst && m_valid && !m_en;
        offer_q <= {m_event, m_row, m_group_last, m_step_last, m_tag};
    end
    always @* if (s_offered_q) assume (s_valid && {s_close, s_row, s_tag} == s_offer_q);

    // A step has at most ROWS events, as its sources send each channel at most once.
    reg [COUNT_W-1:0] events_q;
    always @(posedge clk) begin
        if (rst || close) events_q <= 0;
        else if (push) events_q <= events_q + 1'b1;
    end
    always @* if (events_q == ROWS) assume (!s_valid || s_close);

    // One step, any: its rows in order, its number of events and its tag.
    (* anyconst *) wire [2:0] watched;
    reg [2:0]            in_step_q;
    reg [2:0]            out_step_q;
    reg [ROWS*ROW_W-1:0] rows_q;
    reg [COUNT_W-1:0]    length_q;
    reg                  closed_q;
    reg [1:0]            tag_q;
    wire                 in_watched = in_step_q == watched;
    always @(posedge clk) begin
        if (rst) in_step_q <= 0;
        else if (close) in_step_q <= in_step_q + 1'b1;
        if (push && in_watched) rows_q[events_q*ROW_W+:ROW_W] <= s_row;
        if (in_watched) length_q <= events_q + push;
        if (in_watched && close) tag_q <= s_tag;
        closed_q <= !rst && ((in_watched && close) || (closed_q && !(out && m_step_last && out_step_q == watched)));
    end

    // Its walk: the group, and the events of the group that have come out.
    reg [GROUP_W-1:0] group_q;
    reg [COUNT_W-1:0] walked_q;
    reg [1:0]         these;  // events of this operation
    reg               right;  // they are the next ones of the list
    integer p;
    always @* begin
        these = 0;
        right = 1'b1;
        for (p = 0; p < PORTS; p = p + 1) begin
            if (m_event[p]) begin
                if (these != p || m_row[p*ROW_W+:ROW_W] != rows_q[(walked_q+p)*ROW_W+:ROW_W]) right = 1'b0;
                these = these + 1'b1;
            end
        end
    end
    always @(posedge clk) begin
        if (rst) begin
            out_step_q <= 0;
            group_q <= 0;
            walked_q <= 0;
        end else if (out) begin
            walked_q <= m_group_last ? 0 : walked_q + these;
            if (m_group_last) group_q <= m_step_last ? 0 : group_q + 1'b1;
            if (m_step_last) out_step_q <= out_step_q + 1'b1;
        end
    end

    wire [2:0] ahead = in_step_q - out_step_q;
    wire mine = m_valid && out_step_q == watched;

    always @* if (running) begin
        // The offered operation stays as it is while the lanes wait.
        r1_stable: assert (!offered_q || (m_valid && {m_event, m_row, m_group_last, m_step_last, m_tag} == offer_q));
        c1_stable: cover (offered_q && m_group_last && m_event != 0);

        // No overflow: a row is written at its place in the list that fills, and there is room for it.
        r2_overflow: assert (!push || (\dut.fill_count_q == events_q && \dut.fill_length < (1 << POSITION_W)));
        c2_overflow: cover (push && events_q == ROWS - 1);

        // A walk meets the step's events, in order.
        r3_order: assert (!mine || (right && walked_q + these <= length_q));
        c3_order: cover (mine && these != 0 && walked_q != 0 && group_q == GROUPS - 1);

        // It meets all of them, in each group: a group ends with its last event, and once the step is closed.
        r4_all: assert (!(mine && m_group_last) || (closed_q && walked_q + these == length_q));
        c4_all: cover (mine && m_group_last && length_q == ROWS);

        // An operation has as many events as there are ports, but for a group's last one, which may have none.
        r5_full: assert (!mine || these == PORTS || m_group_last);
        c5_full: cover (mine && m_group_last && these == 0 && length_q == 0);

        // A step has GROUPS groups.
        r6_groups: assert (!mine || m_step_last == (m_group_last && group_q == GROUPS - 1));
        c6_groups: cover (mine && m_step_last);

        // The tag is the step's.
        r7_tag: assert (!(mine && m_group_last) || m_tag == tag_q);
        c7_tag: cover (mine && m_group_last && m_tag == 2'b11);

        // Steps are neither mixed nor invented: the one that is walked has begun to come in, and at most four are inside:
        // one that waits, one that is walked, and the last operations of two more.
        r8_steps: assert (!m_valid || ahead <= 4);
        c8_steps: cover (m_valid && ahead == (GROUPS == 1 ? 4 : 2));
    end

endmodule

`default_nettype wire
