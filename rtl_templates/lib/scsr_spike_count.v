`default_nettype none

// Counts the spikes of a layer's step, for lateral inhibition in the next (quant/neurons/inhibition.py).
//
// The count of a step is there when its last word has been taken, and stays until the next step's has. Behind a sample's
// last step it is 0.

module scsr_spike_count #(
    parameter UNITS = 1,   // neurons per word
    parameter COUNT_W = 1  // width of a number of the layer's neurons
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               s_taken,   // a word of neurons leaves the layer
    input  wire               s_last,    // it is the step's last word
    input  wire               s_end,     // it is of a sample's last step
    input  wire [UNITS-1:0]   s_spikes,  // of its neurons
    output wire [COUNT_W-1:0] count
);

    localparam [COUNT_W-1:0] ONE = 1;

    reg [COUNT_W-1:0] so_far_q;  // spikes of the step's words up to here
    reg [COUNT_W-1:0] count_q;   // of the step before
    reg [COUNT_W-1:0] with_word;  // those up to here, and the word's
    integer           u;

    always @* begin
        with_word = so_far_q;
        for (u = 0; u < UNITS; u = u + 1) if (s_spikes[u]) with_word = with_word + ONE;
    end

    always @(posedge clk) begin
        if (rst) begin
            so_far_q <= {COUNT_W{1'b0}};
            count_q <= {COUNT_W{1'b0}};
        end else if (s_taken) begin
            so_far_q <= s_last ? {COUNT_W{1'b0}} : with_word;
            if (s_last) count_q <= s_end ? {COUNT_W{1'b0}} : with_word;
        end
    end

    assign count = count_q;

endmodule

`default_nettype wire
