// SPDX-License-Identifier: BSL-1.0
// What a program pays that manages keys: opened_headers.cmake looks at what this opens.
#include <palette/client.hpp>
