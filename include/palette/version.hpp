// SPDX-License-Identifier: BSL-1.0
#pragma once

// The version of these headers. CMake reads it from here, so it is written once.
// Before 1.0 a minor version may break source and binary compatibility; a patch version may not.
#define PALETTE_KEYS_VERSION_MAJOR 0
#define PALETTE_KEYS_VERSION_MINOR 1
#define PALETTE_KEYS_VERSION_PATCH 0
#define PALETTE_KEYS_VERSION "0.1.0"
