`default_nettype none

// MULT18X18D of the ECP5 as Yosys emits it: the product alone, no register.

module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0", REG_INPUTB_CLK = "NONE",
        REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0", REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0",
        REG_INPUTC_RST = "RST0", REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0",
        REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0", CLK0_DIV = "ENABLED",
        CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED", CLK3_DIV = "ENABLED", HIGHSPEED_CLK = "NONE", GSR = "ENABLED",
        CAS_MATCH_REG = "FALSE", SOURCEB_MODE = "B_SHIFT", MULT_BYPASS = "DISABLED", RESETMODE = "SYNC"
) (
    input wire `PINS(A), `PINS(B), `PINS(C), SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1,
        CE0, RST3, RST2, RST1, RST0, `PINS(SRIA), `PINS(SRIB),
    output wire `PINS(SROA), `PINS(SROB), `PINS(ROA), `PINS(ROB), `PINS(ROC), P35, P34, P33, P32, P31, P30, P29, P28,
        P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, `PINS(P), SIGNEDP
);

    wire [17:0] a = {`PINS(A)};
    wire [17:0] b = {`PINS(B)};
    // The sign bit is 0 where an operand is unsigned.
    wire signed [18:0] a_signed = {SIGNEDA && a[17], a};
    wire signed [18:0] b_signed = {SIGNEDB && b[17], b};
    wire signed [37:0] product = a_signed * b_signed;

    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, `PINS(P)
    } = product[35:0];
    assign SIGNEDP = SIGNEDA || SIGNEDB;

    assign {`PINS(SROA), `PINS(SROB), `PINS(ROA), `PINS(ROB), `PINS(ROC)} = 90'd0;

    initial begin
        if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_PIPELINE_CLK != "NONE" ||
            REG_OUTPUT_CLK != "NONE" || MULT_BYPASS != "DISABLED") begin
            $display("%m: a mode that this model does not have");
            $stop;
        end
    end

endmodule

`default_nettype wire
