// SPDX-License-Identifier: BSL-1.0
// The emulator as one file, as a build without CMake has it.
#include <palette/testing/src.hpp>
