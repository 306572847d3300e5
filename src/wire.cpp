// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/wire/decode.ipp>
#include <palette/impl/wire/encode.ipp>
#include <palette/impl/wire/handed.ipp>
#include <palette/impl/wire/json.ipp>
#include <palette/impl/wire/json_reader.ipp>
#include <palette/impl/wire/pending_create_text.ipp>
#include <palette/impl/wire/text.ipp>
