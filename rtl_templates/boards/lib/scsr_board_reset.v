`default_nettype none

// Reset of a board: on for 255 cycles after configuration, and for 255 cycles after `good` was last low.
//
// `good` is asynchronous: a PLL's lock, a button. Registers start at zero, as configuration leaves them.

module scsr_board_reset (
    input  wire clk,
    input  wire good,
    output wire rst
);

    localparam [7:0] ONE = 8'd1;
    localparam [7:0] DONE = 8'hff;

    reg [1:0] good_q;
    reg [7:0] count_q;
    reg       ready_q;

    initial begin
        good_q = 2'b00;
        count_q = 8'd0;
        ready_q = 1'b0;
    end

    always @(posedge clk) begin
        good_q <= {good_q[0], good};
        if (!good_q[1]) count_q <= 8'd0;
        else if (count_q != DONE) count_q <= count_q + ONE;
        ready_q <= count_q == DONE;
    end

    assign rst = !ready_q;

endmodule

`default_nettype wire
