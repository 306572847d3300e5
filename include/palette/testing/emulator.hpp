// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
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

// The API-key service of Palette, in this process: on a real socket of this machine, with TLS and a
// certificate authority made at the start, a tenant with four users, one for each role, and no account
// needed. It enforces who may do what, lets keys expire by a clock that tests move, limits the rate as
// documented, and misbehaves when told to.
//
//     palette::testing::Emulator emulator;
//     palette::ApiKeyClient client(context, emulator.client_options(palette::testing::Role::tenant_admin));
//
// It is a scope: it serves, in a thread of its own, from the constructor on until the destructor, which
// closes every connection and waits for the thread. Nothing is written to disk. Many can run at once.
//
// Guards: it listens on loopback only; credentials are made at the start, never fixed; values of keys
// are kept as SHA-256 alone; requests with an Origin or a Host that is not loopback get 403; tokens of
// any other signer, algorithm or shape are refused; the authority's key is forgotten once it has signed,
// its certificate ends after a day and is good for loopback names only.
//
// Errors: the constructor and functions with a uid or a rule throw palette::Exception
// (errc::invalid_argument, errc::not_found; errc::transport when it cannot listen), and say why.
//
// Threads: every function may be called from any thread.
class PALETTE_KEYS_DECL Emulator {
public:
    Emulator() : Emulator(EmulatorOptions{}) {}
    explicit Emulator(EmulatorOptions options);
    Emulator(const Emulator&) = delete;
    Emulator& operator=(const Emulator&) = delete;
    ~Emulator();

    // Where it is: "https://127.0.0.1:43117".
    [[nodiscard]] std::string url() const;
    [[nodiscard]] Endpoint endpoint() const;
    [[nodiscard]] std::uint16_t port() const noexcept;

    // The certificate of its authority; empty with plain HTTP.
    [[nodiscard]] const std::string& ca_pem() const& noexcept;
    void ca_pem() const&& = delete;

    // The one that was given; null: the machine's.
    [[nodiscard]] const std::shared_ptr<Clock>& clock() const& noexcept;
    void clock() const&& = delete;

    [[nodiscard]] const std::string& tenant_uid() const& noexcept;
    void tenant_uid() const&& = delete;
    [[nodiscard]] const std::string& org() const& noexcept;
    void org() const&& = delete;

    // The user of that role who is there from the start, with an API key that never ends.
    [[nodiscard]] const TestUser& user(Role role) const& noexcept;
    void user(Role role) const&& = delete;

    // For a client of that user: the endpoint, the authority, the user's API key, and the clock if one was
    // given: then time-outs pass on it too.
    [[nodiscard]] ClientOptions client_options(Role role) const;

    TestUser add_user(NewTestUser user);

    // A local user's keys go with them; those of a single sign-on user stay.
    void remove_user(std::string_view uid);

    // Felt at the next request, by their living keys and tokens too. A single sign-on user has the role
    // until they sign in again.
    void set_role(std::string_view uid, Role role);

    // What the groups of a single sign-on user give them; felt from their next sign_in() on.
    void set_group_role(std::string_view uid, Role role);

    // A token, as the browser gets it: by a local user's password and second factor, or by single sign-on.
    Secret sign_in(std::string_view uid);

    // Makes a key without a request: beyond the quota if need be, with any expiry; the tenant admin's
    // own without for_user().
    CreatedApiKey seed_key(const NewApiKey& key);

    // Every key that exists, in the order of creation.
    [[nodiscard]] KeyList keys() const;

    // The last requests, oldest first, and how many there were in all. A request is there before its
    // answer is sent. What was not HTTP is not counted.
    [[nodiscard]] std::vector<ReceivedRequest> requests() const;
    [[nodiscard]] std::uint64_t request_count() const;

    // The connections that are open now.
    [[nodiscard]] std::size_t connections() const;

    // Rules for misbehaviour, tried in the order in which they were added.
    //
    //     emulator.faults().add("POST /v1/apiKeys drop-after x1");
    class PALETTE_KEYS_DECL Faults {
    public:
        void add(const FaultRule& rule);
        void add(std::string_view rule);
        void clear();

        // How many faults have been injected since the start.
        [[nodiscard]] std::uint64_t injected() const;

    private:
        friend class Emulator;
        explicit Faults(Emulator& emulator) noexcept : emulator_(emulator) {}
        Emulator& emulator_;
    };
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
