// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/api_key.ipp>
#include <palette/impl/endpoint.ipp>
#include <palette/impl/error.ipp>
#include <palette/impl/expiry.ipp>
#include <palette/impl/http_date.ipp>
#include <palette/impl/key_requests.ipp>
#include <palette/impl/key_text.ipp>
#include <palette/impl/pending_create.ipp>
#include <palette/impl/printable.ipp>
#include <palette/impl/rfc3339.ipp>
#include <palette/impl/secret.ipp>
#include <palette/impl/string_map.ipp>
#include <palette/impl/user.ipp>
