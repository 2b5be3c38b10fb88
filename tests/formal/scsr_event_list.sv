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
    (* hierconn *) wire               \dut.fill_list_q ;
    (* hierconn *) wire               \dut.fill_closed_q ;
    (* hierconn *) wire [1:0]         \dut.fill_tag_q ;
    (* hierconn *) wire               \dut.walk_closed_q ;
    (* hierconn *) wire               \dut.walked_q ;
    (* hierconn *) wire [COUNT_W-1:0] \dut.walk_length_q ;
    (* hierconn *) wire [COUNT_W-1:0] \dut.walk_last_q ;
    (* hierconn *) wire               \dut.walk_partial_q ;
    (* hierconn *) wire [1:0]         \dut.walk_tag_q ;
    (* hierconn *) wire [COUNT_W-1:0] \dut.position_q ;
    (* hierconn *) wire [GROUP_W-1:0] \dut.group_q ;
    (* hierconn *) wire               \dut.op_valid_q ;
    (* hierconn *) wire [PORTS-1:0]   \dut.op_event_q ;
    (* hierconn *) wire [PORTS*ROW_W-1:0] \dut.op_row ;
    (* hierconn *) wire               \dut.op_group_last_q ;
    (* hierconn *) wire               \dut.op_step_last_q ;
    (* hierconn *) wire [1:0]         \dut.op_tag_q ;
    (* hierconn *) wire [(2<<POSITION_W)*ROW_W-1:0] \dut.g_port[0].rows.words ;
    (* hierconn *) wire [(2<<POSITION_W)*ROW_W-1:0] \dut.g_port[1].rows.words ;

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
    reg [1:0]            tag_q;
    wire                 in_watched = in_step_q == watched;
    wire [COUNT_W-1:0]   length = in_watched ? events_q : length_q;
    always @(posedge clk) begin
        if (rst) in_step_q <= 0;
        else if (close) in_step_q <= in_step_q + 1'b1;
        if (push && in_watched) rows_q[events_q*ROW_W+:ROW_W] <= s_row;
        if (close && in_watched) begin
            length_q <= events_q;
            tag_q <= s_tag;
        end
    end

    // How many events an operation has, and whether they are the watched step's from number `first` on.
    function [1:0] events_of(input [PORTS-1:0] event_);
        events_of = event_[0] + (PORTS > 1 && event_[PORTS-1]);
    endfunction

    function right(input [PORTS-1:0] event_, input [PORTS*ROW_W-1:0] row, input [COUNT_W:0] first);
        right = (!event_[0] || row[ROW_W-1:0] == rows_q[first*ROW_W+:ROW_W]) && (PORTS == 1 || !event_[PORTS-1]
            || (event_[0] && row[(PORTS-1)*ROW_W+:ROW_W] == rows_q[(first+1)*ROW_W+:ROW_W]));
    endfunction

    // The walk: group and event that the operation that is offered (0) begins with, the one behind it (1), and the next (2).
    reg [GROUP_W-1:0]   group_0;
    reg [COUNT_W:0]     event_0;
    wire [1:0]          these_0 = events_of(m_event);
    wire [1:0]          these_1 = events_of(\dut.op_event_q );
    wire                last_0 = m_valid && m_step_last;
    wire                last_1 = \dut.op_valid_q && \dut.op_step_last_q ;
    wire [2:0]          step_1 = out_step_q + last_0;
    wire [2:0]          step_2 = step_1 + last_1;
    wire [GROUP_W-1:0]  group_1 = !m_valid || !m_group_last ? group_0 : m_step_last ? 0 : group_0 + 1'b1;
    wire [GROUP_W-1:0]  group_2 = !\dut.op_valid_q || !\dut.op_group_last_q ? group_1 : \dut.op_step_last_q ? 0 : group_1 + 1'b1;
    wire [COUNT_W:0]    event_1 = !m_valid ? event_0 : m_group_last ? 0 : event_0 + these_0;
    wire [COUNT_W:0]    event_2 = !\dut.op_valid_q ? event_1 : \dut.op_group_last_q ? 0 : event_1 + these_1;
    always @(posedge clk) begin
        if (rst) begin
            out_step_q <= 0;
            group_0 <= 0;
            event_0 <= 0;
        end else if (out) begin
            out_step_q <= step_1;
            group_0 <= group_1;
            event_0 <= event_1;
        end
    end

    wire [2:0] ahead = in_step_q - out_step_q;
    wire       mine = m_valid && out_step_q == watched;
    wire       mine_1 = \dut.op_valid_q && step_1 == watched;
    wire       walking = \dut.walk_closed_q && !\dut.walked_q ;
    wire       mine_2 = walking && step_2 == watched;                             // closed, and walked
    wire       filling = watched == in_step_q - \dut.fill_closed_q ;              // in the list that fills
    localparam PLACES = (ROWS + PORTS - 1) / PORTS;
    wire [COUNT_W-1:0] last_place = \dut.walk_length_q - 1'b1;
    wire       list = \dut.fill_list_q ^ mine_2;
    genvar k;
    generate
        for (k = 0; k < ROWS; k = k + 1) begin : g_row
            wire [POSITION_W:0] place = (list << POSITION_W) + k / PORTS;
            wire [ROW_W-1:0]    stored;
            if (k % PORTS == 0) assign stored = \dut.g_port[0].rows.words [place*ROW_W+:ROW_W];
            else assign stored = \dut.g_port[1].rows.words [place*ROW_W+:ROW_W];
            always @* if (running && (mine_2 || filling) && k < length) assert (stored == rows_q[k*ROW_W+:ROW_W]);
        end
    endgenerate

    always @* if (running) begin
        i_ahead: assert (ahead == last_0 + last_1 + walking + \dut.fill_closed_q );
        i_closed: assert (!\dut.fill_closed_q || \dut.walk_closed_q );
        i_walked: assert (!\dut.walked_q || (\dut.walk_closed_q && event_2 == 0 && group_2 == 0));
        i_events: assert (\dut.fill_closed_q ? events_q == 0 : events_q == \dut.fill_count_q );
        i_room: assert (events_q <= ROWS && \dut.fill_count_q <= ROWS);
        i_length: assert (!(filling && \dut.fill_closed_q ) || (\dut.fill_count_q == length && \dut.fill_tag_q == tag_q));
        i_position: assert (event_2 == \dut.position_q * PORTS && \dut.position_q <= PLACES);
        i_group: assert (group_2 == \dut.group_q && group_2 < GROUPS);
        i_follow: assert (\dut.walk_closed_q || (group_2 == 0 && \dut.position_q <= \dut.fill_length ));
        i_next: assert (!\dut.walk_closed_q || walking || event_2 == 0);
        i_walk: assert (
            !walking || (last_place == \dut.walk_last_q && \dut.position_q + \dut.walk_partial_q <= \dut.walk_length_q
                && \dut.walk_length_q <= PLACES)
        );
        i_watched: assert (
            !mine_2 || (\dut.walk_length_q == (length + PORTS - 1) / PORTS && \dut.walk_partial_q == length % PORTS
                && \dut.walk_tag_q == tag_q && length <= ROWS)
        );
        if (mine_1) begin
            i_order: assert (right(\dut.op_event_q , \dut.op_row , event_1) && event_1 + these_1 <= length);
            i_all: assert (!\dut.op_group_last_q || (step_1 != in_step_q && event_1 + these_1 == length));
            i_tag: assert (!\dut.op_group_last_q || \dut.op_tag_q == tag_q);
        end
        i_full: assert (!\dut.op_valid_q || these_1 == PORTS || \dut.op_group_last_q );
        i_last: assert (!\dut.op_valid_q || \dut.op_step_last_q == (\dut.op_group_last_q && group_1 == GROUPS - 1));

        // The offered operation stays as it is while the lanes wait.
        r1_stable: assert (!offered_q || (m_valid && {m_event, m_row, m_group_last, m_step_last, m_tag} == offer_q));
        c1_stable: cover (offered_q && m_group_last && m_event != 0);

        // No overflow: a row is written at its place in the list that fills, and there is room for it.
        r2_overflow: assert (!push || (\dut.fill_count_q == events_q && \dut.fill_length < (1 << POSITION_W)));
        c2_overflow: cover (push && events_q == ROWS - 1);

        // A walk meets the step's events, in order.
        r3_order: assert (!mine || (right(m_event, m_row, event_0) && event_0 + these_0 <= length));
        c3_order: cover (mine && these_0 != 0 && (PORTS > 1 || event_0 != 0) && group_0 == GROUPS - 1);

        // It meets all of them, in each group: a group ends with its last event, and once the step is closed.
        r4_all: assert (!(mine && m_group_last) || (ahead != 0 && event_0 + these_0 == length));
        c4_all: cover (mine && m_group_last && length == ROWS);

        // An operation has as many events as there are ports, but for a group's last one, which may have none.
        r5_full: assert (!m_valid || these_0 == PORTS || m_group_last);
        c5_full: cover (mine && m_group_last && these_0 == 0 && length == 0);

        // A step has GROUPS groups.
        r6_groups: assert (!m_valid || m_step_last == (m_group_last && group_0 == GROUPS - 1));
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
