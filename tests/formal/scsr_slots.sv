`default_nettype none

module prove_scsr_slots #(
    parameter PORTS = 1,
    parameter SLOTS = 3,
    parameter SLOT_W = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             s_valid,
    input wire [PORTS-1:0] s_event,
    input wire [PORTS-1:0] s_row,
    input wire             s_group_last,
    input wire             s_step_last,
    input wire [1:0]       s_tag,
    input wire             m_en
);

    wire              s_en;
    wire              m_valid;
    wire [PORTS-1:0]  m_event;
    wire [PORTS-1:0]  m_row;
    wire              m_is_slot;
    wire [SLOT_W-1:0] m_slot;
    wire              m_group_last;
    wire              m_step_last;
    wire [1:0]        m_tag;

    scsr_slots #(.PORTS(PORTS), .ROW_W(1), .SLOTS(SLOTS), .SLOT_W(SLOT_W), .TAG_W(2)) dut (.*);

    (* hierconn *) wire [SLOT_W-1:0] \dut.slot_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    // A step's last operation is a group's; one that is offered stays as it is until it is taken.
    always @* assume (s_group_last || !s_step_last);
    reg                 s_offered_q = 1'b0;
    reg [2*PORTS+3:0]   s_offer_q;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_valid && !s_en;
        s_offer_q <= {s_event, s_row, s_group_last, s_step_last, s_tag};
    end
    always @* if (s_offered_q) assume (s_valid && {s_event, s_row, s_group_last, s_step_last, s_tag} == s_offer_q);

    // What has gone out since the group before: its last operation, and slots.
    wire         out = m_valid && m_en;
    reg          rows_q;
    reg [SLOT_W:0] slots_q;
    always @(posedge clk) begin
        if (rst || (out && slots_q == SLOTS - 1)) begin
            rows_q <= 1'b0;
            slots_q <= 0;
        end else if (out) begin
            if (s_group_last) rows_q <= 1'b1;
            if (rows_q) slots_q <= slots_q + 1'b1;
        end
    end

    always @* if (running) begin
        i_slots: assert (slots_q < SLOTS && (rows_q || slots_q == 0) && (!rows_q || (s_offered_q && s_group_last)));
        i_slot: assert (\dut.slot_q == slots_q);

        // Operations go through as they are; none of them ends its group here.
        r1_through: assert (rows_q || (!m_is_slot && m_valid == s_valid && {m_event, m_row} == {s_event, s_row}));
        c1_through: cover (out && !rows_q && s_group_last && m_event != 0);

        // Behind a group's last one all slots follow, in order, without events.
        r2_slots: assert (!rows_q || (m_valid && m_is_slot && m_slot == slots_q && m_event == 0));
        c2_slots: cover (rows_q && slots_q == 1 && s_event != 0);

        // The last slot ends the group, and the step where the operation did.
        r3_end: assert (!m_valid || {m_group_last, m_step_last} == ({2{rows_q && slots_q == SLOTS - 1}} & {1'b1, s_step_last}));
        c3_end: cover (out && m_step_last);

        // The tag is the group's.
        r4_tag: assert (!m_valid || m_tag == s_tag);
        c4_tag: cover (out && m_step_last && m_tag == 2'b11);

        // An operation is taken when it goes out, a group's last one with its last slot.
        r5_taken: assert (!s_valid || s_en == (m_en && (s_group_last ? m_group_last : 1'b1)));
        c5_taken: cover (s_valid && s_en && s_group_last);
    end

endmodule

`default_nettype wire
