`default_nettype none

// RAMB18E1 of the 7 series (scsr_sim_ramb.v).

module RAMB18E1 #(
    parameter [255:0] `ZERO_SLOTS(INIT_0), `ZERO_SLOTS(INIT_1), `ZERO_SLOTS(INIT_2), `ZERO_SLOTS(INIT_3),
    parameter [255:0] INITP_00 = 0, INITP_01 = 0, INITP_02 = 0, INITP_03 = 0, INITP_04 = 0, INITP_05 = 0,
        INITP_06 = 0, INITP_07 = 0,
    parameter DOA_REG = 0, DOB_REG = 0, INIT_A = 0, INIT_B = 0, INIT_FILE = "NONE", RAM_MODE = "TDP",
        RDADDR_COLLISION_HWCONFIG = "DELAYED_WRITE", READ_WIDTH_A = 0, READ_WIDTH_B = 0, RSTREG_PRIORITY_A = "RSTREG",
        RSTREG_PRIORITY_B = "RSTREG", SIM_COLLISION_CHECK = "ALL", SIM_DEVICE = "7SERIES", SRVAL_A = 0, SRVAL_B = 0,
        WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST", WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
        IS_CLKARDCLK_INVERTED = 1'b0, IS_CLKBWRCLK_INVERTED = 1'b0, IS_ENARDEN_INVERTED = 1'b0,
        IS_ENBWREN_INVERTED = 1'b0, IS_RSTRAMARSTRAM_INVERTED = 1'b0, IS_RSTRAMB_INVERTED = 1'b0,
        IS_RSTREGARSTREG_INVERTED = 1'b0, IS_RSTREGB_INVERTED = 1'b0
) (
    input  wire        CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  wire        RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [13:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [15:0] DIADI, DIBDI,
    input  wire [1:0]  DIPADIP, DIPBDIP, WEA,
    input  wire [3:0]  WEBWE,
    output wire [15:0] DOADO, DOBDO,
    output wire [1:0]  DOPADOP, DOPBDOP
);

    scsr_sim_ramb #(
        .BYTES(2), .ADDR_W(14), .READ_A(READ_WIDTH_A), .WRITE_A(WRITE_WIDTH_A), .READ_B(READ_WIDTH_B),
        .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
        .DATA({`SLOTS(INIT_3), `SLOTS(INIT_2), `SLOTS(INIT_1), `SLOTS(INIT_0)}),
        .PARITY({INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00})
    ) memory (
        .clk_a(CLKARDCLK ^ IS_CLKARDCLK_INVERTED), .en_a(ENARDEN ^ IS_ENARDEN_INVERTED), .we_a(WEA),
        .clk_b(CLKBWRCLK ^ IS_CLKBWRCLK_INVERTED), .en_b(ENBWREN ^ IS_ENBWREN_INVERTED), .we_b(WEBWE),
        .addr_a(ADDRARDADDR), .data_a(DIADI), .parity_a(DIPADIP), .read_a(DOADO), .read_parity_a(DOPADOP),
        .addr_b(ADDRBWRADDR), .data_b(DIBDI), .parity_b(DIPBDIP), .read_b(DOBDO), .read_parity_b(DOPBDOP),
        .unknown(
            DOA_REG != 0 || DOB_REG != 0 || (ENARDEN && (RSTRAMARSTRAM ^ IS_RSTRAMARSTRAM_INVERTED)) ||
            (ENBWREN && (RSTRAMB ^ IS_RSTRAMB_INVERTED))
        )
    );

endmodule

`default_nettype wire
