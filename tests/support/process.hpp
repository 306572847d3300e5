// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// Programs, run as children of the test, without a shell.
namespace child {

using namespace std::chrono_literals;

// A descriptor of this process, closed with its scope.
class Descriptor {
public:
    explicit Descriptor(int number = -1) noexcept : number_(number) {}
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { close(); }

    [[nodiscard]] int number() const noexcept { return number_; }
    void close() noexcept;

private:
    int number_;
};

// It is killed if it has not ended when its scope does. What it says is read only when asked for: a
// program that says more than a pipe holds has to wait.
class Process {
public:
    enum class Stream {
        piped,
        broken,  // a pipe that nobody will ever read
        closed,  // not there at all
    };

    struct Options {
        std::vector<std::string> arguments{};
        Stream output = Stream::piped;
        Stream errors = Stream::piped;
        bool input_closed = false;
        // SIGINT is ignored, as shells do for what they run in the background.
        bool in_background = false;
    };

    struct End {
        int status = -1;     // -1: it did not exit by itself
        int signal = 0;      // what killed it
        std::string output;  // what was not read before
        std::string errors;
    };

    Process(const std::string& program, const Options& options);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    // The next line, without its end. None: there is no more, or none came in `max_time`.
    std::optional<std::string> output_line() { return output_.line(); }
    std::optional<std::string> error_line() { return errors_.line(); }

    void send(int signal) const;

    // None: it did not end in time.
    std::optional<End> wait_for_end(std::chrono::milliseconds limit = max_time);

    static constexpr std::chrono::milliseconds max_time = 30s;

private:
    class Reader {
    public:
        Descriptor pipe;
        std::optional<std::string> line();
        std::string rest();

    private:
        bool read_more();
        std::string text_;
    };

    Reader output_;
    Reader errors_;
    // Nothing is ever written to it; it ends when the program does.
    Descriptor life_;
    pid_t id_ = 0;
    std::optional<int> ended_;  // as waitpid() says it
};

}  // namespace child
