`default_nettype none

// Weight memory of a layer: per operation and port one word, the weights of all lanes.
//
//   m_weights[port][p] = W[group * LANES + p, row[port]]          word address = group * ROWS + row
//
// Latency 3 enabled cycles (address, memory, register behind the memory), with several banks 4 (scsr_banked_memory.v),
// and those of scsr_guard where the memory is protected. Interval 1. A loaded memory is written between a reset and the
// first operation, while `en` is high.

module scsr_weights #(
    parameter PORTS = 1,        // read ports, 1 or 2
    parameter ROWS = 1,         // number of rows: inputs of all sources together
    parameter ROW_W = 1,        // width of a row
    parameter ADDR_W = 1,       // width of a word's address
    parameter WORD_W = 1,       // width of a word: lanes * bits of a weight
    // Width of the tag; its highest bit says, where the memory is protected, that the sample is damaged (scsr_mark.v)
    parameter TAG_W = 1,
    parameter CHECKS = 0,       // check bits of a block (scsr_guard.v); 0: not protected
    parameter CHECK_W = 0,      // check bits of a word
    parameter BANKS = 1,        // banks of the memory (scsr_banked_memory.v)
    parameter BANK_DEPTH = 2,   // words in a bank
    parameter BANK_ADDR_W = 1,  // width of an address in a bank
    parameter PREFIX = "",      // path of the banks' files, without the number
    parameter LOADED = 0,       // 1: the contents are written at run time
    parameter SLICES = 1        // where LOADED, the 16-bit slices of a word; else 1
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    en,
    input  wire                    s_valid,       // operations: rows to read
    input  wire [PORTS-1:0]        s_event,       // which of them are events
    input  wire [PORTS*ROW_W-1:0]  s_row,         // an input, counted over all sources
    input  wire                    s_group_last,  // ends a group of neurons
    input  wire                    s_step_last,   // ends a step
    input  wire [TAG_W-1:0]        s_tag,
    output wire                    m_valid,       // the same operations with their weights
    output wire [PORTS-1:0]        m_event,
    output wire [PORTS*WORD_W-1:0] m_weights,     // of all lanes, port 0 in the lowest bits
    output wire                    m_group_last,
    output wire                    m_step_last,
    output wire [TAG_W-1:0]        m_tag,
    input  wire [SLICES-1:0]       l_write,       // slices to write, where LOADED
    input  wire [ADDR_W-1:0]       l_addr,        // of the word that the slice belongs to
    input  wire [15:0]             l_data
);

    localparam STORED_W = WORD_W + CHECK_W;
    localparam GUARD = CHECKS > 1 ? 2 : CHECKS;
    localparam LATENCY = (BANKS > 1 ? 4 : 3) + GUARD;
    localparam [ADDR_W:0] GROUP_STRIDE = ROWS;

    // First word of the current group.
    reg [ADDR_W-1:0]       base_q;
    reg [PORTS*ADDR_W-1:0] addr_q;   // the address of each port's word
    reg [LATENCY-1:0]      valid_q;  // which stages hold an operation

    wire [PORTS*STORED_W-1:0] stored;  // words with their check bits
    wire [TAG_W-1:0]          tag;     // before the guard's mark

    // What is written comes to the memory together with its address.
    wire              loading;  // a word is written, none is read
    wire [SLICES-1:0] write;
    wire [15:0]       write_data;

    always @(posedge clk) begin
        if (rst) begin
            base_q <= {ADDR_W{1'b0}};
            valid_q <= {LATENCY{1'b0}};
        end else if (en) begin
            if (s_valid && s_group_last) base_q <= s_step_last ? {ADDR_W{1'b0}} : base_q + GROUP_STRIDE[ADDR_W-1:0];
            valid_q <= {valid_q[LATENCY-2:0], s_valid};
        end
    end

    genvar p;
    generate
        for (p = 0; p < PORTS; p = p + 1) begin : g_port
            wire [ADDR_W-1:0] row = {{ADDR_W - ROW_W{1'b0}}, s_row[p*ROW_W+:ROW_W]};
            wire [ADDR_W-1:0] addr = base_q + row;
            always @(posedge clk) if (en) addr_q[p*ADDR_W+:ADDR_W] <= loading ? l_addr : addr;
        end
    endgenerate

    generate
        if (LOADED != 0) begin : g_loaded
            reg [SLICES-1:0] write_q;
            reg [15:0]       write_data_q;

            always @(posedge clk) begin
                write_q <= l_write;
                write_data_q <= l_data;
            end

            assign loading = |l_write;
            assign write = write_q;
            assign write_data = write_data_q;
        end else begin : g_read_only
            assign loading = 1'b0;
            assign write = l_write;
            assign write_data = l_data;
        end
    endgenerate

    scsr_banked_memory #(
        .PORTS      (PORTS),
        .WIDTH      (STORED_W),
        .ADDR_W     (ADDR_W),
        .BANKS      (BANKS),
        .BANK_DEPTH (BANK_DEPTH),
        .BANK_ADDR_W(BANK_ADDR_W),
        .PREFIX     (PREFIX),
        .LOADED     (LOADED),
        .SLICES     (SLICES)
    ) memory (
        .clk       (clk),
        .en        (en),
        .addr      (addr_q),
        .data      (stored),
        .write     (write),
        .write_data(write_data)
    );

    scsr_delay #(
        .WIDTH (PORTS + 2 + TAG_W),
        .STAGES(LATENCY)
    ) marks (
        .clk(clk),
        .en (en),
        .s  ({s_event, s_group_last, s_step_last, s_tag}),
        .m  ({m_event, m_group_last, m_step_last, tag})
    );

    generate
        if (CHECKS == 0) begin : g_unprotected
            assign m_weights = stored;
            assign m_tag = tag;
        end else begin : g_protected
            wire [PORTS-1:0] damaged;  // the guard could not mend the port's word

            for (p = 0; p < PORTS; p = p + 1) begin : g_guard
                scsr_guard #(
                    .WIDTH  (WORD_W),
                    .CHECKS (CHECKS),
                    .CHECK_W(CHECK_W)
                ) guard (
                    .clk      (clk),
                    .en       (en),
                    .s_word   (stored[p*STORED_W+:STORED_W]),
                    .m_data   (m_weights[p*WORD_W+:WORD_W]),
                    .m_damaged(damaged[p])
                );
            end

            scsr_mark #(
                .TAG_W(TAG_W)
            ) mark (
                .clk    (clk),
                .rst    (rst),
                .en     (en),
                .valid  (m_valid),
                .damaged(|(damaged & m_event)),
                .last   (m_step_last && tag[0]),
                .s_tag  (tag),
                .m_tag  (m_tag)
            );
        end
    endgenerate

    assign m_valid = valid_q[LATENCY-1];

endmodule

`default_nettype wire
