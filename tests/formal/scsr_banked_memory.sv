`default_nettype none

// With any contents (models/scsr_rom.v).

module prove_scsr_banked_memory #(
    parameter PORTS = 2,
    parameter WIDTH = 2,
    parameter ADDR_W = 4,
    parameter BANKS = 3,
    parameter BANK_DEPTH = 4,
    parameter BANK_ADDR_W = 2
) (
    input wire                    clk,
    input wire                    en,
    input wire [PORTS*ADDR_W-1:0] addr,
    input wire [0:0]              write,
    input wire [15:0]             write_data
);

    localparam LATENCY = BANKS > 1 ? 3 : 2;
    localparam BANK_BITS = BANK_DEPTH * WIDTH;

    wire [PORTS*WIDTH-1:0] data;

    scsr_banked_memory #(
        .PORTS(PORTS), .WIDTH(WIDTH), .ADDR_W(ADDR_W), .BANKS(BANKS), .BANK_DEPTH(BANK_DEPTH), .BANK_ADDR_W(BANK_ADDR_W)
    ) dut (.*);

    (* hierconn *) wire [BANK_BITS-1:0] \dut.g_bank[0].g_rom.rom.words ;
    (* hierconn *) wire [BANK_BITS-1:0] \dut.g_bank[1].g_rom.rom.words ;
    (* hierconn *) wire [BANK_BITS-1:0] \dut.g_bank[2].g_rom.rom.words ;

    wire [BANKS*BANK_BITS-1:0] words;
    generate
        if (BANKS == 1) assign words = \dut.g_bank[0].g_rom.rom.words ;
        else assign words = {\dut.g_bank[2].g_rom.rom.words , \dut.g_bank[1].g_rom.rom.words , \dut.g_bank[0].g_rom.rom.words };
    endgenerate

    (* anyconst *) wire port;
    always @* assume (port < PORTS);
    wire [ADDR_W-1:0] a = addr[port*ADDR_W+:ADDR_W];

    reg [LATENCY-1:0]       there_q = 0;  // the word that was asked for exists
    reg [LATENCY*WIDTH-1:0] due_q;
    reg                     idle_q = 1'b0;
    reg [PORTS*WIDTH-1:0]   data_q;
    always @(posedge clk) begin
        if (en) begin
            there_q <= {there_q, a < BANKS * BANK_DEPTH};
            due_q <= {due_q, words[a*WIDTH+:WIDTH]};
        end
        idle_q <= !en;
        data_q <= data;
    end

    always @* begin
        // Each port gives the word at its address, LATENCY enabled cycles later.
        if (there_q[LATENCY-1]) begin
            r1_read: assert (data[port*WIDTH+:WIDTH] == due_q[LATENCY*WIDTH-1-:WIDTH]);
            c1_read: cover (data[port*WIDTH+:WIDTH] == 2 && due_q[WIDTH-1:0] == 1);
        end

        // In other cycles it stays.
        if (idle_q) begin
            r2_hold: assert (data == data_q);
            c2_hold: cover (there_q == {LATENCY{1'b1}});
        end
    end

endmodule

`default_nettype wire
