// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/pending_create.hpp>
#include <palette/detail/printable.hpp>
#include <palette/detail/rfc3339.hpp>
#include <palette/impl/values/create_mark.hpp>

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The one line of JSON that a PendingCreate is written down as. It is read back without a DOM, which would
// hide that a field came twice.
namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::wire {

struct PendingFields {
    std::optional<int> version;
    std::optional<std::string> nonce, name, owner, user, tenant, begun, any;
    std::optional<std::vector<int>> attempts;

    [[nodiscard]] bool is_whole() const noexcept {
        return version && nonce && name && owner && user && tenant && begun &&
               any.has_value() != attempts.has_value();
    }

    // Where a field that is text goes; null for a name that no such field has.
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
};

// Keeps the values that the parser meets. The first that is wrong stops it.
class PendingHandler {
public:
    // The whole text is bounded by parse().
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    using Stop = boost::system::error_code;
    using View = boost::json::string_view;

    PendingFields& fields() noexcept { return fields_; }

    // What is wrong if the text stops being a pending create here.
    [[nodiscard]] Error error() const {
        if (error_) return *error_;
        if (field_.empty())
            return detail::bad_pending("", "the text is not a pending create: no object of JSON");
        return detail::bad_pending(field_, "is not written as to_text() writes it");
    }

    bool on_document_begin(Stop&) { return true; }
    bool on_document_end(Stop&) { return true; }

    bool on_object_begin(Stop& stop) {
        // No field is an object.
        if (is_open_) return halt(stop);
        return is_open_ = true;
    }
    bool on_object_end(std::size_t, Stop&) { return true; }

    bool on_array_begin(Stop& stop) {
        if (field_ != "attempts" || list_) return halt(stop);
        list_.emplace();
        return true;
    }
    bool on_array_end(std::size_t, Stop& stop) {
        return keep(fields_.attempts, *std::exchange(list_, std::nullopt), stop);
    }

    bool on_key_part(View part, std::size_t, Stop&) { return add(part); }
    bool on_key(View last, std::size_t, Stop& stop) {
        add(last);
        field_ = std::exchange(text_, {});
        // An unknown field is not read over: it may exclude keys that a reconciliation would then delete.
        if (field_ == "version" || fields_.text_of(field_) != nullptr) return true;
        return fail(
            detail::bad_pending(detail::printable(field_), "is not known: written by a later version"), stop);
    }

    bool on_string_part(View part, std::size_t, Stop&) { return add(part); }
    bool on_string(View last, std::size_t, Stop& stop) {
        add(last);
        auto* const place = list_ ? nullptr : fields_.text_of(field_);
        return place != nullptr ? keep(*place, std::exchange(text_, {}), stop) : halt(stop);
    }

    bool on_number_part(View, Stop&) { return true; }
    bool on_int64(std::int64_t value, View, Stop& stop) {
        if (value < 0 || value > std::numeric_limits<int>::max()) return halt(stop);
        auto const number = static_cast<int>(value);
        if (!list_) return field_ == "version" ? keep(fields_.version, number, stop) : halt(stop);
        list_->push_back(number);
        return true;
    }
    bool on_uint64(std::uint64_t, View, Stop& stop) { return halt(stop); }
    bool on_double(double, View, Stop& stop) { return halt(stop); }
    bool on_bool(bool, Stop& stop) { return halt(stop); }
    bool on_null(Stop& stop) { return halt(stop); }
    bool on_comment_part(View, Stop&) { return true; }
    bool on_comment(View, Stop&) { return true; }

private:
    bool add(View part) {
        text_.append(part.data(), part.size());
        return true;
    }

    template <class T>
    bool keep(std::optional<T>& place, T value, Stop& stop) {
        if (place) return fail(detail::bad_pending(field_, "comes twice"), stop);
        place = std::move(value);
        field_.clear();
        return true;
    }

    bool fail(Error error, Stop& stop) {
        error_ = std::move(error);
        return halt(stop);
    }

    static bool halt(Stop& stop) {
        stop = boost::json::error::exception;
        return false;
    }

    PendingFields fields_;
    bool is_open_ = false;
    std::string field_;                     // whose value comes; empty: none
    std::string text_;                      // the parts of a name or a text until now
    std::optional<std::vector<int>> list_;  // that is being read
    std::optional<Error> error_;
};

// How much of the text has no other escapes than those that to_text() writes.
inline std::size_t plainly_escaped(std::string_view text) noexcept {
    auto at = text.find('\\');
    while (at != std::string_view::npos && at + 1 < text.size() &&
           (text[at + 1] == '"' || text[at + 1] == '\\'))
        at = text.find('\\', at + 2);
    return std::min(at, text.size());
}

inline Result<PendingFields> read_pending(std::string_view text) {
    // Whatever is strange is refused: keys are deleted by what stands here.
    boost::json::parse_options options;
    options.max_depth = 2;              // the object and the list of attempts
    options.allow_invalid_utf8 = true;  // of_nonce() refuses it, and says in which field
    boost::json::basic_parser<PendingHandler> parser(options);
    // A text that ends before an escape which has no place in it is not whole, and the field of that escape
    // is the one in which the parser stops.
    auto const plain = plainly_escaped(text);
    // The parser is told that nothing follows, since it takes an unfinished text for a good one.
    boost::system::error_code fault;
    auto const consumed = parser.write_some(false, text.data(), plain, fault);
    // Bytes after the object are no fault to the parser.
    if (fault || consumed < text.size()) return parser.handler().error();
    return std::move(parser.handler().fields());
}

inline Result<void> check_pending_attempts(const std::vector<int>& attempts) {
    if (attempts.empty()) return detail::bad_pending("attempts", "names none");
    // Ascending, as to_text() writes them: other orders and repetitions are signs of damage.
    for (auto last = 0; int const attempt : attempts) {
        if (attempt <= last || attempt > detail::max_create_attempts)
            return detail::bad_pending("attempts", "are not numbers in order, from 1 on");
        last = attempt;
    }
    return {};
}

}  // namespace impl::wire

PALETTE_KEYS_INLINE std::string PendingCreate::to_text() const {
    char begun[detail::rfc3339_length];
    detail::format_rfc3339(started_at_, begun);
    boost::json::object out{{"version", 1},
                            {"nonce", nonce_},
                            {"name", name_},
                            {"ownerUid", owner_uid_},
                            {"userUid", user_uid_},
                            {"tenantUid", tenant_uid_},
                            {"begun", boost::json::string_view(begun, sizeof begun)}};
    if (covers_all_attempts())
        out.emplace("attempts", "any");
    else
        out.emplace("attempts", boost::json::array(attempts_.begin(), attempts_.end()));
    return boost::json::serialize(out);
}

PALETTE_KEYS_INLINE Result<PendingCreate> PendingCreate::parse(std::string_view text) {
    // Much more than to_text() writes: a name has 253 bytes at most.
    constexpr std::size_t most = 16 << 10;
    if (text.size() > most) return detail::bad_pending("", "the text is too long to be a pending create");
    auto fields = impl::wire::read_pending(text);
    if (!fields) return std::move(fields.error());
    // Before missing fields are reported: a later version may have others.
    if (fields->version && *fields->version != 1)
        return detail::bad_pending("version", "is " + std::to_string(*fields->version) +
                                                  ": written by a later version of the library");
    if (!fields->is_whole())
        return detail::bad_pending("", "the text is a pending create with fields missing");
    auto const begun = detail::parse_rfc3339(*fields->begun);
    // A time that to_text() could not have written.
    if (!begun || detail::clamp(*begun) != *begun) return detail::bad_pending("begun", "is not a time");
    if (fields->any && *fields->any != "any")
        return detail::bad_pending("attempts", "are neither numbers nor any");
    if (fields->attempts)
        if (auto good = impl::wire::check_pending_attempts(*fields->attempts); !good)
            return std::move(good.error());
    Identity by;
    by.user_uid = *std::move(fields->user);
    by.tenant_uid = *std::move(fields->tenant);
    // Checks nonce, name and uids as it does for a caller who kept only those.
    auto pending = of_nonce(*std::move(fields->nonce), *std::move(fields->name), std::move(by),
                            *std::move(fields->owner));
    if (!pending) return pending;
    pending->started_at_ = *begun;
    if (fields->attempts) pending->attempts_ = *std::move(fields->attempts);
    return pending;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
