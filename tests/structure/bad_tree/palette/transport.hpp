// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <palette/lifecycle/slot.hpp>
#include <palette/user.hpp>
