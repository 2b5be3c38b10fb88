`default_nettype none

// Weight memory of a layer: one word, the weights of all lanes, per operation.
//
//   m_weights[p] = W[group * LANES + p, row]          word address = group * ROWS + row
//
// Latency 3 enabled cycles (address, memory, register behind the memory), interval 1.

module scsr_weights #(
    // Number of rows: inputs of all sources together
    parameter ROWS = 1,
    // Width of a row
    parameter ROW_W = 1,
    // Number of words: groups * ROWS
    parameter DEPTH = 1,
    // Width of a word's address
    parameter ADDR_W = 1,
    // Width of a word: lanes * bits of a weight
    parameter WORD_W = 1,
    // Width of the tag
    parameter TAG_W = 1,
    // Contents, in the form of $readmemh
    parameter FILE = ""
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              en,
    input  wire              s_valid,
    input  wire              s_event,
    input  wire [ROW_W-1:0]  s_row,
    input  wire              s_group_last,
    input  wire              s_step_last,
    input  wire [TAG_W-1:0]  s_tag,
    output wire              m_valid,
    output wire              m_event,
    output wire [WORD_W-1:0] m_weights,
    output wire              m_group_last,
    output wire [TAG_W-1:0]  m_tag
);

    localparam LATENCY = 3;
    localparam [ADDR_W:0] GROUP_STRIDE = ROWS;

    // First word of the current group.
    reg [ADDR_W-1:0]  base_q;
    reg [ADDR_W-1:0]  addr_q;
    reg [LATENCY-1:0] valid_q;

    always @(posedge clk) begin
        if (rst) begin
            base_q <= {ADDR_W{1'b0}};
            valid_q <= {LATENCY{1'b0}};
        end else if (en) begin
            if (s_valid && s_group_last) base_q <= s_step_last ? {ADDR_W{1'b0}} : base_q + GROUP_STRIDE[ADDR_W-1:0];
            valid_q <= {valid_q[LATENCY-2:0], s_valid};
        end
    end

    always @(posedge clk) if (en) addr_q <= base_q + {{ADDR_W - ROW_W{1'b0}}, s_row};

    scsr_rom #(
        .WIDTH (WORD_W),
        .DEPTH (DEPTH),
        .ADDR_W(ADDR_W),
        .FILE  (FILE)
    ) memory (
        .clk (clk),
        .en  (en),
        .addr(addr_q),
        .data(m_weights)
    );

    scsr_delay #(
        .WIDTH (TAG_W + 2),
        .STAGES(LATENCY)
    ) marks (
        .clk(clk),
        .en (en),
        .s  ({s_event, s_group_last, s_tag}),
        .m  ({m_event, m_group_last, m_tag})
    );

    assign m_valid = valid_q[LATENCY-1];

endmodule

`default_nettype wire
