// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/auth_provider.ipp>
#include <palette/impl/credential.ipp>
#include <palette/impl/options.ipp>
#include <palette/impl/proxy.ipp>
#include <palette/impl/proxy_bypass.ipp>
#include <palette/impl/rate_limiter.ipp>
#include <palette/impl/transport.ipp>
