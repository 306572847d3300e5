// SPDX-License-Identifier: BSL-1.0
#pragma once

// A copy of this list is at most_connections long, at least_one of them.
struct Options {
    int most_attempts = 4;
    int first_wait = 0;
    int silence = 20;  // retry.settle, not retry.settle_time
    int utmost_care = 0;

    bool creates_again_when_unseen();
    bool allows_shorter();
    bool is_any() const;
};

// An error counts as struck: each again costs one. At most two, at least one, and then again.
