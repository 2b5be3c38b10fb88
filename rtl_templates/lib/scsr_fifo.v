`default_nettype none

// First-in, first-out buffer with a registered output.
//
// Latency 2 cycles, interval 1. Holds DEPTH words in memory and one at the output.

module scsr_fifo #(
    parameter WIDTH = 1,  // width of a word in bits
    parameter DEPTH = 2,  // number of words in memory, 2**ADDR_W
    parameter ADDR_W = 1  // width of an address in bits
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);

    localparam [ADDR_W:0] ONE = 1;

    // One bit more than an address tells a full memory from an empty one.
    reg [ADDR_W:0] wr_q;       // words written so far
    reg [ADDR_W:0] rd_q;       // words read so far
    reg            m_valid_q;  // the memory's output is a word

    wire [ADDR_W:0] stored = wr_q - rd_q;
    wire            full = stored[ADDR_W];
    wire            empty = wr_q == rd_q;
    wire            wr_en = s_valid && s_ready;
    wire            rd_en = !empty && (!m_valid_q || m_ready);

    assign s_ready = !full;
    assign m_valid = m_valid_q;

    always @(posedge clk) begin
        if (rst) begin
            wr_q <= {ADDR_W + 1{1'b0}};
            rd_q <= {ADDR_W + 1{1'b0}};
            m_valid_q <= 1'b0;
        end else begin
            if (wr_en) wr_q <= wr_q + ONE;
            if (rd_en) rd_q <= rd_q + ONE;
            if (rd_en) m_valid_q <= 1'b1;
            else if (m_ready) m_valid_q <= 1'b0;
        end
    end

    scsr_ram #(
        .WIDTH (WIDTH),
        .DEPTH (DEPTH),
        .ADDR_W(ADDR_W)
    ) memory (
        .clk    (clk),
        .wr_en  (wr_en),
        .wr_addr(wr_q[ADDR_W-1:0]),
        .wr_data(s_data),
        .rd_en  (rd_en),
        .rd_addr(rd_q[ADDR_W-1:0]),
        .rd_data(m_data)
    );

endmodule

`default_nettype wire
