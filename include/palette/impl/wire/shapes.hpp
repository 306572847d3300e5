// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/wire/decode.hpp>
#include <palette/impl/wire/schema.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// The service's documents. Fields stand in the order in which it sends them.
namespace shapes {

// W5: the description is an annotation, and a field of its own here. All other annotations are kept.
inline constexpr Field annotation_fields[] = {
    member<&ApiKey::description>(detail::description_annotation),
};
inline constexpr Shape annotations{annotation_fields, at<&ApiKey::annotations>};
inline constexpr Shape labels{{}, at<&ApiKey::labels>};

inline constexpr Field key_metadata_fields[] = {
    group("annotations", annotations),
    member<&ApiKey::created>("creationTimestamp"),
    member<&ApiKey::deleted>("deletionTimestamp"),
    group("labels", labels),
    member<&ApiKey::modified>("lastModifiedTimestamp"),
    member<&ApiKey::name>("name"),
    member<&ApiKey::uid>("uid"),
};
inline constexpr Shape key_metadata{key_metadata_fields};

inline constexpr Field owner_fields[] = {
    member<&Owner::first_name>("firstName"),
    member<&Owner::last_name>("lastName"),
    member<&Owner::uid>("uid"),
};
inline constexpr Shape owner{owner_fields};

inline constexpr Field key_spec_fields[] = {
    member<&ApiKey::expiry>("expiry"),
    withheld("key"),  // W9: deprecated, but some servers still send the key's value
    member<&ApiKey::owner>("user", owner),
};
inline constexpr Shape key_spec{key_spec_fields};

// W1: a missing isActive means inactive, which is the value that the field starts with.
inline constexpr Field key_status_fields[] = {member<&ApiKey::is_active>("isActive")};
inline constexpr Shape key_status{key_status_fields};

inline constexpr Field key_fields[] = {
    group("metadata", key_metadata),
    group("spec", key_spec),
    group("status", key_status),
};
inline constexpr Shape key{key_fields};

// W11: paging of keys is not documented, and met all the same.
inline constexpr Field key_paging_fields[] = {member<&KeyPage::next>("continue")};
inline constexpr Shape key_paging{key_paging_fields};
inline constexpr Field key_page_fields[] = {
    list<&KeyPage::items>("items", key),
    group("listmeta", key_paging),
};
inline constexpr Shape key_page{key_page_fields};

inline constexpr Field user_metadata_fields[] = {member<&User::uid>("uid")};
inline constexpr Shape user_metadata{user_metadata_fields};
inline constexpr Field user_spec_fields[] = {
    member<&User::email>("emailId"),
    member<&User::first_name>("firstName"),
    member<&User::last_name>("lastName"),
    member<&User::roles>("roles"),
};
inline constexpr Shape user_spec{user_spec_fields};
inline constexpr Field user_status_fields[] = {
    withheld("activationLink"),  // whoever has it can set the user's password
    member<&User::is_active>("isActive"),
    member<&User::last_sign_in>("lastSignIn"),
};
inline constexpr Shape user_status{user_status_fields};
inline constexpr Field user_fields[] = {
    group("metadata", user_metadata),
    group("spec", user_spec),
    group("status", user_status),
};
inline constexpr Shape user{user_fields};

inline constexpr Field user_paging_fields[] = {
    member<&UserPage::next>("continue"),
    member<&UserPage::total>("count"),
};
inline constexpr Shape user_paging{user_paging_fields};
inline constexpr Field user_page_fields[] = {
    list<&UserPage::items>("items", user),
    group("listmeta", user_paging),
};
inline constexpr Shape user_page{user_page_fields};

inline constexpr Field audit_metadata_fields[] = {
    member<&AuditEvent::created>("creationTimestamp"),
    member<&AuditEvent::uid>("uid"),
};
inline constexpr Shape audit_metadata{audit_metadata_fields};
inline constexpr Field audit_user_fields[] = {
    member<&AuditEvent::Actor::email>("emailId"),
    member<&AuditEvent::Actor::first_name>("firstName"),
    member<&AuditEvent::Actor::last_name>("lastName"),
    member<&AuditEvent::Actor::user_uid>("uid"),
};
inline constexpr Shape audit_user{audit_user_fields};
inline constexpr Field audit_project_fields[] = {member<&AuditEvent::Actor::project>("name")};
inline constexpr Shape audit_project{audit_project_fields};
inline constexpr Field audit_actor_fields[] = {
    member<&AuditEvent::Actor::type>("actorType"),
    group("project", audit_project),
    member<&AuditEvent::Actor::service>("serviceName"),
    group("user", audit_user),
};
inline constexpr Shape audit_actor{audit_actor_fields};
inline constexpr Field audit_resource_fields[] = {
    member<&AuditEvent::Resource::kind>("kind"),
    member<&AuditEvent::Resource::label>("label"),
    member<&AuditEvent::Resource::name>("name"),
    member<&AuditEvent::Resource::uid>("uid"),
};
inline constexpr Shape audit_resource{audit_resource_fields};
inline constexpr Field audit_spec_fields[] = {
    member<&AuditEvent::action_message>("actionMsg"),
    member<&AuditEvent::action>("actionType"),
    member<&AuditEvent::actor>("actor", audit_actor),
    member<&AuditEvent::content_message>("contentMsg"),
    member<&AuditEvent::resource>("resource", audit_resource),
    member<&AuditEvent::user_message>("userMsg"),
};
inline constexpr Shape audit_spec{audit_spec_fields};
inline constexpr Field audit_fields[] = {
    group("metadata", audit_metadata),
    group("spec", audit_spec),
};
inline constexpr Shape audit{audit_fields};

inline constexpr Field audit_paging_fields[] = {member<&AuditPage::next>("continue")};
inline constexpr Shape audit_paging{audit_paging_fields};
inline constexpr Field audit_page_fields[] = {
    list<&AuditPage::items>("items", audit),
    group("listmeta", audit_paging),
};
inline constexpr Shape audit_page{audit_page_fields};

inline constexpr Field resource_limit_fields[] = {
    member<&ResourceLimit::kind>("kind"),
    member<&ResourceLimit::label>("label"),
    member<&ResourceLimit::limit>("limit"),
    member<&ResourceLimit::max_limit>("maxLimit"),
};
inline constexpr Shape resource_limit{resource_limit_fields};
inline constexpr Field resource_limits_fields[] = {
    list<&ResourceLimits::resources>("resources", resource_limit),
};
inline constexpr Shape resource_limits{resource_limits_fields};

inline constexpr Field created_fields[] = {
    member<&Document<CreatedApiKey>::Value::secret>("apiKey"),
    member<&Document<CreatedApiKey>::Value::uid>("uid"),
};
// A new secret may stand where none should.
inline constexpr Shape created{created_fields, nullptr, false};

inline constexpr Field token_fields[] = {
    member<&UserToken::token>("Authorization"),
    member<&UserToken::is_mfa>("isMfa"),
};
// Not quoted in errors either, for the same reason.
inline constexpr Shape token{token_fields, nullptr, false};

inline constexpr Field identity_fields[] = {
    member<&Identity::org_name>("orgName"),
    member<&Identity::tenant_uid>("tenantUid"),
    member<&Identity::user_uid>("userUid"),
};
inline constexpr Shape identity{identity_fields};

// `details` is of any form, and tells nothing that the client could act on.
inline constexpr Field error_fields[] = {
    member<&ErrorBody::code>("code"),
    member<&ErrorBody::message>("message"),
    member<&ErrorBody::ref>("ref"),
};
inline constexpr Shape error{error_fields};

}  // namespace shapes

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
