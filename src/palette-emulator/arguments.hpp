// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/emulator_options.hpp>
#include <palette/testing/fault.hpp>

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// What the command line of palette-emulator asks for.
struct Arguments {
    palette::testing::EmulatorOptions options;
    std::vector<palette::testing::FaultRule> faults;
    std::string ca_out;  // empty: nowhere
    bool quiet = false;
    bool help = false;
    bool version = false;
};

// One line that says which argument is wrong, and how.
class BadArgument : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

Arguments parse_arguments(std::span<char* const> words);

std::string_view help_text();

std::string shown(std::string_view text);
