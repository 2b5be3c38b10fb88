`default_nettype none

// Checks the words of a protected memory, and corrects what can be (hwgen/core/codes.py).
//
//   s_word = {check bits of all blocks, data}     a block is 64 bits of data, the last one the rest
//
// CHECKS = 1: the check bit makes the parity of its block even; an odd number of flipped bits is found.
// CHECKS > 1: an extended Hamming code; in each block one flipped bit is corrected and two are found. The check bits that
// a data bit counts in, its column, are its Hamming position and one bit more, which makes their number odd. So one
// flipped bit leaves an odd syndrome, its column, and two leave an even one.
//
// Latency 1 enabled cycle with parity (compare), else 2 (syndrome, correction). Interval 1.

module scsr_guard #(
    parameter WIDTH = 1,   // width of the data
    parameter CHECKS = 1,  // check bits of a block
    parameter CHECK_W = 1  // check bits of all blocks
) (
    input  wire                     clk,
    input  wire                     en,
    input  wire [CHECK_W+WIDTH-1:0] s_word,    // as it comes from the memory
    output wire [WIDTH-1:0]         m_data,    // corrected, where that is possible
    output wire                     m_damaged  // the word is not what was stored, and not corrected
);

    localparam BLOCK_W = 64;
    localparam BLOCKS = (WIDTH + BLOCK_W - 1) / BLOCK_W;

    localparam [CHECKS-1:0] ONE = 1;

    wire [BLOCKS-1:0] damaged;  // of each block

    assign m_damaged = |damaged;

    genvar k;
    genvar i;
    generate
        for (k = 0; k < BLOCKS; k = k + 1) begin : g_block
            localparam DATA_W = k == BLOCKS - 1 ? WIDTH - k * BLOCK_W : BLOCK_W;

            wire [DATA_W-1:0] data = s_word[k*BLOCK_W+:DATA_W];
            wire [CHECKS-1:0] check = s_word[WIDTH+k*CHECKS+:CHECKS];
            reg [DATA_W-1:0]  data_1_q;

            always @(posedge clk) if (en) data_1_q <= data;

            if (CHECKS == 1) begin : g_parity
                reg odd_1_q;  // an odd number of bits is flipped

                always @(posedge clk) if (en) odd_1_q <= ^{data, check};

                assign m_data[k*BLOCK_W+:DATA_W] = data_1_q;
                assign damaged[k] = odd_1_q;
            end else begin : g_correct
                reg [CHECKS-1:0]  syndrome_1_q;  // 0: the block is as it was stored
                reg [DATA_W-1:0]  data_2_q;
                reg               damaged_2_q;
                wire [DATA_W-1:0] flipped;       // the data bit that the syndrome names

                wire check_flipped = (syndrome_1_q & (syndrome_1_q - ONE)) == {CHECKS{1'b0}};

                for (i = 0; i < CHECKS; i = i + 1) begin : g_check
                    localparam [BLOCK_W-1:0] COVERED = covered(ONE << i);
                    always @(posedge clk) if (en) syndrome_1_q[i] <= ^{data & COVERED[DATA_W-1:0], check[i]};
                end

                for (i = 0; i < DATA_W; i = i + 1) begin : g_bit
                    localparam [CHECKS-1:0] COLUMN = column(i);
                    assign flipped[i] = syndrome_1_q == COLUMN;
                end

                always @(posedge clk) begin
                    if (en) begin
                        data_2_q <= data_1_q ^ flipped;
                        damaged_2_q <= !check_flipped && !(|flipped);
                    end
                end

                assign m_data[k*BLOCK_W+:DATA_W] = data_2_q;
                assign damaged[k] = damaged_2_q;
            end
        end
    endgenerate

    // Data bits have the Hamming positions 3, 5, 6, 7, 9, ...: all but the powers of two.
    function [31:0] position;
        input integer bit_number;
        integer power;
        begin
            position = bit_number + 1;
            for (power = 1; power < 2 ** (CHECKS - 1); power = power * 2) if (position >= power) position = position + 1;
        end
    endfunction

    function [CHECKS-1:0] column;
        input integer bit_number;
        reg [31:0] place;
        begin
            place = position(bit_number);
            place = {place[30:0], ~^place};
            column = place[CHECKS-1:0];
        end
    endfunction

    // The data bits that count in a check bit.
    function [BLOCK_W-1:0] covered;
        input [CHECKS-1:0] check_bit;
        integer bit_number;
        begin
            for (bit_number = 0; bit_number < BLOCK_W; bit_number = bit_number + 1) begin
                covered[bit_number] = |(column(bit_number) & check_bit);
            end
        end
    endfunction

endmodule

`default_nettype wire
