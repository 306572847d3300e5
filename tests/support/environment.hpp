// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

// A variable of the environment, as it was again when its scope ends.
class EnvironmentVariable {
public:
    // Not set at first.
    explicit EnvironmentVariable(std::string name) : name_(std::move(name)) {
        if (auto const* const value = std::getenv(name_.c_str())) before_ = value;
        unset();
    }
    EnvironmentVariable(std::string name, const std::string& value) : EnvironmentVariable(std::move(name)) {
        set(value);
    }
    EnvironmentVariable(const EnvironmentVariable&) = delete;
    EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;
    ~EnvironmentVariable() {
        if (before_) {
            set(*before_);
        } else {
            unset();
        }
    }

    void set(const std::string& value) const { ::setenv(name_.c_str(), value.c_str(), 1); }
    void unset() const { ::unsetenv(name_.c_str()); }

private:
    std::string name_;
    std::optional<std::string> before_;
};
