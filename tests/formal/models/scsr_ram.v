`default_nettype none

// What whoever instantiates scsr_ram may rely on, and no more: a word that is written in the cycle in which it is read
// comes out as anything, and so does one that does not exist. scsr_ram.sv proves that scsr_ram keeps this.

module scsr_ram #(
    // Width of a word in bits
    parameter WIDTH = 1,
    // Number of words
    parameter DEPTH = 2,
    // Width of an address in bits
    parameter ADDR_W = 1,
    // Only for tools of synthesis
    parameter BLOCK = 1
) (
    input  wire              clk,
    input  wire              wr_en,
    input  wire [ADDR_W-1:0] wr_addr,
    input  wire [WIDTH-1:0]  wr_data,
    input  wire              rd_en,
    input  wire [ADDR_W-1:0] rd_addr,
    output wire [WIDTH-1:0]  rd_data
);

    // One vector, so that invariants can speak of the contents.
    reg [DEPTH*WIDTH-1:0] words;
    reg [WIDTH-1:0]       rd_data_q;
    (* anyseq *) wire [WIDTH-1:0] anything;

    always @(posedge clk) begin
        if (wr_en && wr_addr < DEPTH) words[wr_addr*WIDTH+:WIDTH] <= wr_data;
        if (rd_en) begin
            rd_data_q <= rd_addr >= DEPTH || (wr_en && wr_addr == rd_addr) ? anything : words[rd_addr*WIDTH+:WIDTH];
        end
    end

    assign rd_data = rd_data_q;

endmodule

`default_nettype wire
