// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::testing {

// What the service may do where its documents are silent. Every row is *assumed*: what the emulator
// does by default is the plausible thing, and the switch gives another.
//
// what                                          by default                      switch
//
// a create beyond the quota                     409 ApiKeyLimitReached          quota_refusal
// re-activating a key past its expiry           400 ApiKeyExpired               reactivation_refusal
// a plain user touches another's key            403 Forbidden                   others_key_refusal
// a plain user lists keys                       200, their own                  plain_user_may_list
// a plain user lists users                      403                             plain_user_may_list_users
// create or update without an expiry            accepted: the key never ends    expiry_required
// an expiry that has passed already             400, unless it is unchanged     past_expiry_accepted
// update without an annotation or label         it is gone                      update_keeps_omitted
// whose permissions a key has that an           its owner's                     key_has_creators_permissions
//   admin made for somebody else
// a name that another key of the owner has      accepted                        names_unique: 409
//                                                                               ApiKeyNameTaken
// the key of a removed single sign-on user      401, its owner being gone       orphans_usable
//
// Assumed too, without a switch: the codes of errors beside ResourceNotFound and TooManyRequests; the uid
// of an unknown key is 404 for everybody; a user who may see a key and not change it gets 403; who may not
// create for others gets 403, whether those exist or not; update without a name is 400; extending the
// expiry of a key that was not revoked makes it work again; revoked and expired keys count towards the
// quota; a key that works without its owner does so as a plain user's; the parameters setCookie, filters,
// fields and orderBy are accepted and change nothing, and no cookie is taken; of two credentials in one
// request ApiKey counts; single sign-on users have no password; a key has at most 1,000 annotations and 1,000
// labels, more are 400; the server's own annotations are those of the vendor's sample, and a key is modified
// 0.4 s after it was created.
struct Assumptions {
    struct Refusal {
        int status;
        std::string code;
    };
    Refusal quota_refusal{409, "ApiKeyLimitReached"};
    Refusal reactivation_refusal{400, "ApiKeyExpired"};
    Refusal others_key_refusal{403, "Forbidden"};
    bool plain_user_may_list = true;
    bool plain_user_may_list_users = false;
    bool expiry_required = false;
    bool past_expiry_accepted = false;
    bool update_keeps_omitted = false;
    bool key_has_creators_permissions = false;
    bool names_unique = false;
    bool orphans_usable = false;
};

// A bucket of `burst` requests that fills at `per_second`, for every source address and each of
// /v1/apiKeys, /v1/users, /v1/auth and /v1/audits on its own.
struct RateLimit {
    double per_second = 10;
    double burst = 50;

    // No limit.
    [[nodiscard]] static RateLimit off() noexcept { return {0, 0}; }
    [[nodiscard]] bool is_off() const noexcept { return burst == 0; }
};

class ReceivedRequest;

// How an emulator is set up.
//
//     Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
struct EmulatorOptions {
    std::string listen = "127.0.0.1";  // an address; with allow_remote, also one beyond this machine
    std::uint16_t port = 0;            // 0: any free one
    bool plain_http = false;           // instead of TLS; never together with allow_remote
    bool allow_remote = false;

    std::string org = "acme";
    std::size_t keys = 0;  // so many more keys, of users of their own with at most `quota` each
    std::size_t quota = 20;
    std::chrono::milliseconds token_lifetime = std::chrono::minutes{15};
    RateLimit rate_limit{};
    bool send_retry_after = false;  // with the 429 of the rate limit
    Assumptions assumptions{};
    std::shared_ptr<Clock> clock{};  // none: the machine's

    std::size_t max_header_bytes = 16 * 1024;
    std::size_t max_body_bytes = 1024 * 1024;
    // Beyond these, a new connection takes the place of the one that has been idle for longest; while none is
    // idle, it is closed.
    std::size_t max_connections = 1'024;
    // In real time: for a whole request from its first byte on, between two requests, and for a client
    // that does not read on, while its answer is sent.
    std::chrono::milliseconds request_timeout = std::chrono::seconds{10};
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{75};
    std::chrono::milliseconds write_timeout = std::chrono::seconds{30};

    std::size_t requests_kept = 1'000;  // what requests() gives at most: the last ones
    // Called with every request, in the emulator's thread, before its answer is sent. Does not throw.
    std::function<void(const ReceivedRequest&)> on_request{};
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
