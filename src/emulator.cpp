// SPDX-License-Identifier: BSL-1.0
#include <palette/testing/src.hpp>
