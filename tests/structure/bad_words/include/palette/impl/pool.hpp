// SPDX-License-Identifier: BSL-1.0
#pragma once

inline int most_waiting = 0;  // a body: not looked at
