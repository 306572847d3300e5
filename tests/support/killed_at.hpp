// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <functional>

// Runs `work` in a forked child, which is killed as it begins the nth (from 0 on) of its system calls that
// change files: nothing of that call happens, and all of the calls before. Returns whether it was killed;
// false: it ended by itself before that. Throws std::system_error where processes cannot be traced, and
// std::runtime_error for a child that died of something else.
bool killed_at_change(int n, const std::function<void()>& work);
