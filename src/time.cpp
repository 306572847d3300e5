// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/time/sleep.ipp>
