// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/files.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::processes {

// How a program ended.
struct End {
    enum class How {
        exited,     // `number` is its status
        signalled,  // `number` is the signal
        lost,       // somebody else in this process has waited for it
    };
    How how = How::lost;
    int number = 0;
};

// A program that runs without a shell, in a process group of its own, with nothing of this process but what
// it is given: an environment, and pipes as its standard input, output and error. Destroying it kills the
// group and waits for the program.
class Child {
public:
    // argv[0] is looked up in PATH unless it contains a slash. `environment`: texts like "NAME=value".
    // errc::system says why the program cannot be started.
    static Result<Child> start(const std::vector<std::string>& argv,
                               const std::vector<std::string>& environment);

    Child(Child&& other) noexcept
        : input(std::move(other.input)),
          output(std::move(other.output)),
          errors(std::move(other.errors)),
          end(std::move(other.end)),
          id_(std::exchange(other.id_, 0)) {}
    Child& operator=(Child&&) = delete;
    ~Child();

    // This process's ends of the pipes; none of them blocks.
    files::Descriptor input, output, errors;
    // Can be read when the program has ended; none on Linux before 5.3.
    files::Descriptor end;

    // Whether the program has ended. Its id is kept until reap().
    [[nodiscard]] bool has_ended() const noexcept;

    // Kills what is left of the process group.
    void kill() const noexcept;

    // Waits for the program, and forgets it.
    End reap() noexcept;

private:
    Child(files::Descriptor input_, files::Descriptor output_, files::Descriptor errors_, int id)
        : input(std::move(input_)),
          output(std::move(output_)),
          errors(std::move(errors_)),
          end(-1),
          id_(id) {}

    int id_;  // 0: none
};

enum class Progress {
    waits,   // nothing more for now
    ended,   // the end of the pipe, or it is broken
    excess,  // the text is larger than was asked for
};

// Appends what a pipe holds, until the text is larger than `max_size`.
Progress read_available(int pipe, Secret& text, std::size_t max_size);

// Writes what a pipe takes, and removes it from `text`. A pipe that nobody reads raises no SIGPIPE.
Progress write_available(int pipe, std::string_view& text) noexcept;

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::processes

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/child_process.ipp>
#endif
