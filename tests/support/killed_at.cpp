// SPDX-License-Identifier: BSL-1.0
#include "support/killed_at.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

long checked(long result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

template <class Request>
void trace(Request request, pid_t child, unsigned long size, void* data) {
    checked(::ptrace(request, child, size, data), "ptrace");
}

bool changes_files(unsigned long long call) {
    switch (call) {
        case SYS_openat:
        case SYS_write:
        case SYS_pwrite64:
        case SYS_ftruncate:
        case SYS_fchmod:
        case SYS_fsync:
        case SYS_renameat:
        case SYS_renameat2:
        case SYS_unlinkat:
#ifdef SYS_rename
        case SYS_rename:
        case SYS_unlink:
#endif
            return true;
        default:
            return false;
    }
}

int wait_for(pid_t child) {
    int how = 0;
    while (::waitpid(child, &how, 0) < 0)
        checked(errno == EINTR ? 0 : -1, "waitpid");
    return how;
}

struct Reaped {
    explicit Reaped(pid_t child_) : child(child_) {}
    Reaped(const Reaped&) = delete;
    Reaped& operator=(const Reaped&) = delete;
    ~Reaped() {
        if (ended) return;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }

    pid_t child;
    bool ended = false;
};

}  // namespace

bool killed_at_change(int n, const std::function<void()>& work) {
    auto const child = static_cast<pid_t>(checked(::fork(), "fork"));
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(3);
        ::raise(SIGSTOP);
        try {
            work();
        } catch (...) {
            ::_exit(4);
        }
        ::_exit(0);
    }
    Reaped reaped(child);
    for (auto how = wait_for(child);; how = wait_for(child)) {
        if (!WIFSTOPPED(how)) {
            reaped.ended = true;
            if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return false;
            throw std::runtime_error("the child ended with the wait status " + std::to_string(how));
        }
        if (WSTOPSIG(how) == SIGSTOP) {
            auto* const options =
                // NOLINTNEXTLINE(performance-no-int-to-ptr): it is how ptrace takes options
                reinterpret_cast<void*>(std::uintptr_t{PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL});
            trace(PTRACE_SETOPTIONS, child, 0, options);
        } else if (WSTOPSIG(how) == (SIGTRAP | 0x80)) {
            __ptrace_syscall_info info{};
            trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_files(info.entry.nr) && n-- == 0) return true;
        }
        trace(PTRACE_SYSCALL, child, 0, nullptr);
    }
}
