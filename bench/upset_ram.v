`default_nettype none

// scsr_ram in which bits flip, for simulation: in each cycle with a probability of WIDTH * DEPTH / period, one of them.
// mem/upsets.hex holds the period, 0 for none, and a seed.

module upset_ram #(
    parameter WIDTH = 1,
    parameter DEPTH = 2,
    parameter ADDR_W = 1
) (
    input  wire              clk,
    input  wire              wr_en,
    input  wire [ADDR_W-1:0] wr_addr,
    input  wire [WIDTH-1:0]  wr_data,
    input  wire              rd_en,
    input  wire [ADDR_W-1:0] rd_addr,
    output reg  [WIDTH-1:0]  rd_data
);

    localparam [63:0] BITS = WIDTH * DEPTH;

    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [63:0]      upsets [0:1];
    reg [63:0]      random;  // xorshift64 (Marsaglia 2003, "Xorshift RNGs")

    wire [63:0] bit_number = (random >> 20) % BITS;
    wire [63:0] word = bit_number / WIDTH;
    wire [63:0] place = bit_number % WIDTH;

    integer i;
    initial begin
        $readmemh("mem/upsets.hex", upsets);
        random = upsets[1] ^ (BITS << 32);
        for (i = 0; i < DEPTH; i = i + 1) words[i] = {WIDTH{1'b0}};
    end

    always @(posedge clk) begin
        random = random ^ (random << 13);
        random = random ^ (random >> 7);
        random = random ^ (random << 17);
        if (wr_en) words[wr_addr] = wr_data;
        if (upsets[0] != 0 && random % upsets[0] < BITS) words[word[ADDR_W-1:0]] = words[word[ADDR_W-1:0]] ^ (1'b1 << place);
        if (rd_en) rd_data <= words[rd_addr];
    end

endmodule

`default_nettype wire
