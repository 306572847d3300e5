// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/known_secrets.ipp>
#include <palette/impl/redactor.ipp>
