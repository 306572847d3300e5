// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/child_process.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What a program is run with.
struct ProgramCall {
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // texts like "NAME=value"
    std::string_view input;                // outlives the run
    std::chrono::milliseconds timeout{};
};

// How a program ended, and what it said.
class ProgramEnd {
public:
    ProgramEnd() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    enum class Killed {
        no,
        by_timeout,
        by_cancellation,
        for_its_output,  // which is larger than max_program_output
    };

    Killed killed = Killed::no;
    processes::End end;
    Secret output;
    Secret
        errors;  // the last of what it wrote to the standard error, at least max_program_errors if there is
};

inline constexpr std::size_t max_program_output = std::size_t{64} << 10;
inline constexpr std::size_t max_program_errors = std::size_t{8} << 10;

// Runs a program to its end. Its process group is killed when it has ended, when its time is over, when it
// says too much, and when the coroutine is cancelled, which waits for its end nevertheless. errc::system: it
// cannot be started; errc::operation_aborted: cancelled before that.
boost::asio::awaitable<Result<ProgramEnd>> run_program(ProgramCall call);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/sinks/program_run.ipp>
#endif
