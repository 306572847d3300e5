// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/child_process.hpp>
#include <palette/impl/system/wiped_buffer.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::impl::processes {

struct Pipe {
    files::Descriptor read{-1};
    files::Descriptor write{-1};
};

// Its ends are none of the three numbers that the program's standard streams have. Nothing, and errno, if the
// system has no pipe to give.
inline std::optional<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    files::Descriptor const low_read(ends[0]);
    files::Descriptor const low_write(ends[1]);
    Pipe pipe;
    pipe.read = files::Descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, 3));
    pipe.write = files::Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3));
    if (!pipe.read || !pipe.write) return std::nullopt;
    return pipe;
}

// What the new process does before it becomes the program.
class SpawnPlan {
public:
    SpawnPlan() {
        check(::posix_spawn_file_actions_init(&actions_));
        check(::posix_spawnattr_init(&attributes_));
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }

    void give(const files::Descriptor& ours, int theirs) {
        check(::posix_spawn_file_actions_adddup2(&actions_, ours.number(), theirs));
    }

    // After all are given: ours are closed by themselves, but the rest of this program may have opened
    // others.
    void close_the_rest() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
        check(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3));
#endif
    }

    // A process group of its own, and signals as a login shell has them.
    void set_apart() {
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        check(::posix_spawnattr_setsigmask(&attributes_, &none));
        check(::posix_spawnattr_setsigdefault(&attributes_, &all));
        check(::posix_spawnattr_setpgroup(&attributes_, 0));
        check(::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
    }

    // 0, or the number of what is wrong.
    int run(const std::vector<std::string>& argv, const std::vector<std::string>& environment, int& id) {
        if (fault_ != 0) return fault_;
        auto arguments = pointers(argv);
        auto variables = pointers(environment);
        return ::posix_spawnp(&id, arguments[0], &actions_, &attributes_, arguments.data(), variables.data());
    }

private:
    void check(int number) noexcept {
        if (fault_ == 0) fault_ = number;
    }
    // The interface is older than const; the texts are not changed.
    static std::vector<char*> pointers(const std::vector<std::string>& texts) {
        std::vector<char*> all;
        for (auto const& text : texts)
            all.push_back(const_cast<char*>(text.c_str()));  // NOLINT(*-const-cast)
        all.push_back(nullptr);
        return all;
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    int fault_ = 0;
};

inline int pidfd_of(int id) noexcept {
#ifdef SYS_pidfd_open
    return static_cast<int>(::syscall(SYS_pidfd_open, id, 0));  // close-on-exec by itself
#else
    return static_cast<void>(id), -1;
#endif
}

PALETTE_KEYS_INLINE Result<Child> Child::start(const std::vector<std::string>& argv,
                                               const std::vector<std::string>& environment) {
    auto const refused = [&argv](int number) {
        return files::system_error(errc::system, argv[0], "cannot be started", number);
    };
    auto input = make_pipe();
    if (!input) return refused(errno);
    auto output = make_pipe();
    if (!output) return refused(errno);
    auto errors = make_pipe();
    if (!errors) return refused(errno);
    for (auto const* const ours : {&input->write, &output->read, &errors->read})
        if (::fcntl(ours->number(), F_SETFL, O_NONBLOCK) != 0) return refused(errno);

    SpawnPlan plan;
    plan.give(input->read, 0);
    plan.give(output->write, 1);
    plan.give(errors->write, 2);
    plan.close_the_rest();
    plan.set_apart();
    int id = 0;
    if (auto const fault = plan.run(argv, environment, id); fault != 0) return refused(fault);
    Child child(std::move(input->write), std::move(output->read), std::move(errors->read), id);
    child.end = files::Descriptor(pidfd_of(id));
    return child;
}

PALETTE_KEYS_INLINE Child::~Child() {
    if (id_ == 0) return;
    kill();
    reap();
}

PALETTE_KEYS_INLINE bool Child::has_ended() const noexcept {
    siginfo_t info{};
    // An error: there is nobody to wait for.
    return id_ == 0 || ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == id_;
}

PALETTE_KEYS_INLINE void Child::kill() const noexcept {
    if (id_ != 0) ::kill(-id_, SIGKILL);
}

PALETTE_KEYS_INLINE End Child::reap() noexcept {
    End end_;
    int status = 0;
    int found = -1;
    auto const id = std::exchange(id_, 0);
    if (id == 0) return end_;
    do {
        found = ::waitpid(id, &status, 0);
    } while (found < 0 && errno == EINTR);
    if (found == id && WIFEXITED(status)) {
        end_.how = End::How::exited;
        end_.number = WEXITSTATUS(status);
    } else if (found == id && WIFSIGNALED(status)) {
        end_.how = End::How::signalled;
        end_.number = WTERMSIG(status);
    }
    return end_;
}

PALETTE_KEYS_INLINE Progress read_available(int pipe, Secret& text, std::size_t max_size) {
    files::WipedBuffer buffer;
    for (;;) {
        if (text.size() > max_size) return Progress::excess;
        auto const size = ::read(pipe, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return errno == EAGAIN ? Progress::waits : Progress::ended;
        if (size == 0) return Progress::ended;
        text.append({buffer.data(), static_cast<std::size_t>(size)});
    }
}

// While it lives, a write of this thread to a pipe that nobody reads raises no signal that lasts.
class NoSigpipe {
public:
    NoSigpipe() noexcept {
        sigemptyset(&only_);
        sigaddset(&only_, SIGPIPE);
        sigset_t pending;
        sigpending(&pending);
        // One that is pending already is somebody else's, and stays.
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;
    ~NoSigpipe() {
        timespec const at_once{};
        if (!was_pending_)
            while (::sigtimedwait(&only_, nullptr, &at_once) < 0 && errno == EINTR) {
            }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t only_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

PALETTE_KEYS_INLINE Progress write_available(int pipe, std::string_view& text) noexcept {
    NoSigpipe const quiet;
    while (!text.empty()) {
        auto const written = ::write(pipe, text.data(), text.size());
        if (written > 0)
            text.remove_prefix(static_cast<std::size_t>(written));
        else if (written == 0 || errno != EINTR)
            return written < 0 && errno == EAGAIN ? Progress::waits : Progress::ended;
    }
    return Progress::ended;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::processes
