// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/testing/sink.hpp>
