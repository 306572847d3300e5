// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/wire/encode.hpp>
#include <palette/impl/wire/text.hpp>

#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// Writes one JSON object, member after member, and remembers the first text that could not be written.
class ObjectWriter {
public:
    void open(std::string_view name) {
        member(name);
        body_ += '{';
        first_ = true;
    }

    // A closed object is a member itself, so that the next one needs a comma.
    void close() {
        body_ += '}';
        first_ = false;
    }

    void text(std::string_view name, std::string_view value, std::string_view path) {
        member(name);
        keep(append_json_string(body_, value, path));
    }

    void expiry(const Expiry& expiry) {
        // A key without the field never expires. An unset time is never sent (W3).
        if (!expiry.is_never()) text("expiry", expiry.to_string(), "spec.expiry");
    }

    // A map whose names are the caller's own, with the description among them if there is one.
    void map(std::string_view name, const StringMap& entries,
             std::optional<std::string_view> description = {}) {
        // PUT replaces the whole resource: a map that is left out is empty afterwards (W6).
        if (entries.empty() && !description) return;
        auto const path = "metadata." + std::string(name);
        open(name);
        for (auto const& [key, value] : entries) {
            // The service stores the description among the annotations (W5): a given one replaces that entry.
            if (description && key == detail::description_annotation) continue;
            entry(key, value, path);
        }
        if (description) text(detail::description_annotation, *description, "description");
        close();
    }

    Result<std::string> finish() && {
        close();
        if (fault_) return *std::move(fault_);
        return std::move(body_);
    }

private:
    void member(std::string_view name) {
        comma();
        body_ += '"';
        body_ += name;
        body_ += "\":";
    }

    void entry(std::string_view key, std::string_view value, const std::string& path) {
        auto const whole_path = path + '[' + detail::in_quotes(key) + ']';
        comma();
        keep(append_json_string(body_, key, whole_path));
        body_ += ':';
        keep(append_json_string(body_, value, whole_path));
    }

    void comma() {
        if (!first_) body_ += ',';
        first_ = false;
    }

    void keep(Result<void> written) {
        // Writing continues after a fault, so that callers need no checks; finish() drops the result.
        if (!written && !fault_) fault_ = std::move(written).error();
    }

    std::string body_ = "{";
    bool first_ = true;
    std::optional<Error> fault_;
};

inline std::optional<std::string_view> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

PALETTE_KEYS_INLINE Result<std::string> encode_create(const NewApiKey& key, Instant now) {
    ObjectWriter out;
    out.open("metadata");
    out.text("name", key.name(), "name");
    out.map("annotations", key.annotations(), unless_empty(key.description()));
    out.map("labels", key.labels());
    out.close();
    out.open("spec");
    out.expiry(key.expiry_at(now));
    // A create sets the owner before it sends. Checking the arguments encodes the key without one.
    if (!key.user_uid().empty()) out.text("userUid", key.user_uid(), "user_uid");
    out.close();
    return std::move(out).finish();
}

PALETTE_KEYS_INLINE Result<std::string> encode_update(const ApiKey& key, const ApiKeyEdit& edit) {
    auto const& description = edit.description();
    ObjectWriter out;
    out.open("metadata");
    // What the edit does not name is sent as it was read, because PUT replaces the whole resource (W6).
    out.text("name", edit.name().value_or(key.name), "name");
    out.map("annotations", key.annotations,
            description ? std::optional<std::string_view>(*description) : unless_empty(key.description));
    out.map("labels", key.labels);
    out.close();
    out.open("spec");
    // The owner is not sent: the service does not let it be edited.
    out.expiry(edit.expiry().value_or(key.expiry));
    out.close();
    return std::move(out).finish();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
