`default_nettype none

// Ping-pong list of the events of a time step: one list fills while the other is walked, once per group of neurons.
//
// In:  rows, then `close` with the step's tag.
// Out: for every group one operation per PORTS events. Bit i of `m_event` says that row i is an event; none is in an
//      empty step, or in a step that was closed after its last event had been walked already. `m_group_last` ends a
//      group, `m_step_last` a step.
//
// The first group may start before the list is closed: it follows the events as they come.
// Latency 3 cycles (decision, memory's output, register behind it), interval 1: a step of E events takes
// GROUPS * max(ceil(E / PORTS), 1) cycles, no cycle lost between groups, and one more, in which the lists change places:
// that they do so from a register ends the path of m_en.

module scsr_event_list #(
    parameter PORTS = 1,       // events per operation, 1 or 2
    parameter ROW_W = 1,       // width of a row
    parameter COUNT_W = 1,     // width of a number of events, 0 .. ROWS
    parameter POSITION_W = 1,  // width of an operation's place in a list, 0 .. ceil(ROWS / PORTS) - 1
    parameter GROUPS = 1,      // number of times a list is walked
    parameter GROUP_W = 1,     // width of a group's number
    parameter TAG_W = 1        // width of the tag that comes with `close`
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   s_valid,  // rows, one per event
    output wire                   s_ready,
    input  wire                   s_close,  // no row: the step ends
    input  wire [ROW_W-1:0]       s_row,
    input  wire [TAG_W-1:0]       s_tag,    // of the step, with `close`
    input  wire                   m_en,     // the stages behind may move on
    output wire                   m_valid,  // operations, every list once per group
    output wire [PORTS-1:0]       m_event,  // which rows are events
    output wire [PORTS*ROW_W-1:0] m_row,
    output wire                   m_group_last,
    output wire                   m_step_last,
    output wire [TAG_W-1:0]       m_tag
);

    localparam PORT_W = PORTS - 1;  // width of a port's number
    localparam [COUNT_W-1:0] ONE = 1;
    localparam [GROUP_W-1:0] ONE_GROUP = 1;
    localparam [GROUP_W:0] GROUP_COUNT = GROUPS;
    localparam [GROUP_W-1:0] LAST_GROUP = GROUP_COUNT[GROUP_W-1:0] - ONE_GROUP;

    // The list that fills; closed, it waits here until the other one has been walked.
    reg               fill_list_q;   // which of the two it is
    reg [COUNT_W-1:0] fill_count_q;  // events in it
    reg               fill_closed_q;
    reg [TAG_W-1:0]   fill_tag_q;    // of its step

    // The list that is walked: a closed one, or else the one that fills.
    reg               walk_closed_q;
    reg               walked_q;  // to its end
    reg [COUNT_W-1:0] walk_length_q;   // operations in it, a partial one included
    reg [COUNT_W-1:0] walk_last_q;     // its last operation's place
    reg               walk_partial_q;  // the last operation has an event too few
    reg [TAG_W-1:0]   walk_tag_q;      // of its step
    reg [COUNT_W-1:0] position_q;      // the operation that comes next
    reg [GROUP_W-1:0] group_q;         // the group that it is for

    // An operation that was decided on, while its rows are read, and the one that is offered.
    reg                   op_valid_q;
    reg [PORTS-1:0]       op_event_q;
    reg                   op_group_last_q;
    reg                   op_step_last_q;
    reg [TAG_W-1:0]       op_tag_q;
    reg                   m_valid_q;
    reg [PORTS+TAG_W+1:0] m_marks_q;  // events, ends and tag
    reg [PORTS*ROW_W-1:0] m_row_q;

    wire [PORTS*ROW_W-1:0] op_row;

    wire push = s_valid && s_ready && !s_close;  // a row comes in
    wire close = s_valid && s_ready && s_close;

    // Complete operations in the list that fills, and whether events are left over.
    wire [COUNT_W-1:0] fill_length = fill_count_q >> PORT_W;
    wire               fill_partial = PORTS > 1 && fill_count_q[0];

    wire [COUNT_W-1:0] length = walk_closed_q ? walk_length_q : fill_length;
    wire here = position_q != length;  // the list holds the operation at `position`
    wire step = m_en && !walked_q && (here || walk_closed_q);                   // an operation is decided on
    wire group_last = walk_closed_q && (!here || position_q == walk_last_q);
    wire step_last = group_last && group_q == LAST_GROUP;
    wire hand_over = (close || fill_closed_q) && (walked_q || !walk_closed_q);  // the lists change places

    assign s_ready = !fill_closed_q;

    genvar p;
    generate
        for (p = 0; p < PORTS; p = p + 1) begin : g_port
            localparam [COUNT_W-1:0] PORT = p;
            wire mine = PORTS == 1 || fill_count_q[0] == PORT[0];  // the port whose turn it is takes the row

            scsr_ram #(
                .WIDTH (ROW_W),
                .DEPTH (2 << POSITION_W),
                .ADDR_W(POSITION_W + 1)
            ) rows (
                .clk    (clk),
                .wr_en  (push && mine),
                .wr_addr({fill_list_q, fill_length[POSITION_W-1:0]}),
                .wr_data(s_row),
                .rd_en  (step && here),
                .rd_addr({fill_list_q ^ walk_closed_q, position_q[POSITION_W-1:0]}),
                .rd_data(op_row[p*ROW_W+:ROW_W])
            );
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            fill_list_q <= 1'b0;
            fill_count_q <= {COUNT_W{1'b0}};
            fill_closed_q <= 1'b0;
            walk_closed_q <= 1'b0;
            walked_q <= 1'b0;
            position_q <= {COUNT_W{1'b0}};
            group_q <= {GROUP_W{1'b0}};
            op_valid_q <= 1'b0;
            m_valid_q <= 1'b0;
        end else begin
            if (hand_over) begin
                fill_list_q <= !fill_list_q;
                fill_count_q <= {COUNT_W{1'b0}};
                fill_closed_q <= 1'b0;
            end else if (push) begin
                fill_count_q <= fill_count_q + ONE;
            end else if (close) begin
                fill_closed_q <= 1'b1;
            end
            if (hand_over) walk_closed_q <= 1'b1;
            else if (walked_q) walk_closed_q <= 1'b0;
            walked_q <= step && step_last;
            if (step) begin
                position_q <= group_last ? {COUNT_W{1'b0}} : position_q + ONE;
                if (group_last) group_q <= step_last ? {GROUP_W{1'b0}} : group_q + ONE_GROUP;
            end
            if (m_en) begin
                op_valid_q <= step;
                m_valid_q <= op_valid_q;
            end
        end
    end

    always @(posedge clk) begin
        if (!fill_closed_q) fill_tag_q <= s_tag;
        if (hand_over) begin
            walk_length_q <= fill_partial ? fill_length + ONE : fill_length;
            walk_last_q <= fill_partial ? fill_length : fill_length - ONE;
            walk_partial_q <= fill_partial;
            walk_tag_q <= fill_closed_q ? fill_tag_q : s_tag;
        end
        if (m_en) begin
            // All ports but the first may be idle in a list's last operation.
            op_event_q <= {PORTS{here && !(group_last && walk_partial_q)}};
            op_event_q[0] <= here;
            op_group_last_q <= group_last;
            op_step_last_q <= step_last;
            op_tag_q <= walk_tag_q;
            m_marks_q <= {op_event_q, op_group_last_q, op_step_last_q, op_tag_q};
            m_row_q <= op_row;
        end
    end

    assign m_valid = m_valid_q;
    assign {m_event, m_group_last, m_step_last, m_tag} = m_marks_q;
    assign m_row = m_row_q;

endmodule

`default_nettype wire
