`default_nettype none

module prove_scsr_loaded_ram #(
    parameter WIDTH = 18,
    parameter SLICES = 2,
    parameter DEPTH = 2,
    parameter ADDR_W = 1
) (
    input wire              clk,
    input wire              en,
    input wire [ADDR_W-1:0] addr,
    input wire [SLICES-1:0] write,
    input wire [15:0]       write_data
);

    wire [WIDTH-1:0] data;

    scsr_loaded_ram #(.WIDTH(WIDTH), .SLICES(SLICES), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) dut (.*);

    // A bit of a word, any: it lies in slice `bit_ / 16`.
    (* anyconst *) wire [ADDR_W-1:0] address;
    (* anyconst *) wire [$clog2(WIDTH)-1:0] bit_;
    always @* assume (address < DEPTH && bit_ < WIDTH);
    wire mine = write[bit_ / 16] && addr == address;

    reg       written_q = 1'b0;
    reg       word_q;
    reg [1:0] read_q = 0;
    reg [1:0] due_q;
    always @(posedge clk) begin
        if (mine) begin
            written_q <= 1'b1;
            word_q <= write_data[bit_ % 16];
        end
        if (en) begin
            read_q <= {read_q, written_q && addr == address && write == 0};
            due_q <= {due_q, word_q};
        end
    end

    always @* if (read_q[1]) begin
        // Two enabled cycles after a word is asked for, each bit is the one that was written last.
        r1_read: assert (data[bit_] == due_q[1]);
        c1_read: cover (data[bit_] && bit_ / 16 == SLICES - 1 && word_q == 0);
    end

endmodule

`default_nettype wire
