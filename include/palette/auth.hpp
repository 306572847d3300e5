// SPDX-License-Identifier: BSL-1.0
#pragma once

// Includes all providers of credentials that come with the library. See palette::AuthProvider for one of your
// own.

#include <palette/auth/api_key.hpp>
#include <palette/auth/environment.hpp>
#include <palette/auth/file.hpp>
#include <palette/auth/login.hpp>
#include <palette/auth/token.hpp>
