// A board that is not there: simulates a core behind its serial line and joins the line to a pseudo-terminal.
//
//   board BIT_CYCLES LOSE_EVERY
//
// Prints the terminal's name, then runs until it is killed or its parent is gone. LOSE_EVERY: of the bytes in each
// direction every so many-th is lost; 0: none.

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "Vboard.h"
#include "verilated.h"

namespace {

constexpr unsigned kResetCycles = 4;
constexpr unsigned kQuietCycles = 20000;  // then the simulation may wait for the host
constexpr int kWaitMs = 5;
constexpr unsigned kFrameBits = 10;

int open_terminal() {
    const int host = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (host < 0 || grantpt(host) || unlockpt(host)) {
        std::perror("pseudo-terminal");
        std::exit(1);
    }
    // Held open, so that the line outlives the programs that use it; raw, so that nothing is echoed.
    const int line = open(ptsname(host), O_RDWR | O_NOCTTY);
    termios settings;
    if (line < 0 || tcgetattr(line, &settings)) {
        std::perror("pseudo-terminal");
        std::exit(1);
    }
    cfmakeraw(&settings);
    tcsetattr(line, TCSANOW, &settings);
    return host;
}

struct Loss {
    unsigned every, count = 0;
    bool hits() { return every != 0 && ++count % every == 0; }
};

// Bytes of the host, bit by bit.
class Talker {
  public:
    Talker(unsigned bit_cycles, unsigned lose_every) : bit_cycles_(bit_cycles), loss_{lose_every} {}
    bool busy() const { return left_ != 0; }
    void start(uint8_t byte) {
        if (loss_.hits()) return;
        bits_ = 1u << 9 | static_cast<unsigned>(byte) << 1;
        left_ = kFrameBits * bit_cycles_;
    }
    bool clock() {
        if (!left_) return true;
        const bool level = bits_ >> (kFrameBits - 1 - (left_ - 1) / bit_cycles_) & 1u;
        --left_;
        return level;
    }

  private:
    unsigned bit_cycles_, bits_ = 0, left_ = 0;
    Loss loss_;
};

// Bytes of the board, from its bits; true when one is complete.
class Listener {
  public:
    Listener(unsigned bit_cycles, unsigned lose_every) : bit_cycles_(bit_cycles), loss_{lose_every} {}
    uint8_t byte() const { return static_cast<uint8_t>(bits_ >> 1); }
    bool clock(bool level) {
        if (!busy_) {
            busy_ = !level;
            count_ = bit_cycles_ / 2;
            place_ = bits_ = 0;
            return false;
        }
        if (--count_) return false;
        bits_ |= static_cast<unsigned>(level) << place_;
        count_ = bit_cycles_;
        if (++place_ < kFrameBits) return false;
        busy_ = false;
        if (!level) {
            std::fputs("the board sent a byte without a stop bit\n", stderr);
            std::exit(4);
        }
        return !loss_.hits();
    }

  private:
    unsigned bit_cycles_, count_ = 0, place_ = 0, bits_ = 0;
    bool busy_ = false;
    Loss loss_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: board BIT_CYCLES LOSE_EVERY\n", stderr);
        return 1;
    }
    const unsigned bit_cycles = std::strtoul(argv[1], nullptr, 10), lose = std::strtoul(argv[2], nullptr, 10);
    const pid_t parent = getppid();
    const int host = open_terminal();
    std::printf("%s\n", ptsname(host));
    std::fflush(stdout);

    VerilatedContext context;
    context.randReset(2);
    context.randSeed(1);
    Vboard board(&context);
    Talker talker(bit_cycles, lose);
    Listener listener(bit_cycles, lose);
    uint8_t bytes[256];
    ssize_t held = 0, next = 0;
    unsigned quiet = 0;

    board.clk = 0;
    for (uint64_t cycle = 0;; ++cycle) {
        if (!talker.busy()) {
            if (next == held && (quiet == 0 || quiet > kQuietCycles)) {
                if (quiet > kQuietCycles) {
                    pollfd wait{host, POLLIN, 0};
                    poll(&wait, 1, kWaitMs);
                    if (getppid() != parent) return 0;
                    quiet = 0;
                }
                held = read(host, bytes, sizeof bytes);
                next = 0;
                if (held < 0) held = 0;
            }
            if (next < held) talker.start(bytes[next++]);
        }
        quiet = talker.busy() ? 0 : quiet + 1;
        board.uart_rx = talker.clock();
        board.rst = cycle < kResetCycles;
        board.eval();
        board.clk = 1;
        board.eval();
        board.clk = 0;
        board.eval();
        if (cycle >= kResetCycles && listener.clock(board.uart_tx)) {
            const uint8_t byte = listener.byte();
            quiet = 0;
            if (write(host, &byte, 1) < 0) continue;  // nobody reads: a real line loses the byte, too
        }
    }
}
