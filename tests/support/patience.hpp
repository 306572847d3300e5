// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>

// How long a test waits for what comes at once on a quiet machine, and late on a busy one. What would be
// waited for by mistake (a lookup or an answer that never comes, the time-outs of a test) takes longer than
// that.
inline constexpr std::chrono::seconds patience{5};

// The shortest time that `attempt`, which returns how long it took, has needed in a few tries: where a bound
// is close to what the code waits for by mistake, one try on a busy machine proves nothing.
template <class Attempt>
std::chrono::steady_clock::duration shortest(std::chrono::steady_clock::duration enough, Attempt attempt) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int tries = 0; tries < 20 && best >= enough; ++tries)
        best = std::min<std::chrono::steady_clock::duration>(best, attempt());
    return best;
}
