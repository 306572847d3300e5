// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// What is on a line that a person or program wrote: without blanks around it and one line end.
std::string_view trimmed_line(std::string_view line) noexcept;

// Same, as a secret.
Secret value_of_line(std::string_view line);

// `value`, if a header can carry it. errc::auth_provider for one that is empty or would split the request:
// `name`, "the API key", and what is wrong with it, and no byte of it.
Result<Secret> usable_value(Secret value, std::string_view name);

// `previous` itself if that is its value: it tells the client that there is no other.
std::shared_ptr<const Credential> same_or_new_key(const std::shared_ptr<const Credential>& previous,
                                                  Secret value, std::string key_uid = {});

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/key_text.ipp>
#endif
