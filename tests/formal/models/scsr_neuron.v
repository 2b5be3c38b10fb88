`default_nettype none

// A neuron that does anything: what is proven with it holds for every arithmetic.

module scsr_neuron #(
    // Width of membrane and filtered current
    parameter STATE_W = 16,
    // Width of a leak
    parameter LEAK_W = 8,
    // Width of a leak's code (scsr_decay.v)
    parameter CODE_W = 8,
    // 1: a leak's code is a shift (scsr_decay.v)
    parameter SHIFT = 0,
    // Width of a threshold, less than STATE_W; 0 where the neuron does not spike
    parameter THRESHOLD_W = 15,
    // Width of a self-weight, at least 2; 0 where there is none
    parameter SELF_W = 0,
    // Width of the sum of weights
    parameter SUM_W = 8,
    // Width of x: the sum and the self-weight
    parameter X_W = 9,
    // 1: the neuron has a synaptic filter
    parameter SYNAPSE = 0,
    // 1: a spike subtracts the threshold; 0: it sets the membrane to zero
    parameter RESET_SUBTRACT = 0,
    // Width of the value: 1 where the neuron spikes, else STATE_W
    parameter VALUE_W = 1,
    // Width of a state word
    parameter STATE_WORD_W = 16,
    // Width of a parameter word
    parameter PARAM_W = 23
) (
    input  wire                    clk,
    input  wire                    en,
    input  wire signed [SUM_W-1:0] sum,
    input  wire [STATE_WORD_W-1:0] state,
    input  wire [PARAM_W-1:0]      param,
    output wire [STATE_WORD_W-1:0] next_state,
    output wire [VALUE_W-1:0]      value
);

    (* anyseq *) wire [STATE_WORD_W-1:0] any_state;
    (* anyseq *) wire [VALUE_W-1:0]      any_value;

    assign next_state = any_state;
    assign value = any_value;

endmodule

`default_nettype wire
