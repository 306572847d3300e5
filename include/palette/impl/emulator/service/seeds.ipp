// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/string_map_builder.hpp>
#include <palette/error.hpp>
#include <palette/impl/emulator/service/bodies.hpp>
#include <palette/impl/emulator/service/seeds.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What no request could have brought in is not let in here either: answers could not carry it.
inline void check_text(std::string_view what, std::string_view text) {
    if (!is_utf8(text)) throw Exception(Error(errc::invalid_argument, std::string(what) + " is not UTF-8"));
}

inline void check_texts(std::string_view what, const StringMap& texts) {
    for (auto const [name, value] : texts) {
        check_text(what, name);
        check_text(what, value);
    }
}

PALETTE_KEYS_INLINE testing::TestUser make_user(Service& service, const testing::NewTestUser& wanted) {
    auto& tenant = service.tenant();
    if (wanted.email.empty())
        throw Exception(Error(errc::invalid_argument, "a user needs an e-mail address"));
    // The address is what a login goes by.
    if (tenant.find_user_by_email(wanted.email) != nullptr)
        throw Exception(Error(errc::invalid_argument, "the emulator has a user of this e-mail address"));
    check_text("the e-mail address", wanted.email);
    check_text("the first name", wanted.first_name);
    check_text("the last name", wanted.last_name);
    // Single sign-on users have none. The digest of the empty text does not let anybody in: a login refuses
    // them first.
    auto password = wanted.single_sign_on ? std::string() : random_letters(24);
    auto const& user = tenant.add_user({
        .uid = random_hex(12),
        .email = wanted.email,
        .first_name = wanted.first_name,
        .last_name = wanted.last_name,
        .role = wanted.role,
        // Both the same, or the first sign-in would change the role.
        .role_of_groups = wanted.role,
        .single_sign_on = wanted.single_sign_on,
        .mfa = wanted.mfa,
        .password = sha256(password),
        .created = service.now(),
        .last_sign_in = wanted.signed_in,
        .is_active = wanted.activity == testing::NewTestUser::Activity::active,
        .activation_link = wanted.activity == testing::NewTestUser::Activity::pending
                               ? "https://palette.test/auth/activate/" + random_letters(32)
                               : std::string(),
    });
    // The one copy of the password: the tenant has kept its digest.
    testing::TestUser made;
    made.uid = user.uid;
    made.email = user.email;
    made.role = user.role;
    made.password = Secret::take(password);
    return made;
}

PALETTE_KEYS_INLINE std::string make_event(Service& service, AuditEvent event) {
    for (auto const* const text :
         {&event.uid, &event.action, &event.action_message, &event.content_message, &event.user_message,
          &event.resource.uid, &event.resource.kind, &event.resource.name, &event.resource.label,
          &event.actor.type, &event.actor.user_uid, &event.actor.email, &event.actor.first_name,
          &event.actor.last_name, &event.actor.project, &event.actor.service})
        check_text("a text of the event", *text);
    return service.add_event(std::move(event));
}

PALETTE_KEYS_INLINE CreatedApiKey make_key(Service& service, const NewApiKey& wanted,
                                           const UserRecord& owner) {
    if (wanted.name().empty()) throw Exception(Error(errc::invalid_argument, "an API key needs a name"));
    check_text("the name", wanted.name());
    check_text("the description", wanted.description());
    check_texts("an annotation", wanted.annotations());
    check_texts("a label", wanted.labels());
    auto const now = service.now();
    ApiKey key;
    key.uid = random_hex(12);
    key.name = wanted.name();
    key.description = wanted.description();
    key.owner = Owner(owner.uid, owner.first_name, owner.last_name);
    StringMapBuilder annotations;  // of equal names the first counts
    for (auto const [name, value] : make_server_annotations(owner.uid, service.tenant().uid()))
        annotations.add(name, value);
    for (auto const [name, value] : wanted.annotations())
        annotations.add(name, value);
    key.annotations = annotations.finish();
    key.labels = wanted.labels();
    key.expiry = wanted.expiry_at(now);
    key.is_active = true;
    key.created = now;
    key.modified = now + stored_again_after;
    auto const uid = key.uid;
    auto value = service.add_key(std::move(key), owner.uid);
    return {uid, Secret::take(value), true};
}

PALETTE_KEYS_INLINE std::array<testing::TestUser, 4> make_first_users(Service& service) {
    auto const make = [&](Role role, const std::string& name, const std::string& first_name) {
        auto user = make_user(service, {.email = name + '@' + service.tenant().org() + ".test",
                                        .role = role,
                                        .first_name = first_name,
                                        .last_name = "Emulated"});
        // Without an end, since tests move the clock ahead.
        auto const wanted = NewApiKey(name + "-first").expires(Expiry::never());
        auto const& owner = *service.tenant().find_user(user.uid);
        auto key = make_key(service, wanted, owner);
        user.api_key_uid = key.uid();
        user.api_key = std::move(key).secret();
        return user;
    };
    return {make(Role::tenant_admin, "admin", "Ada"), make(Role::tenant_user_admin, "useradmin", "Uma"),
            make(Role::tenant_viewer, "viewer", "Vera"), make(Role::user, "dev", "Dev")};
}

PALETTE_KEYS_INLINE void add_many_keys(Service& service, std::size_t count, std::size_t max_per_user) {
    std::string owner_uid;
    for (std::size_t i = 0; i < count; ++i) {
        auto const number = std::to_string(i + 1);
        // A new owner whenever the last one has reached the quota, so that these keys could have come by
        // requests.
        if (i % max_per_user == 0) {
            auto const email =
                "user" + std::to_string(i / max_per_user + 1) + '@' + service.tenant().org() + ".test";
            owner_uid = make_user(service, {.email = email}).uid;
        }
        auto const wanted = NewApiKey("key-" + number)
                                .description("key number " + number + " of those made at the start")
                                .label("made-by", "palette-emulator");
        make_key(service, wanted, *service.tenant().find_user(owner_uid));
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
