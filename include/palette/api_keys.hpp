// SPDX-License-Identifier: BSL-1.0
#pragma once

// All of palette-keys that a program needs to manage API keys.

#include <palette/api_key.hpp>
#include <palette/endpoint.hpp>
#include <palette/error.hpp>
#include <palette/expiry.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>
#include <palette/string_map.hpp>
#include <palette/user.hpp>
#include <palette/version.hpp>
