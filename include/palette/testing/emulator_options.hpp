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

/// Chooses the behaviour of the service where its documentation is silent. Every row is *assumed*: the
/// default is the plausible behaviour, and the switch selects another one.
/// ```
///     case                                          default                        switch
///
///     a create beyond the quota                     409 ApiKeyLimitReached         quota_refusal
///     re-activating a key past its expiry           400 ApiKeyExpired              reactivation_refusal
///     a plain user accesses another user's key      403 Forbidden                  others_key_refusal
///     a plain user lists keys                       200, their own                 plain_user_may_list
///     a plain user lists users, or reads another    403                            plain_user_may_list_users
///     create or update without an expiry            accepted: the key never ends   expiry_required
///     an expiry that has already passed             400, unless it is unchanged    past_expiry_accepted
///     update without an annotation or label         it is removed                  update_keeps_omitted
///     the permissions of a key that an admin made   those of its owner
///       for another user                              key_has_creators_permissions
///     a name that another key of the owner has      accepted                       names_unique: 409
///                                                                                  ApiKeyNameTaken
///     the key of a removed single sign-on user      401, its owner being gone      orphans_usable
///     the record of a removed single sign-on user   gone: 404, and in no list
///                                                     removed_sso_user_keeps_record
///     operations on keys, in the audit log          not written                    key_operations_audited
///     the last sign-in of a key's owner             stays when the key is used
///                                                     key_use_moves_last_sign_in
///     an expiry further ahead than a policy allows  accepted: there is no policy   max_lifetime: shortened
/// ```
/// Assumed too, without a switch:
/// - The codes of errors except ResourceNotFound and TooManyRequests.
/// - The uid of an unknown key is 404 for everybody. A user who may see a key and not change it gets 403. A
///   user who may not create keys for others gets 403, whether those users exist or not.
/// - Update without a name is 400. Extending the expiry of a key that was not revoked makes it work again.
///   Revoked and expired keys count towards the quota. A key that works without its owner has the permissions
///   of a plain user.
/// - The parameters setCookie, filters, fields and orderBy are accepted and change nothing, and no cookie is
///   accepted. Of two credentials in one request ApiKey counts. Single sign-on users have no password.
/// - A user who is inactive or pending cannot sign in, and their keys are 401. A plain user reads their own
///   record, and neither the audit log nor the limits of the tenant (403); another tenant's limits are 403
///   for everybody. The audit log is listed oldest first, and its `count` is that of the events that match.
/// - A key has at most 1,000 annotations and 1,000 labels; more are 400. The server's own annotations are
///   those of the vendor's sample, and a key is modified 0.4 s after its creation.
struct Assumptions {
    /// Describes a refusal by status and error code.
    struct Refusal {
        int status;        ///< The HTTP status.
        std::string code;  ///< The code in the body.
    };
    /// Refuses a create beyond the quota. Default: 409 ApiKeyLimitReached.
    Refusal quota_refusal{409, "ApiKeyLimitReached"};
    /// Refuses to re-activate a key past its expiry. Default: 400 ApiKeyExpired.
    Refusal reactivation_refusal{400, "ApiKeyExpired"};
    /// Refuses a plain user who accesses another user's key. Default: 403 Forbidden.
    Refusal others_key_refusal{403, "Forbidden"};
    /// Allows a plain user to list their own keys. Default: true.
    bool plain_user_may_list = true;
    /// Allows a plain user to list users, and to read one. Default: false.
    bool plain_user_may_list_users = false;
    /// Requires an expiry in a create or update. Default: false.
    bool expiry_required = false;
    /// Accepts an expiry that has already passed. Default: false.
    bool past_expiry_accepted = false;
    /// Keeps annotations and labels that an update omits. Default: false.
    bool update_keeps_omitted = false;
    /// Gives a key the permissions of the user who created it, instead of its owner's. Default: false.
    bool key_has_creators_permissions = false;
    /// Refuses a name that another key of the owner has. Default: false.
    bool names_unique = false;
    /// Accepts the keys of a removed single sign-on user. Default: false.
    bool orphans_usable = false;
    /// Keeps the record of a single sign-on user who is removed, as it was: the service does not learn that
    /// the identity provider has removed somebody. The user cannot sign in; their keys are those of a removed
    /// user all the same (`orphans_usable`). Default: false, the record is gone.
    bool removed_sso_user_keeps_record = false;
    /// Writes creates, changes and deletions of keys to the audit log. Default: false.
    bool key_operations_audited = false;
    /// Moves the last sign-in of a key's owner with every request that the key authenticates. Default: false.
    bool key_use_moves_last_sign_in = false;
    /// Shortens the expiry in a create or update to this long from then on, and gives it to a key without an
    /// expiry. Default: zero, which shortens nothing.
    std::chrono::milliseconds max_lifetime{0};
};

/// Limits the rate of requests: a bucket of `burst` requests that fills at `per_second`, for every source
/// address and separately for each of /v1/apiKeys, /v1/users, /v1/auth and /v1/audits.
struct RateLimit {
    /// Sets the sustained rate, in requests per second. Default: 10.
    double per_second = 10;
    /// Sets how many requests may come at once. Default: 50.
    double burst = 50;

    /// Returns a limit that refuses nothing.
    [[nodiscard]] static RateLimit off() noexcept { return {0, 0}; }
    /// Returns whether nothing is refused.
    [[nodiscard]] bool is_off() const noexcept { return burst == 0; }
};

class ReceivedRequest;

/// Configures an emulator.
///
///     Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
struct EmulatorOptions {
    /// Names the address to listen on; with `allow_remote`, also one beyond this machine. Default: 127.0.0.1.
    std::string listen = "127.0.0.1";
    /// Gives the port to listen on. Default: 0, any free one.
    std::uint16_t port = 0;
    /// Serves plain HTTP instead of TLS; refused together with `allow_remote`. Default: false.
    bool plain_http = false;
    /// Allows `listen` to be an address that other machines reach. Default: false.
    bool allow_remote = false;

    /// Names the organisation of the tenant. Not empty. Default: "acme".
    std::string org = "acme";
    /// Adds this many keys at the start, of users of their own with at most `quota` keys each. Default: 0.
    std::size_t keys = 0;
    /// Bounds the number of keys of a user. Default: 20.
    std::size_t quota = 20;
    /// Sets how long a token is valid. Greater than zero. Default: 15 minutes.
    std::chrono::milliseconds token_lifetime = std::chrono::minutes{15};
    /// Limits the rate of requests. Default: 10 per second, bursts of 50.
    RateLimit rate_limit{};
    /// Adds a Retry-After to the 429 of the rate limit. Default: false.
    bool send_retry_after = false;
    /// Chooses the behaviour where the documentation of the service is silent.
    Assumptions assumptions{};
    /// Gives the time. Default: null, the machine's.
    std::shared_ptr<Clock> clock{};

    /// Bounds the header of a request, in bytes. Greater than zero. Default: 16 KiB.
    std::size_t max_header_bytes = 16 * 1024;
    /// Bounds the body of a request, in bytes. Default: 1 MiB.
    std::size_t max_body_bytes = 1024 * 1024;
    /// Bounds the number of connections. Beyond it, a new connection replaces the one that has been idle for
    /// longest; if none is idle, the new connection is closed. Greater than zero. Default: 1,024.
    std::size_t max_connections = 1'024;
    /// Bounds the time for a whole request, from its first byte on, in real time. Greater than zero. Default:
    /// 10 s.
    std::chrono::milliseconds request_timeout = std::chrono::seconds{10};
    /// Bounds the time between two requests of a connection, in real time. Greater than zero. Default: 75 s.
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{75};
    /// Bounds the time in which a client may stop reading while its response is sent, in real time. Greater
    /// than zero. Default: 30 s.
    std::chrono::milliseconds write_timeout = std::chrono::seconds{30};

    /// Bounds the number of requests that Emulator::requests() returns: the last ones. Default: 1,000.
    std::size_t requests_kept = 1'000;
    /// Is called with every request, in the emulator's thread, before the response is sent. Does not throw.
    /// Default: empty.
    std::function<void(const ReceivedRequest&)> on_request{};
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
