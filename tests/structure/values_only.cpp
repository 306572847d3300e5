// SPDX-License-Identifier: BSL-1.0
// What a program pays that only holds keys: opened_headers.cmake looks at what this opens.
#include <palette/api_key.hpp>
#include <palette/expiry.hpp>
