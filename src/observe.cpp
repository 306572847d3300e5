// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/observe/counters.ipp>
#include <palette/impl/observe/lines.ipp>
