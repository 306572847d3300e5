// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/options.hpp>

// For tests of what one request meets: it is not sent again.
inline palette::ClientOptions one_attempt(palette::ClientOptions options = {}) {
    options.retry.max_attempts = 1;
    return options;
}
