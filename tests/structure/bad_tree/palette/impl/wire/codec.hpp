// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/json/basic_parser.hpp>
#include <palette/client.hpp>
#include <palette/user.hpp>
