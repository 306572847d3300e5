// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/endpoint.hpp>
#include <palette/testing/emulator_options.hpp>
#include <palette/testing/fault.hpp>
#include <palette/testing/received_request.hpp>
#include <palette/testing/test_user.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {
struct ClientOptions;
}

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Runs the API-key service of Palette in this process: on a real socket of this machine, with TLS, a
/// certificate authority made at the start, and a tenant with four users, one for each role. No account is
/// needed. The emulator enforces permissions, lets keys expire by a clock that tests move, limits the rate as
/// documented, and injects faults on request.
///
///     palette::testing::Emulator emulator;
///     palette::ApiKeyClient client(context, emulator.client_options(palette::testing::Role::tenant_admin));
///
/// Lifetime: the emulator serves, in a thread of its own, from the constructor until the destructor, which
/// closes every connection and waits for the thread. Nothing is written to disk. Many can run at once.
///
/// Guards: the emulator listens on loopback only, unless EmulatorOptions::allow_remote is set. Credentials
/// are made at the start, never fixed. Values of keys are kept as SHA-256 only. Requests with an Origin, or
/// with a Host that is not loopback, get 403. Tokens of any other signer, algorithm or shape are refused. The
/// private key of the authority is forgotten once it has signed; its certificate expires after a day and is
/// valid for loopback names only.
///
/// Errors: the constructor, and functions that take a uid or a rule, throw palette::Exception with the
/// reason: errc::invalid_argument, errc::not_found, or errc::transport if the emulator cannot listen.
///
/// Threads: every function may be called from any thread.
class PALETTE_KEYS_DECL Emulator {
public:
    /// Starts an emulator with default options.
    Emulator() : Emulator(EmulatorOptions{}) {}
    /// Starts an emulator. Throws Exception if the options cannot be used or it cannot listen.
    explicit Emulator(EmulatorOptions options);
    Emulator(const Emulator&) = delete;
    Emulator& operator=(const Emulator&) = delete;
    /// Closes every connection, and waits for the thread.
    ~Emulator();

    /// Returns the URL: "https://127.0.0.1:43117".
    [[nodiscard]] std::string url() const;
    /// Returns the URL as an Endpoint.
    [[nodiscard]] Endpoint endpoint() const;
    /// Returns the port.
    [[nodiscard]] std::uint16_t port() const noexcept;

    /// Returns the certificate of the authority, in PEM; empty with plain HTTP.
    [[nodiscard]] const std::string& ca_pem() const& noexcept;
    void ca_pem() const&& = delete;

    /// Returns the clock that was given; null for the machine's.
    [[nodiscard]] const std::shared_ptr<Clock>& clock() const& noexcept;
    void clock() const&& = delete;

    /// Returns the uid of the tenant.
    [[nodiscard]] const std::string& tenant_uid() const& noexcept;
    void tenant_uid() const&& = delete;
    /// Returns the name of the organisation.
    [[nodiscard]] const std::string& org() const& noexcept;
    void org() const&& = delete;

    /// Returns the user of that role who exists from the start, with an API key that never expires.
    [[nodiscard]] const TestUser& user(Role role) const& noexcept;
    void user(Role role) const&& = delete;

    /// Returns options for a client of that user: the endpoint, the authority, the user's API key with its
    /// uid, and the clock if one was given, so that timeouts pass on it too.
    [[nodiscard]] ClientOptions client_options(Role role) const;

    /// Adds a user.
    TestUser add_user(NewTestUser user);

    /// Removes a user. The keys of a local user are removed with them; those of a single sign-on user stay.
    /// Assumptions::removed_sso_user_keeps_record tells whether the record of a single sign-on user stays.
    void remove_user(std::string_view uid);

    /// Sets the role of a user, which is in force from the next request on, for their existing keys and
    /// tokens too. A single sign-on user has the role until they sign in again.
    void set_role(std::string_view uid, Role role);

    /// Sets the role that the groups of a single sign-on user give them, in force from their next sign_in()
    /// on.
    void set_group_role(std::string_view uid, Role role);

    /// Signs a user in as the browser does, by password and second factor or by single sign-on, and returns
    /// the token. Throws Exception (errc::invalid_argument) for a user who is inactive or pending.
    Secret sign_in(std::string_view uid);

    /// Creates a key without a request: beyond the quota if need be, with any expiry. The owner is the tenant
    /// admin unless for_user() is set.
    CreatedApiKey seed_key(const NewApiKey& key);

    /// Writes an event to the audit log, whatever it says. An event without a uid gets one, and an event
    /// without a time happens now. Returns the uid. The log is listed in the order in which events were
    /// written.
    std::string audit(AuditEvent event);

    /// Returns every key that exists, in the order of creation.
    [[nodiscard]] KeyList keys() const;

    /// Returns the last requests, oldest first, at most EmulatorOptions::requests_kept. A request is listed
    /// before its response is sent. Messages that are not HTTP are not listed.
    [[nodiscard]] std::vector<ReceivedRequest> requests() const;
    /// Returns how many requests there were in all. Messages that are not HTTP are not counted.
    [[nodiscard]] std::uint64_t request_count() const;

    /// Returns the number of open connections.
    [[nodiscard]] std::size_t connections() const;

    /// Holds the rules by which faults are injected, in the order in which they were added.
    ///
    ///     emulator.faults().add("POST /v1/apiKeys drop-after x1");
    class PALETTE_KEYS_DECL Faults {
    public:
        /// Adds a rule.
        void add(const FaultRule& rule);
        /// Adds a rule in the form of FaultRule::parse(). Throws Exception (errc::invalid_argument) for any
        /// other text.
        void add(std::string_view rule);
        /// Removes all rules. Faults injected before stay counted.
        void clear();

        /// Returns how many faults have been injected since the start.
        [[nodiscard]] std::uint64_t injected() const;

    private:
        friend class Emulator;
        explicit Faults(Emulator& emulator) noexcept : emulator_(emulator) {}
        Emulator& emulator_;
    };
    /// Returns the rules by which faults are injected.
    [[nodiscard]] Faults faults() noexcept { return Faults(*this); }

private:
    class Machine;
    std::unique_ptr<Machine> machine_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/emulator.ipp>
#    include <palette/testing/client_options.ipp>
#endif
