// SPDX-License-Identifier: BSL-1.0

// Whatever the text is: the work is bounded, and nothing of a secret that stands in it as it is remains.
// Of the input, the first line is the secret.

#include <palette/impl/redaction/redactor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using palette::detail::KnownSecrets;
using palette::detail::SecretSearch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<const char*>(data), size);
    auto const secret = input.substr(0, input.find('\n')).substr(0, 64);
    auto const text = input.substr(std::min(size, secret.size() + 1));
    if (secret.size() < KnownSecrets::window_bytes) return 0;
    KnownSecrets const known(KnownSecrets::Kind::credential, secret);

    SecretSearch const search(text, known);
    if (search.steps() > SecretSearch::max_steps(text.size())) std::abort();

    auto const safe = palette::detail::redacted(text, known);
    // A mark for every eight bytes at least, in a text that is shortened.
    if (safe.size() > 2 * palette::detail::max_redacted_bytes + 16) std::abort();
    // Marks look like text.
    static constexpr std::string_view mark = "<redacted>";
    if (secret.find_first_of(mark) != std::string_view::npos) return 0;
    for (std::size_t i = 0; i + KnownSecrets::window_bytes <= secret.size(); ++i)
        if (safe.find(secret.substr(i, KnownSecrets::window_bytes)) != std::string::npos) std::abort();
    return 0;
}
