// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/answers.hpp>
#include <palette/impl/values/text.hpp>

#include <chrono>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE void append_text(std::string& out, std::string_view text) {
    out += '"';
    // Bytes above ASCII go as they are: all texts were checked to be UTF-8 when they came in.
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (byte >= 0x20)
            out += c;
        else
            out += {'\\', 'u', '0', '0', detail::lower_hex[byte >> 4], detail::lower_hex[byte & 15]};
    }
    out += '"';
}

inline void append_digits(std::string& out, unsigned number, unsigned count) {
    auto const at = out.size();
    out.append(count, '0');
    for (auto i = count; i > 0; --i, number /= 10)
        out[at + i - 1] = static_cast<char>('0' + number % 10);
}

PALETTE_KEYS_INLINE void append_time(std::string& out, std::optional<Instant> time) {
    using namespace std::chrono;
    if (!time) {
        // W3: the zero value of a time in Go. A clock with nanoseconds in 64 bits cannot represent it.
        out += "\"0001-01-01T00:00:00.000Z\"";
        return;
    }
    auto const day = floor<days>(*time);
    year_month_day const date{day};
    auto const of_day = static_cast<unsigned>((*time - day).count());
    out += '"';
    append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.day()), 2);
    out += 'T';
    append_digits(out, of_day / 3'600'000, 2);
    out += ':';
    append_digits(out, of_day / 60'000 % 60, 2);
    out += ':';
    append_digits(out, of_day / 1'000 % 60, 2);
    out += '.';
    append_digits(out, of_day % 1'000, 3);
    out += "Z\"";
}

// One JSON object, with commas where they belong. Members that are empty are left out.
class AnswerWriter {
public:
    explicit AnswerWriter(std::string& out) : out_(out) { out_ += '{'; }
    AnswerWriter(const AnswerWriter&) = delete;
    AnswerWriter& operator=(const AnswerWriter&) = delete;
    ~AnswerWriter() { out_ += '}'; }

    // What is to be appended next is the value of this member.
    std::string& name(std::string_view name) {
        // Every object begins with a brace and no value ends with an open one: the last character tells
        // whether this member is the first.
        if (out_.back() != '{') out_ += ',';
        append_text(out_, name);
        out_ += ':';
        return out_;
    }

    void text(std::string_view key, std::string_view value) {
        if (!value.empty()) append_text(name(key), value);
    }
    // For members that the vendor's description requires.
    void always_text(std::string_view key, std::string_view value) { append_text(name(key), value); }
    void number(std::string_view key, std::size_t value) { name(key) += std::to_string(value); }
    void flag(std::string_view key, bool value) { name(key) += value ? "true" : "false"; }
    void time(std::string_view key, std::optional<Instant> value) { append_time(name(key), value); }

    void texts(std::string_view key, const StringMap& map, std::string_view description = {}) {
        // W1: an empty object is left out.
        if (map.empty() && description.empty()) return;
        AnswerWriter members(name(key));
        // W5: the description is an annotation like the others, and empty as absent.
        members.text(palette::detail::description_annotation, description);
        for (auto const [k, v] : map)
            members.always_text(k, v);
    }

private:
    std::string& out_;
};

PALETTE_KEYS_INLINE void append_error(std::string& out, std::string_view code, std::string_view message,
                                      std::string_view ref) {
    AnswerWriter error(out);
    error.always_text("code", code);
    error.always_text("message", message);
    error.always_text("ref", ref);
}

PALETTE_KEYS_INLINE void append_key(std::string& out, const ApiKey& key) {
    AnswerWriter object(out);
    {
        AnswerWriter metadata(object.name("metadata"));
        metadata.text("name", key.name);
        metadata.text("uid", key.uid);
        metadata.texts("annotations", key.annotations, key.description);
        metadata.texts("labels", key.labels);
        metadata.time("creationTimestamp", key.created);
        metadata.time("lastModifiedTimestamp", key.modified);
        metadata.time("deletionTimestamp", key.deleted);
    }
    {
        AnswerWriter spec(object.name("spec"));
        spec.time("expiry", key.expiry.instant());
        // Each inner object ends with its scope, in the reverse order: destructors write the braces.
        AnswerWriter user(spec.name("user"));
        user.text("uid", key.owner.uid);
        user.text("firstName", key.owner.first_name);
        user.text("lastName", key.owner.last_name);
    }
    AnswerWriter status(object.name("status"));
    // W1: `false` is left out. The status of a revoked key is {}, and a client must read that as inactive.
    if (key.is_active) status.flag("isActive", true);
}

PALETTE_KEYS_INLINE void append_user(std::string& out, const UserRecord& user) {
    AnswerWriter object(out);
    {
        AnswerWriter metadata(object.name("metadata"));
        metadata.text("name", user.email);
        metadata.text("uid", user.uid);
        metadata.time("creationTimestamp", user.created);
        metadata.time("lastModifiedTimestamp", user.created);
        metadata.time("deletionTimestamp", std::nullopt);
    }
    {
        AnswerWriter spec(object.name("spec"));
        spec.text("emailId", user.email);
        spec.text("firstName", user.first_name);
        spec.text("lastName", user.last_name);
        auto& roles = spec.name("roles");
        roles += '[';
        append_text(roles, to_string(user.role));
        roles += ']';
    }
    AnswerWriter status(object.name("status"));
    // Whoever has this link sets the password of the account: clients have to withhold it.
    status.always_text("activationLink", user.activation_link);
    status.flag("isActive", user.is_active);
    status.flag("isPasswordResetting", false);
    status.time("lastSignIn", user.last_sign_in);
}

PALETTE_KEYS_INLINE void append_event(std::string& out, const AuditEvent& event) {
    AnswerWriter object(out);
    {
        AnswerWriter metadata(object.name("metadata"));
        metadata.text("uid", event.uid);
        metadata.time("creationTimestamp", event.created);
    }
    AnswerWriter spec(object.name("spec"));
    spec.text("actionMsg", event.action_message);
    spec.text("actionType", event.action);
    {
        AnswerWriter actor(spec.name("actor"));
        actor.text("actorType", event.actor.type);
        if (!event.actor.project.empty()) {
            AnswerWriter project(actor.name("project"));
            project.text("name", event.actor.project);
        }
        actor.text("serviceName", event.actor.service);
        AnswerWriter user(actor.name("user"));
        user.text("emailId", event.actor.email);
        user.text("firstName", event.actor.first_name);
        user.text("lastName", event.actor.last_name);
        user.text("uid", event.actor.user_uid);
    }
    spec.text("contentMsg", event.content_message);
    {
        AnswerWriter resource(spec.name("resource"));
        resource.text("kind", event.resource.kind);
        resource.text("label", event.resource.label);
        resource.text("name", event.resource.name);
        resource.always_text("uid", event.resource.uid);
    }
    spec.text("userMsg", event.user_message);
}

PALETTE_KEYS_INLINE void append_limit(std::string& out, std::string_view kind, std::string_view label,
                                      std::size_t limit, std::size_t max_limit) {
    AnswerWriter object(out);
    object.text("kind", kind);
    object.text("label", label);
    object.number("limit", limit);
    object.number("maxLimit", max_limit);
}

PALETTE_KEYS_INLINE void append_list_meta(std::string& out, const ListMeta& meta) {
    AnswerWriter object(out);
    // Also when it is empty: that is how the end of a list is told (W11).
    object.always_text("continue", meta.next);
    object.number("count", meta.count);
    object.number("limit", meta.limit);
    object.number("offset", meta.offset);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
