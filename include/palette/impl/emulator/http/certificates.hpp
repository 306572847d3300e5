// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What a TLS server shows and proves: a host certificate with its private key, and the certificate of
// the authority that signed it.
struct HostIdentity {
    std::string authority_pem;
    std::string certificate_pem;
    std::string private_key_pem;
};

// Makes an authority, signs a certificate for localhost, 127.0.0.1, ::1 and `more_names` (names or
// addresses), and forgets the authority's key. The authority can vouch for these names and the rest of
// 127.0.0.0/8 alone. Both certificates are good for one day from now on.
HostIdentity make_host_identity(const std::vector<std::string>& more_names);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/certificates.ipp>
#endif
