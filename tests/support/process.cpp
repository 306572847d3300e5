// SPDX-License-Identifier: BSL-1.0
#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace child {
namespace {

void check(int error, const char* what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
    Descriptor read;
    Descriptor write;
};

Descriptor beyond_the_standard_ones(const Descriptor& descriptor) {
    Descriptor other(::fcntl(descriptor.number(), F_DUPFD_CLOEXEC, 10));
    check(other.number() >= 0 ? 0 : errno, "fcntl");
    return other;
}

// Its ends are not among those that the child is given.
Pipe make_pipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    Descriptor const read(ends[0]);
    Descriptor const write(ends[1]);
    return {beyond_the_standard_ones(read), beyond_the_standard_ones(write)};
}

// Whether there is something to be read, or the end, before the time is over.
bool wait_for(const Descriptor& descriptor, std::chrono::milliseconds limit) {
    auto const end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        pollfd asked{descriptor.number(), POLLIN, 0};
        auto const left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        auto const found = ::poll(&asked, 1, static_cast<int>(std::max(left, 0ms).count()));
        if (found >= 0) return found > 0;
        check(errno == EINTR ? 0 : errno, "poll");
    }
}

class SpawnPlan {
public:
    SpawnPlan() {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&actions_);
    }

    void give(const Descriptor& ours, int theirs, Process::Stream how) {
        if (how == Process::Stream::closed) return close(theirs);
        check(posix_spawn_file_actions_adddup2(&actions_, ours.number(), theirs), "adddup2");
    }
    void open_nothing(int theirs) {
        check(posix_spawn_file_actions_addopen(&actions_, theirs, "/dev/null", O_RDONLY, 0), "addopen");
    }
    void close(int theirs) { check(posix_spawn_file_actions_addclose(&actions_, theirs), "addclose"); }

    // Whatever this process makes of signals is nothing to the child.
    void reset_signals(bool ignore_interrupt) {
        sigset_t none;
        sigset_t usual;
        sigemptyset(&none);
        sigemptyset(&usual);
        for (int const signal : {SIGTERM, SIGPIPE, SIGHUP})
            sigaddset(&usual, signal);
        if (!ignore_interrupt) sigaddset(&usual, SIGINT);
        check(posix_spawnattr_setsigmask(&attributes_, &none), "setsigmask");
        check(posix_spawnattr_setsigdefault(&attributes_, &usual), "setsigdefault");
        check(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
              "setflags");
    }

    pid_t run(std::vector<std::string> words) {
        std::vector<char*> argv;
        argv.reserve(words.size() + 1);
        for (auto& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        pid_t id = 0;
        check(posix_spawn(&id, argv[0], &actions_, &attributes_, argv.data(), environ), argv[0]);
        return id;
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

// A child inherits what its parent ignores.
class InterruptIgnored {
public:
    explicit InterruptIgnored(bool wanted) : wanted_(wanted) {
        struct sigaction ignore{};
        ignore.sa_handler = SIG_IGN;
        if (wanted_) ::sigaction(SIGINT, &ignore, &before_);
    }
    InterruptIgnored(const InterruptIgnored&) = delete;
    InterruptIgnored& operator=(const InterruptIgnored&) = delete;
    ~InterruptIgnored() {
        if (wanted_) ::sigaction(SIGINT, &before_, nullptr);
    }

private:
    bool wanted_;
    struct sigaction before_{};
};

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

void Descriptor::close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
}

bool Process::Reader::read_more() {
    std::array<char, 4096> bytes;
    auto const size = pipe.number() < 0 ? 0 : ::read(pipe.number(), bytes.data(), bytes.size());
    if (size > 0) text_.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
}

std::optional<std::string> Process::Reader::line() {
    auto const deadline = std::chrono::steady_clock::now() + max_time;
    std::size_t end;
    while ((end = text_.find('\n')) == std::string::npos) {
        auto const left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (pipe.number() < 0 || !wait_for(pipe, left) || !read_more()) return std::nullopt;
    }
    auto line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
}

std::string Process::Reader::rest() {
    while (read_more()) {
    }
    return std::exchange(text_, {});
}

Process::Process(const std::string& program, const Options& options) {
    auto life = make_pipe();
    auto output = make_pipe();
    auto errors = make_pipe();

    SpawnPlan plan;
    if (options.input_closed)
        plan.close(0);
    else
        plan.open_nothing(0);
    plan.give(output.write, 1, options.output);
    plan.give(errors.write, 2, options.errors);
    plan.give(life.write, 3, Stream::piped);
    if (options.output == Stream::piped) output_.pipe = std::move(output.read);
    if (options.errors == Stream::piped) errors_.pipe = std::move(errors.read);
    output.read.close();
    errors.read.close();
    plan.reset_signals(options.in_background);

    std::vector words{program};
    words.insert(words.end(), options.arguments.begin(), options.arguments.end());
    InterruptIgnored const ignored(options.in_background);
    id_ = plan.run(std::move(words));
    life_ = std::move(life.read);
}

Process::~Process() {
    if (ended_) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
}

void Process::send(int signal) const {
    if (ended_) throw std::logic_error("the program has ended");
    check(::kill(id_, signal) == 0 ? 0 : errno, "kill");
}

std::optional<Process::End> Process::wait_for_end(std::chrono::milliseconds limit) {
    if (!ended_) {
        if (!wait_for(life_, limit)) return std::nullopt;
        int how = 0;
        while (::waitpid(id_, &how, 0) < 0)
            check(errno == EINTR ? 0 : errno, "waitpid");
        ended_ = how;
    }
    End end;
    if (WIFEXITED(*ended_)) end.status = WEXITSTATUS(*ended_);
    if (WIFSIGNALED(*ended_)) end.signal = WTERMSIG(*ended_);
    end.output = output_.rest();
    end.errors = errors_.rest();
    return end;
}

}  // namespace child
