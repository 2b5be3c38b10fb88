`default_nettype none

// Ping-pong list of the events of a time step: one list fills while the other is walked, once per group of neurons.
//
// In:  rows, then `close` with the step's tag.
// Out: for every group one `op` per event; an operation with `m_event` low carries none (an empty step, or a step that
//      was closed after its last event had been walked already). `m_group_last` ends a group, `m_step_last` a step.
//
// The first group may start before the list is closed: it follows the events as they come.
// Latency 2 cycles, interval 1: a step of E events takes GROUPS * max(E, 1) cycles, no cycle lost between groups.

module scsr_event_list #(
    // Width of a row
    parameter ROW_W = 1,
    // Width of a number of events, 0 .. ROWS
    parameter COUNT_W = 1,
    // Width of a position in a list, 0 .. ROWS - 1
    parameter POSITION_W = 1,
    // Number of times a list is walked
    parameter GROUPS = 1,
    // Width of a group's number
    parameter GROUP_W = 1,
    // Width of the tag that comes with `close`
    parameter TAG_W = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire             s_close,
    input  wire [ROW_W-1:0] s_row,
    input  wire [TAG_W-1:0] s_tag,
    input  wire             m_en,
    output wire             m_valid,
    output wire             m_event,
    output wire [ROW_W-1:0] m_row,
    output wire             m_group_last,
    output wire             m_step_last,
    output wire [TAG_W-1:0] m_tag
);

    localparam [COUNT_W-1:0] ONE = 1;
    localparam [GROUP_W-1:0] ONE_GROUP = 1;
    localparam [GROUP_W:0] GROUP_COUNT = GROUPS;
    localparam [GROUP_W-1:0] LAST_GROUP = GROUP_COUNT[GROUP_W-1:0] - ONE_GROUP;

    // The two lists: how many events each holds, whether it is complete, and its tag.
    reg [COUNT_W-1:0] count_q [0:1];
    reg [TAG_W-1:0]   tag_q [0:1];
    reg [1:0]         closed_q;

    reg               fill_q;
    reg               walk_q;
    reg [COUNT_W-1:0] position_q;
    reg [GROUP_W-1:0] group_q;

    reg               m_valid_q;
    reg               m_event_q;
    reg               m_group_last_q;
    reg               m_step_last_q;
    reg [TAG_W-1:0]   m_tag_q;

    wire [COUNT_W-1:0] fill_count = count_q[fill_q];
    wire [COUNT_W-1:0] walk_count = count_q[walk_q];
    wire [COUNT_W-1:0] next_position = position_q + ONE;

    wire push = s_valid && s_ready && !s_close;
    wire close = s_valid && s_ready && s_close;

    wire closed = closed_q[walk_q];
    wire event_here = position_q != walk_count;
    wire step = m_en && (event_here || closed);
    wire group_last = closed && (!event_here || next_position == walk_count);
    wire step_last = group_last && group_q == LAST_GROUP;
    wire release_list = step && step_last;

    assign s_ready = !closed_q[fill_q];

    scsr_ram #(
        .WIDTH (ROW_W),
        .DEPTH (2 << POSITION_W),
        .ADDR_W(POSITION_W + 1)
    ) rows (
        .clk    (clk),
        .wr_en  (push),
        .wr_addr({fill_q, fill_count[POSITION_W-1:0]}),
        .wr_data(s_row),
        .rd_en  (step && event_here),
        .rd_addr({walk_q, position_q[POSITION_W-1:0]}),
        .rd_data(m_row)
    );

    always @(posedge clk) begin
        if (rst) begin
            count_q[0] <= {COUNT_W{1'b0}};
            count_q[1] <= {COUNT_W{1'b0}};
            closed_q <= 2'b00;
            fill_q <= 1'b0;
            walk_q <= 1'b0;
            position_q <= {COUNT_W{1'b0}};
            group_q <= {GROUP_W{1'b0}};
            m_valid_q <= 1'b0;
        end else begin
            if (push) count_q[fill_q] <= fill_count + ONE;
            if (close) begin
                closed_q[fill_q] <= 1'b1;
                fill_q <= !fill_q;
            end
            if (step) begin
                position_q <= group_last ? {COUNT_W{1'b0}} : next_position;
                if (group_last) group_q <= step_last ? {GROUP_W{1'b0}} : group_q + ONE_GROUP;
            end
            if (release_list) begin
                count_q[walk_q] <= {COUNT_W{1'b0}};
                closed_q[walk_q] <= 1'b0;
                walk_q <= !walk_q;
            end
            if (m_en) m_valid_q <= step;
        end
    end

    always @(posedge clk) begin
        if (close) tag_q[fill_q] <= s_tag;
        if (m_en) begin
            m_event_q <= event_here;
            m_group_last_q <= group_last;
            m_step_last_q <= step_last;
            m_tag_q <= tag_q[walk_q];
        end
    end

    assign m_valid = m_valid_q;
    assign m_event = m_event_q;
    assign m_group_last = m_group_last_q;
    assign m_step_last = m_step_last_q;
    assign m_tag = m_tag_q;

endmodule

`default_nettype wire
