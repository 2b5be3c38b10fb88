`default_nettype none

// The code by its definition: in a Hamming code of the data, each check is the parity of the places whose number has its
// bit; one check more makes the parity of the whole even. Without Hamming checks that is parity.

module prove_scsr_guard #(
    parameter WIDTH = 4,
    parameter CHECKS = 4,
    parameter CHECK_W = 4,
    // 0: the stored data are zero. The code is linear, and solvers are not made for sums of many bits
    parameter ANY_DATA = 1
) (
    input wire                     clk,
    input wire                     en,
    input wire [WIDTH-1:0]         any,
    input wire [CHECK_W+WIDTH-1:0] flips
);

    localparam BLOCK_W = 64;
    localparam BLOCKS = (WIDTH + BLOCK_W - 1) / BLOCK_W;

    wire [CHECK_W+WIDTH-1:0] word;
    wire [WIDTH-1:0]         m_data;
    wire                     m_damaged;

    scsr_guard #(.WIDTH(WIDTH), .CHECKS(CHECKS), .CHECK_W(CHECK_W)) dut (.clk, .en, .s_word(word ^ flips), .m_data, .m_damaged);

    wire [WIDTH-1:0] stored = ANY_DATA != 0 ? any : 0;
    assign word[WIDTH-1:0] = stored;

    wire [BLOCKS-1:0] right;  // nothing is flipped in the block, or, with a Hamming code, at most one bit
    wire [BLOCKS-1:0] found;  // as many are as must be found: an odd number, or two

    genvar k;
    generate
        for (k = 0; k < BLOCKS; k = k + 1) begin : g_block
            localparam DATA_W = k == BLOCKS - 1 ? WIDTH - k * BLOCK_W : BLOCK_W;

            wire [DATA_W-1:0]        data = stored[k*BLOCK_W+:DATA_W];
            wire [DATA_W+CHECKS-1:0] flip = {flips[WIDTH+k*CHECKS+:CHECKS], flips[k*BLOCK_W+:DATA_W]};
            wire                     one = (flip & (flip - 1'b1)) == 0;  // or none
            wire [DATA_W+CHECKS-1:0] others = flip & (flip - 1'b1);
            wire                     two = others != 0 && (others & (others - 1'b1)) == 0;

            if (CHECKS == 1) begin : g_parity
                assign word[WIDTH+k] = ^data;
                assign right[k] = flip == 0;
                assign found[k] = ^flip;
            end else begin : g_hamming
                reg [CHECKS-2:0] hamming;
                integer          place;
                integer          bit_number;
                always @* begin
                    hamming = 0;
                    bit_number = 0;
                    for (place = 1; place <= DATA_W + CHECKS; place = place + 1) begin
                        if ((place & (place - 1)) != 0 && bit_number < DATA_W) begin
                            if (data[bit_number]) hamming = hamming ^ place[CHECKS-2:0];
                            bit_number = bit_number + 1;
                        end
                    end
                end
                assign word[WIDTH+k*CHECKS+:CHECKS] = {hamming, ^{data, hamming}};
                assign right[k] = one;
                assign found[k] = two;
            end
        end
    endgenerate

    reg [1:0]         enabled_q = 2'b00;
    reg [2*WIDTH-1:0] stored_q;
    reg [1:0]         right_q;
    reg [1:0]         found_q;
    reg               held_q = 1'b0;
    reg [WIDTH:0]     held_out_q;
    always @(posedge clk) begin
        enabled_q <= {enabled_q[0], en};
        stored_q <= {stored_q, stored};
        right_q <= {right_q[0], &right};
        found_q <= {found_q[0], |found};
        held_q <= !en;
        held_out_q <= {m_damaged, m_data};
    end

    localparam LAST = CHECKS == 1 ? 0 : 1;  // stage that is at the output
    wire              there = &enabled_q[LAST:0];
    wire [WIDTH-1:0]  data = stored_q[LAST*WIDTH+:WIDTH];

    always @* begin
        // A sound word comes out as it was stored, with a Hamming code one with a flipped bit in each block, too.
        r1_right: assert (!(there && right_q[LAST]) || (m_data == data && !m_damaged));
        c1_right: cover (there && right_q[LAST]);

        // An odd number of flipped bits in some block, with a Hamming code two, is reported.
        r2_found: assert (!(there && found_q[LAST]) || m_damaged);
        c2_found: cover (there && found_q[LAST]);

        // In other cycles the output stays.
        r3_hold: assert (!held_q || {m_damaged, m_data} == held_out_q);
        c3_hold: cover (held_q && m_damaged);
    end

endmodule

`default_nettype wire
