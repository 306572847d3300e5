// SPDX-License-Identifier: BSL-1.0
// The library as one file, as a build without CMake has it.
#include <palette/src.hpp>
