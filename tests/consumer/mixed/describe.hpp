// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>

#include <string>

std::string describe(const palette::Expiry& expiry);
