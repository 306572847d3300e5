// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/answer.ipp>
#include <palette/impl/pipeline/call.ipp>
#include <palette/impl/pipeline/credentials.ipp>
#include <palette/impl/pipeline/limited_transport.ipp>
#include <palette/impl/pipeline/pipeline.ipp>
#include <palette/impl/pipeline/redact.ipp>
#include <palette/impl/pipeline/retry_after.ipp>
