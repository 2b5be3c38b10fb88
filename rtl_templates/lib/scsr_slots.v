`default_nettype none

// Behind a group's events its slots: SLOTS operations more, for the few recurrent weights that each neuron has.
//
//   for each group: its operations as they come, then slot 0 .. SLOTS - 1, the last of which ends the group
//
// Latency 0, interval 1. The operation that ended the group before it came here is held back while the slots follow it.

module scsr_slots #(
    parameter PORTS = 1,   // events per operation
    parameter ROW_W = 1,   // width of a row
    parameter SLOTS = 1,   // slots of a group
    parameter SLOT_W = 1,  // width of a slot's number
    parameter TAG_W = 1    // width of the tag
) (
    input  wire                   clk,
    input  wire                   rst,
    output wire                   s_en,          // the stages before may move on
    input  wire                   s_valid,       // operations, the step's list once per group
    input  wire [PORTS-1:0]       s_event,
    input  wire [PORTS*ROW_W-1:0] s_row,
    input  wire                   s_group_last,
    input  wire                   s_step_last,
    input  wire [TAG_W-1:0]       s_tag,
    input  wire                   m_en,          // the stages behind may move on
    output wire                   m_valid,       // the same, and slots
    output wire [PORTS-1:0]       m_event,       // which rows are events; of a slot none
    output wire [PORTS*ROW_W-1:0] m_row,
    output wire                   m_is_slot,     // the operation is a slot
    output wire [SLOT_W-1:0]      m_slot,        // which
    output wire                   m_group_last,
    output wire                   m_step_last,
    output wire [TAG_W-1:0]       m_tag
);

    localparam [SLOT_W-1:0] ONE = 1;
    localparam [SLOT_W:0] COUNT = SLOTS;
    localparam [SLOT_W-1:0] LAST = COUNT[SLOT_W-1:0] - ONE;

    reg              is_slot_q;  // the group's events are through
    reg [SLOT_W-1:0] slot_q;     // the slot that comes next

    wire last_slot = is_slot_q && slot_q == LAST;

    assign s_en = m_en && (last_slot || !(s_valid && s_group_last));
    assign m_valid = s_valid;
    assign m_event = s_event & {PORTS{!is_slot_q}};
    assign m_row = s_row;
    assign m_is_slot = is_slot_q;
    assign m_slot = slot_q;
    assign m_group_last = last_slot;
    assign m_step_last = last_slot && s_step_last;
    assign m_tag = s_tag;

    always @(posedge clk) begin
        if (rst) begin
            is_slot_q <= 1'b0;
            slot_q <= {SLOT_W{1'b0}};
        end else if (m_en && s_valid && s_group_last) begin
            is_slot_q <= !last_slot;
            if (is_slot_q) slot_q <= last_slot ? {SLOT_W{1'b0}} : slot_q + ONE;
        end
    end

endmodule

`default_nettype wire
