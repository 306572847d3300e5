// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/sink_values.ipp>
