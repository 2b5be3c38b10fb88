`default_nettype none

// scsr_banked_memory with contents that are written at run time.

module prove_banked_memory_loaded #(
    parameter WIDTH = 18,
    parameter SLICES = 2,
    parameter ADDR_W = 2,
    parameter BANKS = 2,
    parameter BANK_DEPTH = 2,
    parameter BANK_ADDR_W = 1
) (
    input wire              clk,
    input wire              en,
    input wire [ADDR_W-1:0] addr,
    input wire [SLICES-1:0] write,
    input wire [15:0]       write_data
);

    wire [WIDTH-1:0] data;

    scsr_banked_memory #(
        .WIDTH(WIDTH), .ADDR_W(ADDR_W), .BANKS(BANKS), .BANK_DEPTH(BANK_DEPTH), .BANK_ADDR_W(BANK_ADDR_W), .LOADED(1),
        .SLICES(SLICES)
    ) dut (.*);

    (* anyconst *) wire [ADDR_W-1:0] address;
    (* anyconst *) wire [$clog2(WIDTH)-1:0] bit_;
    always @* assume (address < BANKS * BANK_DEPTH && bit_ < WIDTH && (write == 0 || en));

    reg       written_q = 1'b0;
    reg       word_q;
    reg [2:0] read_q = 0;
    reg [2:0] due_q;
    always @(posedge clk) begin
        if (write[bit_ / 16] && addr == address) begin
            written_q <= 1'b1;
            word_q <= write_data[bit_ % 16];
        end
        if (en) begin
            read_q <= {read_q, written_q && addr == address && write == 0};
            due_q <= {due_q, word_q};
        end
    end

    always @* if (read_q[2]) begin
        // Three enabled cycles after a word is asked for, each bit is the one that was written last.
        r1_read: assert (data[bit_] == due_q[2]);
        c1_read: cover (data[bit_] && bit_ / 16 == SLICES - 1 && address == BANKS * BANK_DEPTH - 1 && word_q == 0);
    end

endmodule

`default_nettype wire
