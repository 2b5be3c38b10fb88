`default_nettype none

// Ends a sample whose source has stopped: LIMIT cycles after its last beat, a TICK with tlast and tuser takes its place.
//
// Latency 0, interval 1. A beat that is offered starts the count anew: waiting for the core is not silence.
// What comes after such a TICK begins a new sample.

module scsr_watchdog #(
    parameter LIMIT = 1,   // cycles without a beat in mid-sample, at least 1
    parameter COUNT_W = 1  // width of a number of cycles, 0 .. LIMIT - 1
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [15:0] s_axis_tdata,  // s_axis: the events of the outside
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    output wire [15:0] m_axis_tdata,  // m_axis: the same, or the end of a sample
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser   // 1: this end is ours
);

    localparam [31:0] LAST_NUMBER = LIMIT - 1;
    localparam [COUNT_W-1:0] LAST = LAST_NUMBER[COUNT_W-1:0];
    localparam [COUNT_W-1:0] ONE = 1;

    reg               open_q;  // a sample has begun and not ended
    reg               expired_q;  // the source has been silent for LIMIT cycles
    reg [COUNT_W-1:0] count_q;    // cycles of silence

    wire take = m_axis_tvalid && m_axis_tready;
    wire waiting = open_q && !expired_q && !s_axis_tvalid;

    assign s_axis_tready = m_axis_tready && !expired_q;
    assign m_axis_tdata = expired_q ? 16'h8000 : s_axis_tdata;
    assign m_axis_tvalid = expired_q || s_axis_tvalid;
    assign m_axis_tlast = expired_q || s_axis_tlast;
    assign m_axis_tuser = expired_q;

    always @(posedge clk) begin
        if (rst) begin
            open_q <= 1'b0;
            expired_q <= 1'b0;
            count_q <= {COUNT_W{1'b0}};
        end else begin
            if (take) open_q <= !(m_axis_tdata[15] && m_axis_tlast);
            if (waiting && count_q == LAST) expired_q <= 1'b1;
            else if (take) expired_q <= 1'b0;
            count_q <= waiting && count_q != LAST ? count_q + ONE : {COUNT_W{1'b0}};
        end
    end

endmodule

`default_nettype wire
