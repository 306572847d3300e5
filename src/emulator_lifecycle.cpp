// SPDX-License-Identifier: BSL-1.0
#include <palette/testing/crash_explorer.ipp>
