`default_nettype none

// With the contents of a build without files, all zero: that a file's words are where they belong is simulated.

module prove_scsr_rom #(
    parameter PORTS = 2,
    parameter WIDTH = 3,
    parameter DEPTH = 5,
    parameter ADDR_W = 3
) (
    input wire                    clk,
    input wire                    en,
    input wire [PORTS*ADDR_W-1:0] addr
);

    wire [PORTS*WIDTH-1:0] data;

    scsr_rom #(.PORTS(PORTS), .WIDTH(WIDTH), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) dut (.*);

    (* anyconst *) wire port;
    always @* assume (port < PORTS);
    wire [ADDR_W-1:0] a = addr[port*ADDR_W+:ADDR_W];

    reg [1:0] there_q = 0;  // the word that was asked for two enabled cycles ago exists
    reg       idle_q = 1'b0;
    reg [PORTS*WIDTH-1:0] data_q;
    always @(posedge clk) begin
        if (en) there_q <= {there_q, a < DEPTH};
        idle_q <= !en;
        data_q <= data;
    end

    always @* begin
        // Each port gives the word at its address, two enabled cycles later.
        if (there_q[1]) begin
            r1_zero: assert (data[port*WIDTH+:WIDTH] == 0);
            c1_zero: cover (idle_q);
        end

        // In other cycles the output stays.
        if (idle_q) begin
            r2_hold: assert (data == data_q);
            c2_hold: cover (there_q[0] && !there_q[1]);
        end
    end

endmodule

`default_nettype wire
