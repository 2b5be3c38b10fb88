`default_nettype none

// Memory with one write port and one registered read port.
//
// Latency 1 cycle. A word that is written in the cycle in which it is read comes out undefined: whoever instantiates
// this never does that, or does not use what came out. So the memory maps to block RAM without collision logic.

module scsr_ram #(
    parameter WIDTH = 1,          // width of a word in bits
    parameter DEPTH = 2,          // number of words
    parameter ADDR_W = 1,         // width of an address in bits
    parameter BLOCK = DEPTH > 32  // 1: a block of RAM; 0: left to the tool, as look-up tables may be cheaper
) (
    input  wire              clk,
    input  wire              wr_en,
    input  wire [ADDR_W-1:0] wr_addr,
    input  wire [WIDTH-1:0]  wr_data,
    input  wire              rd_en,
    input  wire [ADDR_W-1:0] rd_addr,
    output wire [WIDTH-1:0]  rd_data  // a cycle after rd_addr
);

    reg [WIDTH-1:0] rd_data_q;

    generate
        if (BLOCK != 0) begin : g_block
            (* no_rw_check, ram_style = "block" *)
            reg [WIDTH-1:0] words [0:DEPTH-1];

            always @(posedge clk) begin
                if (wr_en) words[wr_addr] <= wr_data;
                if (rd_en) rd_data_q <= words[rd_addr];
            end
        end else begin : g_free
            (* no_rw_check *)
            reg [WIDTH-1:0] words [0:DEPTH-1];

            always @(posedge clk) begin
                if (wr_en) words[wr_addr] <= wr_data;
                if (rd_en) rd_data_q <= words[rd_addr];
            end
        end
    endgenerate

    assign rd_data = rd_data_q;

endmodule

`default_nettype wire
