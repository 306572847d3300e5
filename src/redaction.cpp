// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/redaction/known_secrets.ipp>
#include <palette/impl/redaction/redactor.ipp>
