// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/pool.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/user.hpp>
