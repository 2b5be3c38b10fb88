`default_nettype none

// RAMB36E1 of the 7 series as Yosys emits it: no output register, no reset of the output,
// no cascade, no error correction.
//
// With 72 bits, port A reads and port B writes, each with the data pins of both.

module RAMB36E1 #(
    parameter [255:0] INIT_00 = 0,
    parameter [255:0] INIT_01 = 0,
    parameter [255:0] INIT_02 = 0,
    parameter [255:0] INIT_03 = 0,
    parameter [255:0] INIT_04 = 0,
    parameter [255:0] INIT_05 = 0,
    parameter [255:0] INIT_06 = 0,
    parameter [255:0] INIT_07 = 0,
    parameter [255:0] INIT_08 = 0,
    parameter [255:0] INIT_09 = 0,
    parameter [255:0] INIT_0A = 0,
    parameter [255:0] INIT_0B = 0,
    parameter [255:0] INIT_0C = 0,
    parameter [255:0] INIT_0D = 0,
    parameter [255:0] INIT_0E = 0,
    parameter [255:0] INIT_0F = 0,
    parameter [255:0] INIT_10 = 0,
    parameter [255:0] INIT_11 = 0,
    parameter [255:0] INIT_12 = 0,
    parameter [255:0] INIT_13 = 0,
    parameter [255:0] INIT_14 = 0,
    parameter [255:0] INIT_15 = 0,
    parameter [255:0] INIT_16 = 0,
    parameter [255:0] INIT_17 = 0,
    parameter [255:0] INIT_18 = 0,
    parameter [255:0] INIT_19 = 0,
    parameter [255:0] INIT_1A = 0,
    parameter [255:0] INIT_1B = 0,
    parameter [255:0] INIT_1C = 0,
    parameter [255:0] INIT_1D = 0,
    parameter [255:0] INIT_1E = 0,
    parameter [255:0] INIT_1F = 0,
    parameter [255:0] INIT_20 = 0,
    parameter [255:0] INIT_21 = 0,
    parameter [255:0] INIT_22 = 0,
    parameter [255:0] INIT_23 = 0,
    parameter [255:0] INIT_24 = 0,
    parameter [255:0] INIT_25 = 0,
    parameter [255:0] INIT_26 = 0,
    parameter [255:0] INIT_27 = 0,
    parameter [255:0] INIT_28 = 0,
    parameter [255:0] INIT_29 = 0,
    parameter [255:0] INIT_2A = 0,
    parameter [255:0] INIT_2B = 0,
    parameter [255:0] INIT_2C = 0,
    parameter [255:0] INIT_2D = 0,
    parameter [255:0] INIT_2E = 0,
    parameter [255:0] INIT_2F = 0,
    parameter [255:0] INIT_30 = 0,
    parameter [255:0] INIT_31 = 0,
    parameter [255:0] INIT_32 = 0,
    parameter [255:0] INIT_33 = 0,
    parameter [255:0] INIT_34 = 0,
    parameter [255:0] INIT_35 = 0,
    parameter [255:0] INIT_36 = 0,
    parameter [255:0] INIT_37 = 0,
    parameter [255:0] INIT_38 = 0,
    parameter [255:0] INIT_39 = 0,
    parameter [255:0] INIT_3A = 0,
    parameter [255:0] INIT_3B = 0,
    parameter [255:0] INIT_3C = 0,
    parameter [255:0] INIT_3D = 0,
    parameter [255:0] INIT_3E = 0,
    parameter [255:0] INIT_3F = 0,
    parameter [255:0] INIT_40 = 0,
    parameter [255:0] INIT_41 = 0,
    parameter [255:0] INIT_42 = 0,
    parameter [255:0] INIT_43 = 0,
    parameter [255:0] INIT_44 = 0,
    parameter [255:0] INIT_45 = 0,
    parameter [255:0] INIT_46 = 0,
    parameter [255:0] INIT_47 = 0,
    parameter [255:0] INIT_48 = 0,
    parameter [255:0] INIT_49 = 0,
    parameter [255:0] INIT_4A = 0,
    parameter [255:0] INIT_4B = 0,
    parameter [255:0] INIT_4C = 0,
    parameter [255:0] INIT_4D = 0,
    parameter [255:0] INIT_4E = 0,
    parameter [255:0] INIT_4F = 0,
    parameter [255:0] INIT_50 = 0,
    parameter [255:0] INIT_51 = 0,
    parameter [255:0] INIT_52 = 0,
    parameter [255:0] INIT_53 = 0,
    parameter [255:0] INIT_54 = 0,
    parameter [255:0] INIT_55 = 0,
    parameter [255:0] INIT_56 = 0,
    parameter [255:0] INIT_57 = 0,
    parameter [255:0] INIT_58 = 0,
    parameter [255:0] INIT_59 = 0,
    parameter [255:0] INIT_5A = 0,
    parameter [255:0] INIT_5B = 0,
    parameter [255:0] INIT_5C = 0,
    parameter [255:0] INIT_5D = 0,
    parameter [255:0] INIT_5E = 0,
    parameter [255:0] INIT_5F = 0,
    parameter [255:0] INIT_60 = 0,
    parameter [255:0] INIT_61 = 0,
    parameter [255:0] INIT_62 = 0,
    parameter [255:0] INIT_63 = 0,
    parameter [255:0] INIT_64 = 0,
    parameter [255:0] INIT_65 = 0,
    parameter [255:0] INIT_66 = 0,
    parameter [255:0] INIT_67 = 0,
    parameter [255:0] INIT_68 = 0,
    parameter [255:0] INIT_69 = 0,
    parameter [255:0] INIT_6A = 0,
    parameter [255:0] INIT_6B = 0,
    parameter [255:0] INIT_6C = 0,
    parameter [255:0] INIT_6D = 0,
    parameter [255:0] INIT_6E = 0,
    parameter [255:0] INIT_6F = 0,
    parameter [255:0] INIT_70 = 0,
    parameter [255:0] INIT_71 = 0,
    parameter [255:0] INIT_72 = 0,
    parameter [255:0] INIT_73 = 0,
    parameter [255:0] INIT_74 = 0,
    parameter [255:0] INIT_75 = 0,
    parameter [255:0] INIT_76 = 0,
    parameter [255:0] INIT_77 = 0,
    parameter [255:0] INIT_78 = 0,
    parameter [255:0] INIT_79 = 0,
    parameter [255:0] INIT_7A = 0,
    parameter [255:0] INIT_7B = 0,
    parameter [255:0] INIT_7C = 0,
    parameter [255:0] INIT_7D = 0,
    parameter [255:0] INIT_7E = 0,
    parameter [255:0] INIT_7F = 0,
    parameter [255:0] INITP_00 = 0,
    parameter [255:0] INITP_01 = 0,
    parameter [255:0] INITP_02 = 0,
    parameter [255:0] INITP_03 = 0,
    parameter [255:0] INITP_04 = 0,
    parameter [255:0] INITP_05 = 0,
    parameter [255:0] INITP_06 = 0,
    parameter [255:0] INITP_07 = 0,
    parameter [255:0] INITP_08 = 0,
    parameter [255:0] INITP_09 = 0,
    parameter [255:0] INITP_0A = 0,
    parameter [255:0] INITP_0B = 0,
    parameter [255:0] INITP_0C = 0,
    parameter [255:0] INITP_0D = 0,
    parameter [255:0] INITP_0E = 0,
    parameter [255:0] INITP_0F = 0,
    parameter DOA_REG = 0,
    parameter DOB_REG = 0,
    parameter INIT_A = 0,
    parameter INIT_B = 0,
    parameter INIT_FILE = "NONE",
    parameter RAM_MODE = "TDP",
    parameter RDADDR_COLLISION_HWCONFIG = "DELAYED_WRITE",
    parameter READ_WIDTH_A = 0,
    parameter READ_WIDTH_B = 0,
    parameter RSTREG_PRIORITY_A = "RSTREG",
    parameter RSTREG_PRIORITY_B = "RSTREG",
    parameter SIM_COLLISION_CHECK = "ALL",
    parameter SIM_DEVICE = "7SERIES",
    parameter SRVAL_A = 0,
    parameter SRVAL_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST",
    parameter WRITE_MODE_B = "WRITE_FIRST",
    parameter WRITE_WIDTH_A = 0,
    parameter WRITE_WIDTH_B = 0,
    parameter RAM_EXTENSION_A = "NONE",
    parameter RAM_EXTENSION_B = "NONE",
    parameter IS_CLKARDCLK_INVERTED = 1'b0,
    parameter IS_CLKBWRCLK_INVERTED = 1'b0,
    parameter IS_ENARDEN_INVERTED = 1'b0,
    parameter IS_ENBWREN_INVERTED = 1'b0,
    parameter IS_RSTRAMARSTRAM_INVERTED = 1'b0,
    parameter IS_RSTRAMB_INVERTED = 1'b0,
    parameter IS_RSTREGARSTREG_INVERTED = 1'b0,
    parameter IS_RSTREGB_INVERTED = 1'b0
) (
    input  wire        CLKARDCLK,
    input  wire        CLKBWRCLK,
    input  wire        ENARDEN,
    input  wire        ENBWREN,
    input  wire        REGCEAREGCE,
    input  wire        REGCEB,
    input  wire        RSTRAMARSTRAM,
    input  wire        RSTRAMB,
    input  wire        RSTREGARSTREG,
    input  wire        RSTREGB,
    input  wire        CASCADEINA,
    input  wire        CASCADEINB,
    input  wire        INJECTDBITERR,
    input  wire        INJECTSBITERR,
    input  wire [15:0] ADDRARDADDR,
    input  wire [15:0] ADDRBWRADDR,
    input  wire [31:0] DIADI,
    input  wire [31:0] DIBDI,
    input  wire [3:0]  DIPADIP,
    input  wire [3:0]  DIPBDIP,
    input  wire [3:0]  WEA,
    input  wire [7:0]  WEBWE,
    output wire        CASCADEOUTA,
    output wire        CASCADEOUTB,
    output wire [7:0]  ECCPARITY,
    output wire [8:0]  RDADDRECC,
    output wire        SBITERR,
    output wire        DBITERR,
    output wire [31:0] DOADO,
    output wire [31:0] DOBDO,
    output wire [3:0]  DOPADOP,
    output wire [3:0]  DOPBDOP
);

    localparam [32767:0] DATA = {
        INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78, INIT_77,
        INIT_76, INIT_75, INIT_74, INIT_73, INIT_72, INIT_71, INIT_70, INIT_6F, INIT_6E,
        INIT_6D, INIT_6C, INIT_6B, INIT_6A, INIT_69, INIT_68, INIT_67, INIT_66, INIT_65,
        INIT_64, INIT_63, INIT_62, INIT_61, INIT_60, INIT_5F, INIT_5E, INIT_5D, INIT_5C,
        INIT_5B, INIT_5A, INIT_59, INIT_58, INIT_57, INIT_56, INIT_55, INIT_54, INIT_53,
        INIT_52, INIT_51, INIT_50, INIT_4F, INIT_4E, INIT_4D, INIT_4C, INIT_4B, INIT_4A,
        INIT_49, INIT_48, INIT_47, INIT_46, INIT_45, INIT_44, INIT_43, INIT_42, INIT_41,
        INIT_40, INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38,
        INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, INIT_2F,
        INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28, INIT_27, INIT_26,
        INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20, INIT_1F, INIT_1E, INIT_1D,
        INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18, INIT_17, INIT_16, INIT_15, INIT_14,
        INIT_13, INIT_12, INIT_11, INIT_10, INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B,
        INIT_0A, INIT_09, INIT_08, INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02,
        INIT_01, INIT_00
    };
    localparam [4095:0] PARITY = {
        INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08,
        INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00
    };

    // Bytes of nine bits from data and parity
    function [36863:0] contents(input integer unused);
        integer i;
        for (i = 0; i < 4096; i = i + 1) contents[9 * i +: 9] = {PARITY[i], DATA[8 * i +: 8]};
    endfunction

    localparam WIDE_READ = READ_WIDTH_A == 72;
    localparam WIDE_WRITE = WRITE_WIDTH_B == 72;

    wire [71:0] wr_a;
    wire [71:0] wr_b;
    wire [71:0] rd_a;
    wire [71:0] rd_b;
    wire [63:0] data_b = WIDE_WRITE ? {DIBDI, DIADI} : {32'd0, DIBDI};
    wire [7:0] parity_b = WIDE_WRITE ? {DIPBDIP, DIPADIP} : {4'd0, DIPBDIP};

    genvar k;
    generate
        for (k = 0; k < 8; k = k + 1) begin : g_byte
            if (k < 4) begin : g_low
                assign wr_a[9 * k +: 9] = {DIPADIP[k], DIADI[8 * k +: 8]};
                assign DOADO[8 * k +: 8] = rd_a[9 * k +: 8];
                assign DOPADOP[k] = rd_a[9 * k + 8];
                assign DOBDO[8 * k +: 8] = WIDE_READ ? rd_a[9 * (k + 4) +: 8] : rd_b[9 * k +: 8];
                assign DOPBDOP[k] = WIDE_READ ? rd_a[9 * (k + 4) + 8] : rd_b[9 * k + 8];
            end else begin : g_high
                assign wr_a[9 * k +: 9] = 9'd0;
            end
            assign wr_b[9 * k +: 9] = {parity_b[k], data_b[8 * k +: 8]};
        end
    endgenerate

    assign {CASCADEOUTA, CASCADEOUTB, ECCPARITY, RDADDRECC, SBITERR, DBITERR} = 21'd0;

    wire unknown =
        DOA_REG != 0 || DOB_REG != 0 ||
        RAM_EXTENSION_A != "NONE" || RAM_EXTENSION_B != "NONE" ||
        (WRITE_MODE_A == "WRITE_FIRST" && READ_WIDTH_A != 0 && WRITE_WIDTH_A != 0) ||
        (WRITE_MODE_B == "WRITE_FIRST" && READ_WIDTH_B != 0 && WRITE_WIDTH_B != 0) ||
        (ENARDEN && (RSTRAMARSTRAM ^ IS_RSTRAMARSTRAM_INVERTED)) || (ENBWREN && (RSTRAMB ^ IS_RSTRAMB_INVERTED));

    scsr_sim_bram #(
        .ADDR_W  (15),
        .READ_A  (READ_WIDTH_A),
        .WRITE_A (WRITE_WIDTH_A),
        .READ_B  (READ_WIDTH_B),
        .WRITE_B (WRITE_WIDTH_B),
        .HOLD_A  (WRITE_MODE_A == "NO_CHANGE"),
        .HOLD_B  (WRITE_MODE_B == "NO_CHANGE"),
        .CONTENTS(contents(0))
    ) memory (
        .clk_a  (CLKARDCLK ^ IS_CLKARDCLK_INVERTED),
        .en_a   (ENARDEN ^ IS_ENARDEN_INVERTED),
        .we_a   ({4'd0, WEA}),
        .addr_a (ADDRARDADDR[14:0]),
        .wr_a   (wr_a),
        .rd_a   (rd_a),
        .clk_b  (CLKBWRCLK ^ IS_CLKBWRCLK_INVERTED),
        .en_b   (ENBWREN ^ IS_ENBWREN_INVERTED),
        .we_b   (WEBWE),
        .addr_b (ADDRBWRADDR[14:0]),
        .wr_b   (wr_b),
        .rd_b   (rd_b),
        .unknown(unknown)
    );

endmodule

`default_nettype wire
