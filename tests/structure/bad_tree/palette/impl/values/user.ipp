// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/json/value.hpp>
#include <palette/transport.hpp>
#include <palette/user.hpp>
