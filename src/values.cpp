// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/values/api_key.ipp>
#include <palette/impl/values/audit_event.ipp>
#include <palette/impl/values/credential.ipp>
#include <palette/impl/values/endpoint.ipp>
#include <palette/impl/values/error.ipp>
#include <palette/impl/values/expiry.ipp>
#include <palette/impl/values/http_date.ipp>
#include <palette/impl/values/key_limit.ipp>
#include <palette/impl/values/key_requests.ipp>
#include <palette/impl/values/key_text.ipp>
#include <palette/impl/values/pending_create.ipp>
#include <palette/impl/values/printable.ipp>
#include <palette/impl/values/rfc3339.ipp>
#include <palette/impl/values/secret.ipp>
#include <palette/impl/values/string_map.ipp>
#include <palette/impl/values/user.ipp>
#include <palette/impl/values/visit.ipp>
