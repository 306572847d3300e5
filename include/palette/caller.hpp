// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/user.hpp>

#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

/// Describes the caller: whose the credential of a client is, and what the credential is. Contains no secret.
class Caller {
public:
    /// Constructs a description without content.
    Caller() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the user and the tenant that the credential belongs to.
    Identity identity;
    /// Tells what the credential is.
    Credential::Kind kind = Credential::Kind::token;
    /// Identifies the API key that the credential is; empty if that is not known, and for a token.
    std::string key_uid;

    /// Compares all members.
    friend bool operator==(const Caller&, const Caller&) = default;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
