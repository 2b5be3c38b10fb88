`default_nettype none

module prove_scsr_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 4,
    parameter ADDR_W = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             s_valid,
    input wire [WIDTH-1:0] s_data,
    input wire             m_ready
);

    localparam COUNT_W = ADDR_W + 2;

    wire             s_ready;
    wire             m_valid;
    wire [WIDTH-1:0] m_data;

    scsr_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) dut (.*);

    (* hierconn *) wire [ADDR_W:0]        \dut.rd_q ;
    (* hierconn *) wire [ADDR_W:0]        \dut.stored ;
    (* hierconn *) wire [DEPTH*WIDTH-1:0] \dut.memory.words ;

    wire               out = m_valid && m_ready;
    wire [COUNT_W-1:0] count;
    wire [COUNT_W-1:0] ahead;
    wire               inside;
    wire [WIDTH-1:0]   word;

    watch #(.WIDTH(WIDTH), .COUNT_W(COUNT_W)) watch (
        .clk, .rst, .in(s_valid && s_ready), .in_data(s_data), .out, .count, .ahead, .inside, .word
    );

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    reg             offered_q = 1'b0;
    reg [WIDTH-1:0] data_q;
    always @(posedge clk) begin
        offered_q <= !rst && m_valid && !m_ready;
        data_q <= m_data;
    end

    // Where the watched word is: at the output, or in memory.
    wire [COUNT_W-1:0] place = ahead - m_valid;
    wire [ADDR_W-1:0]  address = \dut.rd_q + place;
    wire               waits = inside && !(m_valid && ahead == 0);

    always @* if (running) begin
        i_memory: assert (!waits || \dut.memory.words [address*WIDTH+:WIDTH] == word);

        // The offered beat stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_valid && m_data == data_q));
        c1_stable: cover (offered_q && count == DEPTH + 1);

        // No overflow: at most DEPTH words lie in memory, whatever the sender does.
        r2_overflow: assert (\dut.stored <= DEPTH);
        c2_overflow: cover (\dut.stored == DEPTH && s_valid);

        // No beat is lost, repeated or invented.
        r3_count: assert (count == \dut.stored + m_valid);
        c3_count: cover (count == DEPTH + 1 && out);

        // The watched word comes out at its place, unchanged.
        r4_order: assert (!(m_valid && inside && ahead == 0) || m_data == word);
        c4_order: cover (out && inside && ahead == 0 && count == DEPTH + 1);

        // Every word but the one at the output leaves room: not ready means full.
        r5_ready: assert (s_ready || count >= DEPTH);
        c5_ready: cover (!s_ready);
    end

endmodule

`default_nettype wire
