`default_nettype none

// Deep memory in banks, each with a register of its own, so that the choice between them is not in the path that leaves
// the memory.
//
// Bank b holds words b * BANK_DEPTH onwards, from the file PREFIX "_bb.hex", bb its number in two decimal digits. Or,
// with LOADED, they are written before they are read: `write` has a bit for each 16 bits of the word at addr.
// Latency 2 enabled cycles (memory, register), with several banks 3 (choice). Interval 1.

module scsr_banked_memory #(
    parameter PORTS = 1,        // read ports, 1 or 2; 1 where LOADED
    parameter WIDTH = 1,        // width of a word in bits
    parameter ADDR_W = 1,       // width of an address in bits
    parameter BANKS = 1,        // number of banks, at most 100
    parameter BANK_DEPTH = 2,   // words in a bank, 2**BANK_ADDR_W where there are several
    parameter BANK_ADDR_W = 1,  // width of an address in a bank
    parameter PREFIX = "",      // path of the banks' files, without the number; empty: all words are zero
    parameter LOADED = 0,       // 1: the contents are written at run time
    parameter SLICES = 1        // where LOADED, the 16-bit slices of a word; else 1
) (
    input  wire                    clk,
    input  wire                    en,
    input  wire [PORTS*ADDR_W-1:0] addr,   // of all ports, port 0 in the lowest bits
    output wire [PORTS*WIDTH-1:0]  data,   // in the same order
    input  wire [SLICES-1:0]       write,  // slices of the word at addr that are written
    input  wire [15:0]             write_data
);

    wire [BANKS*PORTS*WIDTH-1:0] bank_data;  // of every bank and port
    wire [PORTS*BANK_ADDR_W-1:0] bank_addr;  // the same in all banks

    genvar b;
    genvar p;
    generate
        for (b = 0; b < BANKS; b = b + 1) begin : g_bank
            if (LOADED != 0) begin : g_loaded
                wire chosen;  // the bank that is written

                if (BANKS == 1) begin : g_only
                    assign chosen = 1'b1;
                end else begin : g_chosen
                    localparam [31:0] NUMBER = b;
                    assign chosen = addr[ADDR_W-1:BANK_ADDR_W] == NUMBER[ADDR_W-BANK_ADDR_W-1:0];
                end

                scsr_loaded_ram #(
                    .WIDTH (WIDTH),
                    .SLICES(SLICES),
                    .DEPTH (BANK_DEPTH),
                    .ADDR_W(BANK_ADDR_W)
                ) ram (
                    .clk       (clk),
                    .en        (en),
                    .addr      (bank_addr),
                    .data      (bank_data[b*WIDTH+:WIDTH]),
                    .write     (write & {SLICES{chosen}}),
                    .write_data(write_data)
                );
            end else begin : g_rom
                localparam [7:0] TENS = 48 + b / 10;
                localparam [7:0] ONES = 48 + b % 10;

                scsr_rom #(
                    .PORTS (PORTS),
                    .WIDTH (WIDTH),
                    .DEPTH (BANK_DEPTH),
                    .ADDR_W(BANK_ADDR_W),
                    .FILE  (PREFIX == "" ? "" : {PREFIX, "_", TENS, ONES, ".hex"})
                ) rom (
                    .clk (clk),
                    .en  (en),
                    .addr(bank_addr),
                    .data(bank_data[b*PORTS*WIDTH+:PORTS*WIDTH])
                );
            end
        end

        if (LOADED == 0) begin : g_read_only
            wire unused = &{1'b0, write, write_data};
        end

        for (p = 0; p < PORTS; p = p + 1) begin : g_port
            assign bank_addr[p*BANK_ADDR_W+:BANK_ADDR_W] = addr[p*ADDR_W+:BANK_ADDR_W];

            if (BANKS == 1) begin : g_one
                assign data[p*WIDTH+:WIDTH] = bank_data[p*WIDTH+:WIDTH];
            end else begin : g_choice
                localparam BANK_W = ADDR_W - BANK_ADDR_W;

                wire [BANK_W-1:0] bank;  // the bank that was read, when its word arrives
                reg [WIDTH-1:0]   data_q;

                scsr_delay #(
                    .WIDTH (BANK_W),
                    .STAGES(2)
                ) bank_delay (
                    .clk(clk),
                    .en (en),
                    .s  (addr[p*ADDR_W+BANK_ADDR_W+:BANK_W]),
                    .m  (bank)
                );

                for (b = 0; b < WIDTH; b = b + 1) begin : g_bit
                    wire [BANKS-1:0] column;  // one bit of all banks
                    genvar k;
                    for (k = 0; k < BANKS; k = k + 1) begin : g_column
                        assign column[k] = bank_data[(k*PORTS+p)*WIDTH+b];
                    end
                    always @(posedge clk) if (en) data_q[b] <= column[bank];
                end

                assign data[p*WIDTH+:WIDTH] = data_q;
            end
        end
    endgenerate

endmodule

`default_nettype wire
