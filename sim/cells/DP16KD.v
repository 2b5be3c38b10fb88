`default_nettype none

// DP16KD of the ECP5 as Yosys emits it: no output register, no reset of the output, no chip select.
//
// Byte enables come on the lowest address bits where a word has two bytes or four. With 36 bits, port A writes and port
// B reads, each with the data pins of both.

module DP16KD #(
    parameter [319:0] `ZERO_SLOTS(INITVAL_0), `ZERO_SLOTS(INITVAL_1), `ZERO_SLOTS(INITVAL_2), `ZERO_SLOTS(INITVAL_3),
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18, REGMODE_A = "NOREG", REGMODE_B = "NOREG", RESETMODE = "SYNC",
        ASYNC_RESET_RELEASE = "SYNC", CSDECODE_A = "0b000", CSDECODE_B = "0b000", WRITEMODE_A = "NORMAL",
        WRITEMODE_B = "NORMAL", CLKAMUX = "CLKA", CLKBMUX = "CLKB", GSR = "ENABLED"
) (
    input wire CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0,
    input wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input wire `PINS(DIA),
    output wire `PINS(DOA),
    input wire CLKB, CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
    input wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input wire `PINS(DIB),
    output wire `PINS(DOB)
);

    localparam [20479:0] INITVAL = {`SLOTS(INITVAL_3), `SLOTS(INITVAL_2), `SLOTS(INITVAL_1), `SLOTS(INITVAL_0)};

    // Slots of 20 bits, each with two bytes of nine
    function [18431:0] contents(input integer unused);
        integer i;
        for (i = 0; i < 1024; i = i + 1) contents[18 * i +: 18] = INITVAL[20 * i +: 18];
    endfunction

    localparam WIDE_WRITE = DATA_WIDTH_A == 36, WIDE_READ = DATA_WIDTH_B == 36;

    wire [13:0] addr_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [17:0] di_a = {`PINS(DIA)};
    wire [71:0] rd_a, rd_b;
    wire [3:0] bytes_a = DATA_WIDTH_A == 36 ? addr_a[3:0] : DATA_WIDTH_A == 18 ? {2'd0, addr_a[1:0]} : 4'd1;
    wire [7:0] we_a = {4'd0, {4{WEA}} & bytes_a};

    wire [13:0] addr_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [17:0] di_b = {`PINS(DIB)};
    wire [3:0] bytes_b = DATA_WIDTH_B == 36 ? addr_b[3:0] : DATA_WIDTH_B == 18 ? {2'd0, addr_b[1:0]} : 4'd1;
    wire [7:0] we_b = {4'd0, {4{WEB}} & bytes_b};

    wire [35:0] wr_a = {WIDE_WRITE ? di_b : 18'd0, di_a};
    assign {`PINS(DOA)} = WIDE_READ ? rd_b[17:0] : rd_a[17:0];
    assign {`PINS(DOB)} = WIDE_READ ? rd_b[35:18] : rd_b[17:0];

    wire unknown =
        REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB" ||
        (WRITEMODE_A == "WRITETHROUGH" && WEA) || (WRITEMODE_B == "WRITETHROUGH" && WEB) || RSTA || RSTB ||
        {CSA2, CSA1, CSA0, CSB2, CSB1, CSB0} != 6'd0;

    scsr_sim_bram #(
        .ADDR_W(14), .READ_A(DATA_WIDTH_A), .WRITE_A(DATA_WIDTH_A), .READ_B(DATA_WIDTH_B), .WRITE_B(DATA_WIDTH_B),
        .HOLD_A(WRITEMODE_A == "NORMAL"), .HOLD_B(WRITEMODE_B == "NORMAL"), .CONTENTS(contents(0))
    ) memory (
        .clk_a(CLKA), .en_a(CEA), .we_a(we_a), .addr_a(addr_a), .wr_a({36'd0, wr_a}), .rd_a(rd_a), .clk_b(CLKB),
        .en_b(CEB), .we_b(we_b), .addr_b(addr_b), .wr_b({54'd0, di_b}), .rd_b(rd_b), .unknown(unknown)
    );

endmodule

`default_nettype wire
