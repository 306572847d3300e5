// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <optional>

namespace bench {

// Counts the system calls of `measured`, which a process of its own makes after `warm_up`. Nothing where no
// process may trace another.
std::optional<long> system_calls(const std::function<void()>& warm_up, const std::function<void()>& measured);

}  // namespace bench
