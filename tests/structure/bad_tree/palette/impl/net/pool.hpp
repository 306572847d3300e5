// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <palette/impl/pipeline/loop.hpp>
#include <palette/transport.hpp>
