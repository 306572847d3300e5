// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/detail/rfc3339.hpp>
#include <palette/impl/values/create_mark.hpp>
#include <palette/impl/values/json_line.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/pending_create.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <ostream>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace detail {

inline Error bad_pending(std::string_view field, std::string what) {
    return Error(errc::invalid_argument, std::move(what)).path(std::string(field));
}

inline Result<void> check_pending_text(std::string_view text, std::string_view field) {
    if (auto const* const fault = fault_of_text(text)) return bad_pending(field, fault);
    return {};
}

// Without them, whoever asks next would look for the keys, find none of another's, and report success.
inline Result<void> check_pending_caller(std::string_view uid, std::string_view field) {
    if (uid.empty()) return bad_pending(field, "does not say who asked for the key");
    return check_pending_text(uid, field);
}

inline Result<void> check_pending_attempts(const std::vector<int>& attempts) {
    if (attempts.empty()) return bad_pending("attempts", "names none");
    for (auto last = 0; int const attempt : attempts) {
        if (attempt <= last || attempt > most_create_attempts)
            return bad_pending("attempts", "are not numbers in order, from 1 on");
        last = attempt;
    }
    return {};
}

// What is read, field after field: each comes once.
struct PendingFields {
    std::optional<int> version;
    std::optional<std::string> nonce, name, owner, user, tenant, begun, any;
    std::optional<std::vector<int>> attempts;

    Result<void> read(JsonLineReader& in, std::string_view field) {
        if (field == "version") return keep(version, in.number(), field);
        if (field == "attempts" && in.comes('[')) return keep(attempts, in.numbers(), field);
        auto* const text = text_of(field);
        if (text == nullptr) return bad_pending(printable(field), "is not known: written by a later version");
        return keep(*text, in.text(), field);
    }

    [[nodiscard]] bool is_whole() const noexcept {
        return version && nonce && name && owner && user && tenant && begun &&
               any.has_value() != attempts.has_value();
    }

private:
    std::optional<std::string>* text_of(std::string_view field) noexcept {
        if (field == "nonce") return &nonce;
        if (field == "name") return &name;
        if (field == "ownerUid") return &owner;
        if (field == "userUid") return &user;
        if (field == "tenantUid") return &tenant;
        if (field == "begun") return &begun;
        if (field == "attempts") return &any;
        return nullptr;
    }

    template <class T>
    static Result<void> keep(std::optional<T>& place, std::optional<T> value, std::string_view field) {
        if (place) return bad_pending(field, "comes twice");
        if (!value) return bad_pending(field, "is not of the kind that it should be");
        place = std::move(value);
        return {};
    }
};

inline Result<PendingFields> read_pending(std::string_view text) {
    auto const no_object = [] {
        return bad_pending("", "the text is not a pending create: no object of JSON");
    };
    JsonLineReader in(text);
    PendingFields fields;
    if (!in.take('{')) return no_object();
    do {
        auto const field = in.text();
        if (!field || !in.take(':')) return no_object();
        if (auto read = fields.read(in, *field); !read) return std::move(read.error());
    } while (in.take(','));
    if (!in.take('}') || !in.at_end()) return no_object();
    return fields;
}

PALETTE_KEYS_INLINE bool operator==(const SharedPending& a, const SharedPending& b) {
    return a.pending_ == b.pending_ || (a.pending_ && b.pending_ && *a.pending_ == *b.pending_);
}

}  // namespace detail

PALETTE_KEYS_INLINE std::string PendingCreate::make_nonce() {
    std::array<unsigned char, detail::nonce_length / 2> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw Exception(Error(errc::system, "the system has no randomness to give").path("nonce"));
    std::string nonce;
    for (auto const byte : random) {
        nonce += detail::lower_hex[byte >> 4];
        nonce += detail::lower_hex[byte & 0xF];
    }
    return nonce;
}

PALETTE_KEYS_INLINE Result<PendingCreate> PendingCreate::of_nonce(std::string nonce, std::string name,
                                                                  Identity by, std::string owner_uid) {
    if (!detail::is_nonce(nonce)) return detail::bad_pending("nonce", detail::nonce_form);
    if (auto good = detail::check_pending_text(name, "name"); !good) return std::move(good.error());
    if (auto good = detail::check_pending_text(owner_uid, "ownerUid"); !good) return std::move(good.error());
    if (auto good = detail::check_pending_caller(by.user_uid, "userUid"); !good)
        return std::move(good.error());
    if (auto good = detail::check_pending_caller(by.tenant_uid, "tenantUid"); !good)
        return std::move(good.error());
    PendingCreate pending;
    pending.nonce_ = std::move(nonce);
    pending.name_ = std::move(name);
    pending.owner_uid_ = std::move(owner_uid);
    pending.user_uid_ = std::move(by.user_uid);
    pending.tenant_uid_ = std::move(by.tenant_uid);
    return pending;
}

PALETTE_KEYS_INLINE PendingCreate::PendingCreate(std::string nonce, std::string name, std::string owner_uid,
                                                 Identity by, Instant begun, std::vector<int> attempts)
    : nonce_(std::move(nonce)),
      name_(std::move(name)),
      owner_uid_(std::move(owner_uid)),
      user_uid_(std::move(by.user_uid)),
      tenant_uid_(std::move(by.tenant_uid)),
      begun_(detail::clamp(begun)),
      attempts_(std::move(attempts)) {
    // None is any, and would take in the key whose value was delivered.
    if (attempts_.empty())
        throw Exception(detail::bad_pending("attempts", "a pending create names at least one attempt"));
}

PALETTE_KEYS_INLINE bool PendingCreate::matches(std::string_view mark) const noexcept {
    auto const attempt = detail::attempt_of(mark, nonce_);
    return attempt != 0 && (is_any() || std::ranges::binary_search(attempts_, attempt));
}

PALETTE_KEYS_INLINE std::string PendingCreate::to_text() const {
    std::string out = R"({"version":1)";
    auto const add = [&](std::string_view field, std::string_view text) {
        out.append(",\"").append(field).append("\":");
        detail::append_json_text(out, text);
    };
    char begun[detail::rfc3339_length];
    detail::format_rfc3339(begun_, begun);
    add("nonce", nonce_);
    add("name", name_);
    add("ownerUid", owner_uid_);
    add("userUid", user_uid_);
    add("tenantUid", tenant_uid_);
    add("begun", std::string_view(begun, sizeof begun));
    if (is_any()) {
        add("attempts", "any");
    } else {
        out += ",\"attempts\":[";
        for (char const* comma = ""; int const attempt : attempts_) {
            out.append(comma).append(std::to_string(attempt));
            comma = ",";
        }
        out += ']';
    }
    return out + '}';
}

PALETTE_KEYS_INLINE Result<PendingCreate> PendingCreate::parse(std::string_view text) {
    constexpr std::size_t most = 16 << 10;
    if (text.size() > most) return detail::bad_pending("", "the text is too long to be a pending create");
    auto fields = detail::read_pending(text);
    if (!fields) return std::move(fields.error());
    if (fields->version && *fields->version != 1)
        return detail::bad_pending("version", "is " + std::to_string(*fields->version) +
                                                  ": written by a later version of the library");
    if (!fields->is_whole())
        return detail::bad_pending("", "the text is a pending create with fields missing");
    auto const begun = detail::parse_rfc3339(*fields->begun);
    if (!begun || detail::clamp(*begun) != *begun) return detail::bad_pending("begun", "is not a time");
    if (fields->any && *fields->any != "any")
        return detail::bad_pending("attempts", "are neither numbers nor any");
    if (fields->attempts)
        if (auto good = detail::check_pending_attempts(*fields->attempts); !good)
            return std::move(good.error());
    Identity by;
    by.user_uid = *std::move(fields->user);
    by.tenant_uid = *std::move(fields->tenant);
    auto pending = of_nonce(*std::move(fields->nonce), *std::move(fields->name), std::move(by),
                            *std::move(fields->owner));
    if (!pending) return pending;
    pending->begun_ = *begun;
    if (fields->attempts) pending->attempts_ = *std::move(fields->attempts);
    return pending;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const PendingCreate& pending) {
    out << "PendingCreate " << detail::in_quotes(pending.name()) << ", nonce "
        << detail::printable(pending.nonce()) << ", attempts ";
    if (pending.is_any()) out << "any";
    for (char const* comma = ""; int const attempt : pending.attempts()) {
        out << comma << attempt;
        comma = " ";
    }
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Reconciliation& done) {
    auto const list = [&](const char* title, const std::vector<std::string>& uids) {
        out << title << (uids.empty() ? " none" : "");
        for (auto const& uid : uids)
            out << ' ' << detail::printable(uid);
    };
    out << "Reconciliation,";
    list(" removed", done.removed());
    list(", left", done.left());
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
