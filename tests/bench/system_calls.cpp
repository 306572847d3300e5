// SPDX-License-Identifier: BSL-1.0
#include "bench/system_calls.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {
namespace {

// The child says with this signal where the measured part begins and where it ends.
constexpr int mark = SIGUSR1;

// Lets the child run until it stops: which signal it stopped with, or 0 if it has ended.
int next_stop(pid_t child, enum __ptrace_request how) {
    int status = 0;
    if (::ptrace(how, child, nullptr, nullptr) != 0 || ::waitpid(child, &status, 0) != child) return 0;
    return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

std::optional<long> count_between_marks(pid_t child) {
    constexpr int system_call = SIGTRAP | 0x80;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (int const signal = next_stop(child, PTRACE_CONT))
        if (signal == mark) break;
    long stops = 0;
    while (int const signal = next_stop(child, PTRACE_SYSCALL)) {
        if (signal == system_call) ++stops;
        // It stops when it enters a call and when it leaves; the last one entered is the one that sends the
        // mark, and that is left when the mark has come.
        if (signal == mark) return stops / 2;
    }
    return std::nullopt;
}

}  // namespace

std::optional<long> system_calls(const std::function<void()>& warm_up,
                                 const std::function<void()>& measured) {
    auto const child = ::fork();
    if (child < 0) return std::nullopt;
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
        ::raise(SIGSTOP);
        warm_up();
        ::raise(mark);
        measured();
        ::raise(mark);
        ::_exit(0);
    }
    int status = 0;
    std::optional<long> counted;
    if (::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) counted = count_between_marks(child);
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return counted;
}

}  // namespace bench
