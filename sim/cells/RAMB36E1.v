`default_nettype none

// RAMB36E1 of the 7 series (scsr_sim_ramb.v), without cascade and error correction.

module RAMB36E1 #(
    parameter [255:0] `ZERO_SLOTS(INIT_0), `ZERO_SLOTS(INIT_1), `ZERO_SLOTS(INIT_2), `ZERO_SLOTS(INIT_3),
        `ZERO_SLOTS(INIT_4), `ZERO_SLOTS(INIT_5), `ZERO_SLOTS(INIT_6), `ZERO_SLOTS(INIT_7),
    parameter [255:0] `ZERO_SLOTS(INITP_0),
    parameter DOA_REG = 0, DOB_REG = 0, INIT_A = 0, INIT_B = 0, INIT_FILE = "NONE", RAM_MODE = "TDP",
        RDADDR_COLLISION_HWCONFIG = "DELAYED_WRITE", READ_WIDTH_A = 0, READ_WIDTH_B = 0, RSTREG_PRIORITY_A = "RSTREG",
        RSTREG_PRIORITY_B = "RSTREG", SIM_COLLISION_CHECK = "ALL", SIM_DEVICE = "7SERIES", SRVAL_A = 0, SRVAL_B = 0,
        WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST", WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
        RAM_EXTENSION_A = "NONE", RAM_EXTENSION_B = "NONE", IS_CLKARDCLK_INVERTED = 1'b0,
        IS_CLKBWRCLK_INVERTED = 1'b0, IS_ENARDEN_INVERTED = 1'b0, IS_ENBWREN_INVERTED = 1'b0,
        IS_RSTRAMARSTRAM_INVERTED = 1'b0, IS_RSTRAMB_INVERTED = 1'b0, IS_RSTREGARSTREG_INVERTED = 1'b0,
        IS_RSTREGB_INVERTED = 1'b0
) (
    input  wire        CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  wire        RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire        CASCADEINA, CASCADEINB, INJECTDBITERR, INJECTSBITERR,
    input  wire [15:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [31:0] DIADI, DIBDI,
    input  wire [3:0]  DIPADIP, DIPBDIP, WEA,
    input  wire [7:0]  WEBWE,
    output wire        CASCADEOUTA, CASCADEOUTB, SBITERR, DBITERR,
    output wire [7:0]  ECCPARITY,
    output wire [8:0]  RDADDRECC,
    output wire [31:0] DOADO, DOBDO,
    output wire [3:0]  DOPADOP, DOPBDOP
);

    assign {CASCADEOUTA, CASCADEOUTB, ECCPARITY, RDADDRECC, SBITERR, DBITERR} = 21'd0;

    scsr_sim_ramb #(
        .BYTES(4), .ADDR_W(15), .READ_A(READ_WIDTH_A), .WRITE_A(WRITE_WIDTH_A), .READ_B(READ_WIDTH_B),
        .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
        .DATA({
            `SLOTS(INIT_7), `SLOTS(INIT_6), `SLOTS(INIT_5), `SLOTS(INIT_4),
            `SLOTS(INIT_3), `SLOTS(INIT_2), `SLOTS(INIT_1), `SLOTS(INIT_0)
        }),
        .PARITY({`SLOTS(INITP_0)})
    ) memory (
        .clk_a(CLKARDCLK ^ IS_CLKARDCLK_INVERTED), .en_a(ENARDEN ^ IS_ENARDEN_INVERTED), .we_a(WEA),
        .clk_b(CLKBWRCLK ^ IS_CLKBWRCLK_INVERTED), .en_b(ENBWREN ^ IS_ENBWREN_INVERTED), .we_b(WEBWE),
        .addr_a(ADDRARDADDR[14:0]), .data_a(DIADI), .parity_a(DIPADIP), .read_a(DOADO), .read_parity_a(DOPADOP),
        .addr_b(ADDRBWRADDR[14:0]), .data_b(DIBDI), .parity_b(DIPBDIP), .read_b(DOBDO), .read_parity_b(DOPBDOP),
        .unknown(
            DOA_REG != 0 || DOB_REG != 0 || RAM_EXTENSION_A != "NONE" || RAM_EXTENSION_B != "NONE" ||
            (ENARDEN && (RSTRAMARSTRAM ^ IS_RSTRAMARSTRAM_INVERTED)) ||
            (ENBWREN && (RSTRAMB ^ IS_RSTRAMB_INVERTED))
        )
    );

endmodule

`default_nettype wire
