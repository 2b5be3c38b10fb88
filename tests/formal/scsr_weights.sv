`default_nettype none

// With any contents (models/scsr_rom.v).

module prove_scsr_weights #(
    parameter PORTS = 1,
    parameter ROWS = 2,
    parameter ROW_W = 1,
    parameter GROUPS = 3,
    parameter ADDR_W = 3
) (
    input wire                   clk,
    input wire                   rst,
    input wire                   en,
    input wire                   s_valid,
    input wire [PORTS-1:0]       s_event,
    input wire [PORTS*ROW_W-1:0] s_row,
    input wire                   s_group_last,
    input wire [1:0]             s_tag,
    input wire [0:0]             l_write,
    input wire [ADDR_W-1:0]      l_addr,
    input wire [15:0]            l_data
);

    localparam WORD_W = 2;
    localparam MARKS_W = PORTS + 4;
    localparam LATENCY = 3;

    reg [1:0]                group_q;
    wire                     s_step_last = s_group_last && group_q == GROUPS - 1;
    wire                     m_valid;
    wire [PORTS-1:0]         m_event;
    wire [PORTS*WORD_W-1:0]  m_weights;
    wire                     m_group_last;
    wire                     m_step_last;
    wire [1:0]               m_tag;

    scsr_weights #(
        .PORTS(PORTS), .ROWS(ROWS), .ROW_W(ROW_W), .ADDR_W(ADDR_W), .WORD_W(WORD_W), .TAG_W(2), .BANK_DEPTH(ROWS * GROUPS),
        .BANK_ADDR_W(ADDR_W)
    ) dut (.*);

    (* hierconn *) wire [ROWS*GROUPS*WORD_W-1:0] \dut.memory.g_bank[0].g_rom.rom.words ;
    (* hierconn *) wire [PORTS*WORD_W-1:0]       \dut.memory.g_bank[0].g_rom.rom.word_q ;
    (* hierconn *) wire [ADDR_W-1:0]             \dut.base_q ;
    (* hierconn *) wire [PORTS*ADDR_W-1:0]       \dut.addr_q ;
    (* hierconn *) wire [LATENCY-1:0]            \dut.valid_q ;
    (* hierconn *) wire [LATENCY*MARKS_W-1:0]    \dut.marks.line_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    (* anyconst *) wire port;
    always @* assume (port < PORTS);
    wire [ROW_W-1:0] row = s_row[port*ROW_W+:ROW_W];
    always @* if (s_event[port]) assume (row < ROWS);

    // What came in at the last enabled cycles: W[group, row] of the chosen port, and the marks.
    wire [ADDR_W-1:0]         address = group_q * ROWS + row;
    reg [LATENCY-1:0]         valid_q;
    reg [LATENCY*ADDR_W-1:0]  address_q;
    reg [LATENCY*MARKS_W-1:0] marks_q;
    always @(posedge clk) begin
        if (rst) begin
            group_q <= 0;
            valid_q <= 0;
        end else if (en) begin
            valid_q <= {valid_q, s_valid};
            if (s_valid && s_group_last) group_q <= s_step_last ? 0 : group_q + 1'b1;
        end
        if (en) begin
            address_q <= {address_q, address};
            marks_q <= {marks_q, s_event, s_group_last, s_step_last, s_tag};
        end
    end

    genvar i;
    generate
        for (i = 0; i < LATENCY; i = i + 1) begin : g_stage
            always @* if (running && valid_q[i]) begin
                assert (\dut.marks.line_q [i*MARKS_W+:MARKS_W] == marks_q[i*MARKS_W+:MARKS_W]);
                assert (!marks_q[i*MARKS_W+4+port] || address_q[i*ADDR_W+:ADDR_W] < ROWS * GROUPS);
            end
        end
    endgenerate

    wire [MARKS_W-1:0] marks = marks_q[(LATENCY-1)*MARKS_W+:MARKS_W];
    wire [ADDR_W-1:0]  address_1 = address_q[ADDR_W-1:0];
    wire [ADDR_W-1:0]  address_2 = address_q[ADDR_W+:ADDR_W];
    wire [ADDR_W-1:0]  address_3 = address_q[2*ADDR_W+:ADDR_W];

    always @* if (running) begin
        i_base: assert (group_q < GROUPS && \dut.base_q == group_q * ROWS);
        i_valid: assert (\dut.valid_q == valid_q);
        i_address: assert (!valid_q[0] || \dut.addr_q [port*ADDR_W+:ADDR_W] == address_1);
        i_word: assert (
            !(valid_q[1] && marks_q[MARKS_W+4+port])
            || \dut.memory.g_bank[0].g_rom.rom.word_q [port*WORD_W+:WORD_W]
                == \dut.memory.g_bank[0].g_rom.rom.words [address_2*WORD_W+:WORD_W]
        );

        // Operations come out LATENCY enabled cycles later, none lost, repeated or invented.
        r1_valid: assert (m_valid == valid_q[LATENCY-1]);
        c1_valid: cover (m_valid && !en);

        // With each event comes the word of its group and row: groups are never mixed.
        r2_weights: assert (
            !(m_valid && m_event[port])
            || m_weights[port*WORD_W+:WORD_W] == \dut.memory.g_bank[0].g_rom.rom.words [address_3*WORD_W+:WORD_W]
        );
        c2_weights: cover (m_valid && m_event[port] && address_3 == ROWS * GROUPS - 1);

        // With it come its marks.
        r3_marks: assert (!m_valid || {m_event, m_group_last, m_step_last, m_tag} == marks);
        c3_marks: cover (m_valid && m_step_last && m_tag == 2'b11);
    end

endmodule

`default_nettype wire
