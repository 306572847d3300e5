// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <system_error>

// What a full disk does to a write, without one: no file may grow beyond `bytes` until the scope ends.
class SmallFiles {
public:
    explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        check(::getrlimit(RLIMIT_FSIZE, &before_));
        auto small = before_;
        small.rlim_cur = bytes;
        check(::setrlimit(RLIMIT_FSIZE, &small));
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;
    ~SmallFiles() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    static void check(int result) {
        if (result != 0) throw std::system_error(errno, std::generic_category(), "rlimit");
    }

    void (*handler_)(int);
    rlimit before_{};
};
