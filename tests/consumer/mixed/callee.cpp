// SPDX-License-Identifier: BSL-1.0
#include "describe.hpp"

std::string describe(const palette::Expiry& expiry) {
    return "expires " + expiry.to_string();
}
