// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/certificates.hpp>
#include <palette/impl/emulator/http/hosts.hpp>
#include <palette/impl/emulator/http/server.hpp>
#include <palette/impl/emulator/http/shared_service.hpp>
#include <palette/impl/emulator/service/seeds.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/testing/emulator.hpp>

#include <array>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::testing {

class Emulator::Machine {
public:
    // The members are made in this order, each of what stands before it. Whatever throws leaves nothing
    // behind.
    explicit Machine(EmulatorOptions given)
        : options_(impl::emulation::checked(std::move(given))),
          names_(impl::emulation::more_names(options_)),
          identity_(options_.plain_http ? std::nullopt
                                        : std::optional(impl::emulation::make_host_identity(names_))),
          service_(options_, names_),
          users_(service_.with([](auto& service) { return impl::emulation::make_first_users(service); })),
          // The socket opens last: the first request already meets the whole tenant.
          server_(seeded(), options_, identity_ ? &*identity_ : nullptr) {
        // The TLS context of the server has a copy of its own. This one has served, and must not stay in
        // memory.
        if (identity_) detail::wipe(identity_->private_key_pem.data(), identity_->private_key_pem.size());
    }

    [[nodiscard]] const EmulatorOptions& options() const noexcept { return options_; }
    [[nodiscard]] const std::string& ca_pem() const noexcept {
        return identity_ ? identity_->authority_pem : none_;
    }
    [[nodiscard]] const std::string& tenant_uid() const noexcept { return tenant_uid_; }
    [[nodiscard]] const TestUser& user(Role role) const noexcept {
        return users_[static_cast<std::size_t>(role)];
    }
    [[nodiscard]] const impl::emulation::Server& server() const noexcept { return server_; }

    template <class F>
    auto with(F&& f) {
        return service_.with(std::forward<F>(f));
    }

    // With the user of that uid, who has to be there.
    template <class F>
    auto with_user(std::string_view uid, F f) {
        return with([&](impl::emulation::Service& service) {
            auto* const user = service.tenant().find_user(uid);
            // In the thread of the test that calls: the server goes on.
            if (user == nullptr) throw Exception(Error(errc::not_found, "the emulator has no such user"));
            return f(service, *user);
        });
    }

private:
    impl::emulation::SharedService& seeded() {
        tenant_uid_ = service_.with([&](auto& service) {
            impl::emulation::add_many_keys(service, options_.keys, options_.quota);
            return service.tenant().uid();
        });
        return service_;
    }

    EmulatorOptions options_;
    std::vector<std::string> names_;
    std::optional<impl::emulation::HostIdentity> identity_;
    std::string none_;
    std::string tenant_uid_;
    // In this order: `server_` goes first and ends its thread, which uses all that stands before it.
    impl::emulation::SharedService service_;
    std::array<TestUser, 4> users_;
    impl::emulation::Server server_;
};

PALETTE_KEYS_INLINE Emulator::Emulator(EmulatorOptions options)
    : machine_(std::make_unique<Machine>(std::move(options))) {}

PALETTE_KEYS_INLINE Emulator::~Emulator() = default;

PALETTE_KEYS_INLINE std::string Emulator::url() const {
    auto const& options = machine_->options();
    auto const is_ipv6 = options.listen.find(':') != std::string::npos;
    auto host = is_ipv6 ? '[' + options.listen + ']' : options.listen;
    // These mean "any address" to one who listens. Nobody can dial them, and the certificate does not name
    // them.
    if (options.listen == "0.0.0.0") host = "127.0.0.1";
    if (options.listen == "::") host = "[::1]";
    return (options.plain_http ? "http://" : "https://") + host + ':' + std::to_string(port());
}

PALETTE_KEYS_INLINE Endpoint Emulator::endpoint() const {
    return Endpoint::parse(url()).value();
}

PALETTE_KEYS_INLINE std::uint16_t Emulator::port() const noexcept {
    return machine_->server().port();
}

PALETTE_KEYS_INLINE const std::string& Emulator::ca_pem() const& noexcept {
    return machine_->ca_pem();
}

PALETTE_KEYS_INLINE const std::shared_ptr<Clock>& Emulator::clock() const& noexcept {
    return machine_->options().clock;
}

PALETTE_KEYS_INLINE const std::string& Emulator::tenant_uid() const& noexcept {
    return machine_->tenant_uid();
}

PALETTE_KEYS_INLINE const std::string& Emulator::org() const& noexcept {
    return machine_->options().org;
}

PALETTE_KEYS_INLINE const TestUser& Emulator::user(Role role) const& noexcept {
    return machine_->user(role);
}

PALETTE_KEYS_INLINE TestUser Emulator::add_user(NewTestUser user) {
    return machine_->with([&](auto& service) { return impl::emulation::make_user(service, user); });
}

PALETTE_KEYS_INLINE void Emulator::remove_user(std::string_view uid) {
    machine_->with_user(uid, [&](auto& service, auto& user) {
        // The service need not learn what an identity provider removes; a local user it removes itself.
        auto const keeps_record =
            user.single_sign_on && machine_->options().assumptions.removed_sso_user_keeps_record;
        service.tenant().remove_user(user, keeps_record);
    });
}

PALETTE_KEYS_INLINE void Emulator::set_role(std::string_view uid, Role role) {
    machine_->with_user(uid, [&](auto&, auto& user) { user.role = role; });
}

PALETTE_KEYS_INLINE void Emulator::set_group_role(std::string_view uid, Role role) {
    machine_->with_user(uid, [&](auto&, auto& user) { user.role_of_groups = role; });
}

PALETTE_KEYS_INLINE Secret Emulator::sign_in(std::string_view uid) {
    return machine_->with_user(uid, [](auto& service, auto& user) {
        // As a login would refuse: a test must not get a token that no browser could get.
        if (!user.is_active) throw Exception(Error(errc::invalid_argument, "this user is not active"));
        // A change of groups at the identity provider takes effect at a sign-in, not before.
        if (user.single_sign_on) user.role = user.role_of_groups;
        user.last_sign_in = service.now();
        auto token = service.tokens().issue(user.uid, service.now());
        return Secret::take(token);
    });
}

PALETTE_KEYS_INLINE CreatedApiKey Emulator::seed_key(const NewApiKey& key) {
    auto const& owner = key.user_uid().empty() ? user(Role::tenant_admin).uid : key.user_uid();
    return machine_->with_user(
        owner, [&](auto& service, auto& user) { return impl::emulation::make_key(service, key, user); });
}

PALETTE_KEYS_INLINE std::string Emulator::audit(AuditEvent event) {
    return machine_->with(
        [&](auto& service) { return impl::emulation::make_event(service, std::move(event)); });
}

PALETTE_KEYS_INLINE KeyList Emulator::keys() const {
    return machine_->with([](auto& service) {
        KeyList list({}, service.now());
        for (auto const& [number, record] : service.tenant().keys())
            list.push_back(record.key);
        return list;
    });
}

PALETTE_KEYS_INLINE std::vector<ReceivedRequest> Emulator::requests() const {
    return machine_->with([](auto& service) { return service.log().all(); });
}

PALETTE_KEYS_INLINE std::uint64_t Emulator::request_count() const {
    return machine_->with([](auto& service) { return service.log().count(); });
}

PALETTE_KEYS_INLINE std::size_t Emulator::connections() const {
    return machine_->server().connections();
}

PALETTE_KEYS_INLINE void Emulator::Faults::add(const FaultRule& rule) {
    emulator_.machine_->with([&](auto& service) { service.faults().add(rule); });
}

PALETTE_KEYS_INLINE void Emulator::Faults::add(std::string_view rule) {
    add(FaultRule::parse(rule).value());
}

PALETTE_KEYS_INLINE void Emulator::Faults::clear() {
    emulator_.machine_->with([](auto& service) { service.faults().clear(); });
}

PALETTE_KEYS_INLINE std::uint64_t Emulator::Faults::injected() const {
    return emulator_.machine_->with([](auto& service) { return service.faults().injected(); });
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
