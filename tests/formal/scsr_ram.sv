`default_nettype none

// The memory itself, and what its model (models/scsr_ram.v) lets happen.

module prove_scsr_ram #(
    parameter WIDTH = 2,
    parameter DEPTH = 5,
    parameter ADDR_W = 3,
    parameter BLOCK = 0
) (
    input wire              clk,
    input wire              wr_en,
    input wire [ADDR_W-1:0] wr_addr,
    input wire [WIDTH-1:0]  wr_data,
    input wire              rd_en,
    input wire [ADDR_W-1:0] rd_addr
);

    wire [WIDTH-1:0] rd_data;

    scsr_ram #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .BLOCK(BLOCK)) dut (.*);

    (* anyconst *) wire [ADDR_W-1:0] address;
    always @* assume (address < DEPTH);

    reg             written_q = 1'b0;
    reg             read_q = 1'b0;    // the last read was of this address, after it was written, and of no word that just was
    reg             idle_q = 1'b0;
    reg [WIDTH-1:0] word_q;
    reg [WIDTH-1:0] due_q;
    reg [WIDTH-1:0] data_q;
    always @(posedge clk) begin
        if (wr_en && wr_addr == address) begin
            written_q <= 1'b1;
            word_q <= wr_data;
        end
        if (rd_en) begin
            read_q <= written_q && rd_addr == address && !(wr_en && wr_addr == address);
            due_q <= word_q;
        end
        idle_q <= !rd_en;
        data_q <= rd_data;
    end

    always @* begin
        // A read gives the word that was written last, if that is not just being written.
        if (read_q) begin
            r1_read: assert (rd_data == due_q);
            c1_read: cover (rd_data != 0 && word_q != due_q);
        end

        // Without a read the output stays.
        if (idle_q) begin
            r2_hold: assert (rd_data == data_q);
            c2_hold: cover (read_q && rd_data != word_q);
        end
    end

endmodule

`default_nettype wire
