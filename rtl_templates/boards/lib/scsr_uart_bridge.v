`default_nettype none

// Bridge between a serial line and a core's streams, by the protocol of docs/boards.md.
//
// A RESET byte restarts everything but the two shift registers on the line, at any time. After a fault the core is held
// in reset and the host's bytes are dropped until a RESET comes: no answer ever comes from a damaged sample.

module scsr_uart_bridge #(
    parameter BIT_CYCLES = 16,       // length of a bit on the line in cycles, at least 4
    parameter COUNT_W = 5,           // width of a counter of BIT_CYCLES
    parameter [15:0] MODEL = 16'd0,  // the number that tells this core from others
    parameter LOAD = 0               // 1: the core takes words for its weights
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        uart_rx,       // from the host
    output wire        uart_tx,       // to the host
    output wire        core_rst,      // resets the core and everything behind it
    output wire        faulty,        // something was wrong with the host's bytes
    output wire [15:0] m_axis_tdata,  // m_axis: events to the core
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    output wire [15:0] m_load_tdata,  // m_load: weights to the core
    output wire        m_load_tvalid,
    input  wire        m_load_tready,
    input  wire [31:0] s_axis_tdata,  // s_axis: packets from the core
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast
);

    localparam [7:0] RESET_BYTE = 8'hff;
    localparam [15:0] ONE = 16'd1;

    // As many bytes as fit into one small block RAM, and what READY says of them.
    localparam WINDOW_W = 9;
    localparam WINDOW = 512;
    localparam [3:0] VERSION = 4'd1;
    localparam [11:0] WINDOW_UNITS = 12'd4;

    localparam [2:0] NO_FAULT = 3'd0;
    localparam [2:0] OVERRUN = 3'd1;
    localparam [2:0] FRAMING = 3'd2;
    localparam [2:0] ORDER = 3'd3;
    localparam [2:0] CHECK = 3'd4;

    reg        restart_q;   // the host has asked for a reset
    reg        core_rst_q;  // the core is held in reset
    reg [2:0]  fault_q;     // the first thing that went wrong
    reg [15:0] taken_q;     // bytes taken out of the window since the reset

    wire       rx_valid;
    wire [7:0] rx_data;
    wire       rx_error;  // the stop bit was missing
    wire       byte_valid = rx_valid && !rx_error && rx_data != RESET_BYTE;
    wire       restart = rx_valid && !rx_error && rx_data == RESET_BYTE;
    wire       halt = restart_q || fault_q != NO_FAULT;

    wire       fifo_ready;  // the window has room
    wire       taken_valid;
    wire       taken_ready;
    wire [7:0] taken_data;

    wire       fault_order;  // a byte that cannot come here
    wire       fault_check;  // a checksum is wrong

    wire       tx_valid;
    wire       tx_ready;
    wire [7:0] tx_data;

    assign core_rst = core_rst_q;
    assign faulty = fault_q != NO_FAULT;

    always @(posedge clk) begin
        if (rst) begin
            restart_q <= 1'b1;
            core_rst_q <= 1'b1;
        end else begin
            restart_q <= restart;
            core_rst_q <= halt;
        end
    end

    always @(posedge clk) begin
        if (restart_q) begin
            fault_q <= NO_FAULT;
        end else if (fault_q == NO_FAULT) begin
            if (rx_valid && rx_error) fault_q <= FRAMING;
            else if (byte_valid && !fifo_ready) fault_q <= OVERRUN;
            else if (fault_order) fault_q <= ORDER;
            else if (fault_check) fault_q <= CHECK;
        end
    end

    always @(posedge clk) begin
        if (restart_q) taken_q <= 16'd0;
        else if (taken_valid && taken_ready) taken_q <= taken_q + ONE;
    end

    scsr_uart_rx #(
        .BIT_CYCLES(BIT_CYCLES),
        .COUNT_W   (COUNT_W)
    ) receiver (
        .clk    (clk),
        .rst    (rst),
        .rx     (uart_rx),
        .m_valid(rx_valid),
        .m_data (rx_data),
        .m_error(rx_error)
    );

    scsr_fifo #(
        .WIDTH (8),
        .DEPTH (WINDOW),
        .ADDR_W(WINDOW_W)
    ) window (
        .clk    (clk),
        .rst    (halt),
        .s_valid(byte_valid),
        .s_ready(fifo_ready),
        .s_data (rx_data),
        .m_valid(taken_valid),
        .m_ready(taken_ready),
        .m_data (taken_data)
    );

    scsr_uart_decode #(
        .LOAD(LOAD)
    ) decoder (
        .clk          (clk),
        .rst          (halt),
        .s_valid      (taken_valid),
        .s_ready      (taken_ready),
        .s_data       (taken_data),
        .m_axis_tdata (m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast (m_axis_tlast),
        .m_load_tdata (m_load_tdata),
        .m_load_tvalid(m_load_tvalid),
        .m_load_tready(m_load_tready),
        .fault_order  (fault_order),
        .fault_check  (fault_check)
    );

    scsr_uart_encode #(
        .MODEL   (MODEL),
        .GREETING({VERSION, WINDOW_UNITS})
    ) encoder (
        .clk          (clk),
        .rst          (restart_q),
        .taken        (taken_q),
        .fault        (fault_q),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .m_valid      (tx_valid),
        .m_ready      (tx_ready),
        .m_data       (tx_data)
    );

    scsr_uart_tx #(
        .BIT_CYCLES(BIT_CYCLES),
        .COUNT_W   (COUNT_W)
    ) sender (
        .clk    (clk),
        .rst    (rst),
        .s_valid(tx_valid),
        .s_ready(tx_ready),
        .s_data (tx_data),
        .tx     (uart_tx)
    );

endmodule

`default_nettype wire
