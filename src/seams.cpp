// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/seams/auth_provider.ipp>
#include <palette/impl/seams/options.ipp>
#include <palette/impl/seams/proxy.ipp>
#include <palette/impl/seams/proxy_bypass.ipp>
#include <palette/impl/seams/rate_limiter.ipp>
#include <palette/impl/seams/transport.ipp>
