// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/detail/rfc3339.hpp>
#include <palette/detail/string_map_builder.hpp>
#include <palette/error.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/impl/wire/schema.hpp>

#include <boost/json/basic_parser.hpp>
#include <boost/json/error.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// a == b, for names of a few bytes: a call of memcmp costs more than the comparison.
inline bool same_name(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    auto const differ = [&]<class Word>(Word, std::size_t at) {
        Word x;
        Word y;
        std::memcpy(&x, a.data() + at, sizeof x);
        std::memcpy(&y, b.data() + at, sizeof y);
        return x != y;
    };
    auto const n = a.size();
    if (n < 8) {
        if (n >= 4) return !differ(std::uint32_t{}, 0) && !differ(std::uint32_t{}, n - 4);
        return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
    }
    for (std::size_t at = 0; at + 8 < n; at += 8)
        if (differ(std::uint64_t{}, at)) return false;
    return !differ(std::uint64_t{}, n - 8);
}

// Turns the parser's events into values. It holds where in the shape the text is (a stack of frames)
// and what the next value is for (kind_, field_ and target_).
class JsonHandler {
public:
    // No bounds of the parser's own: JsonReader bounds the bytes, and charge() the memory for them.
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    using Stop = boost::system::error_code;
    using View = boost::json::string_view;

    // `max_part`: of Limits.
    JsonHandler(const Shape& shape, void* root, std::size_t max_part, Effect on_error) noexcept
        : root_{{}, Kind::object, same_place, &shape},
          target_(root),
          max_part_(max_part),
          on_error_(on_error) {}

    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

    // Whether there was any of a secret in the text: the parser leaves traces on the stack.
    [[nodiscard]] bool secret_was_seen() const noexcept { return secret_was_seen_; }

    // Remembers an error at the current place; the first one counts.
    bool fail(errc code, std::string what = {}) {
        if (!error_) error_ = Error(code, std::move(what)).path(path()).effect(on_error_);
        return false;
    }

    bool on_document_begin(Stop&) { return true; }
    bool on_document_end(Stop&) { return true; }

    bool on_object_begin(Stop& stop) {
        ++seen_;
        switch (kind_) {
            case Kind::object:
                push({.shape = field_->shape, .object = target_});
                return true;
            case Kind::objects: {
                if (!in_array()) return wrong_type(stop, "an object");
                Frame const& array = top();
                if (is_outermost_array()) part_begun_ = seen_;
                // Charged before the element exists: an empty object is three bytes of text and hundreds of
                // memory.
                if (!charge(array.field->cost)) return halt(stop);
                push({.shape = array.field->shape, .object = array.field->append(array.object)});
                return true;
            }
            case Kind::withheld:
            case Kind::unknown:
                ++skipped_depth_;
                return true;
            default:
                return wrong_type(stop, "an object");
        }
    }

    bool on_object_end(std::size_t, Stop& stop) {
        ++seen_;
        if (skipped_depth_ != 0) return end_skipped();
        if (auto const rest = top().shape->rest) {
            if (!charge(rest_.bytes())) return halt(stop);
            rest(top().object) = rest_.finish();
        }
        pop();
        if (is_outermost_array()) part_begun_ = seen_;
        return true;
    }

    bool on_array_begin(Stop& stop) {
        ++seen_;
        if (skips()) return ++skipped_depth_, true;
        if (in_array() || (kind_ != Kind::objects && kind_ != Kind::texts))
            return wrong_type(stop, "an array");
        push({.object = target_, .field = field_, .is_array = true});
        return true;
    }

    bool on_array_end(std::size_t, Stop&) {
        ++seen_;
        return skipped_depth_ != 0 ? end_skipped() : pop();
    }

    bool on_key_part(View part, std::size_t, Stop& stop) {
        if (!has_room(part.size())) return halt(stop);
        seen_ += part.size();
        if (skipped_depth_ == 0) key_.append({part.data(), part.size()});
        return true;
    }

    bool on_key(View last, std::size_t, Stop& stop) {
        std::string_view const name{last.data(), last.size()};
        if (!has_room(name.size())) return halt(stop);
        seen_ += 3 + name.size();
        if (skipped_depth_ != 0) return true;
        if (key_.empty()) {
            whole_key(name);
        } else {
            key_.append(name);
            whole_key(key_.expose());
            key_.clear();
        }
        return true;
    }

    bool on_string_part(View part, std::size_t, Stop& stop) {
        if (!has_room(part.size())) return halt(stop);
        string_part({part.data(), part.size()});
        return kind_ == Kind::entry ? check_entries(stop) : true;
    }

    bool on_string(View last, std::size_t, Stop& stop) {
        if (!has_room(last.size())) return halt(stop);
        seen_ += 2;
        std::string_view const text{last.data(), last.size()};
        switch (kind_) {
            case Kind::text:
                seen_ += text.size();
                static_cast<std::string*>(target_)->append(text);
                return true;
            case Kind::entry:
                seen_ += text.size();
                rest_.append_value(text);
                rest_.end_entry();
                return check_entries(stop);
            case Kind::time:
            case Kind::expiry:
                return time_text(text) ? true : halt(stop);
            case Kind::texts:
                string_part(text);
                if (!in_array()) return wrong_type(stop, "the string", detail::in_quotes(scratch_.expose()));
                string_begun_ = false;
                return charge(field_->cost) ? end_value() : halt(stop);
            case Kind::boolean:
            case Kind::count:
            case Kind::object:
            case Kind::objects:
                string_part(text);
                return wrong_type(stop, "the string", detail::in_quotes(scratch_.expose()));
            default:
                string_part(text);
                return end_value();
        }
    }

    bool on_number_part(View part, Stop&) {
        seen_ += part.size();
        note({part.data(), part.size()});
        return true;
    }
    bool on_int64(std::int64_t value, View last, Stop& stop) {
        if (value < 0) return number(std::nullopt, last, stop);
        return number(static_cast<std::size_t>(value), last, stop);
    }
    bool on_uint64(std::uint64_t value, View last, Stop& stop) {
        return number(static_cast<std::size_t>(value), last, stop);
    }
    bool on_double(double, View last, Stop& stop) { return number(std::nullopt, last, stop); }

    bool on_bool(bool value, Stop& stop) {
        ++seen_;
        if (kind_ == Kind::boolean) {
            *static_cast<bool*>(target_) = value;
        } else if (!skips()) {
            return wrong_type(stop, value ? "true" : "false");
        }
        return end_value();
    }

    bool on_null(Stop& stop) {
        ++seen_;
        // W1: null equals absence, except for the whole document.
        if (depth_ == 0) return wrong_type(stop, "null");
        if (kind_ == Kind::entry) rest_.drop_entry();
        return end_value();
    }

    bool on_comment_part(View, Stop&) { return true; }
    bool on_comment(View, Stop&) { return true; }

private:
    // An object or array that is being read.
    struct Frame {
        const Shape* shape = nullptr;  // of an object
        void* object = nullptr;        // the value, or the container of an array's elements
        const Field* field = nullptr;  // of an object: the member read last; of an array: the array
        std::uint32_t known_seen = 0;  // of an object: which of the shape's fields have come
        std::uint32_t next = 0;        // of an object: which of them is likely to come now
        std::uint32_t index = 0;       // of an array: the element being read
        bool is_array = false;
    };

    // No shape nests deeper; what is not in a shape is skipped and has no frame.
    static constexpr std::size_t max_frames = 8;

    Frame& top() noexcept { return frames_[depth_ - 1]; }
    [[nodiscard]] bool in_array() const noexcept { return depth_ != 0 && frames_[depth_ - 1].is_array; }
    [[nodiscard]] bool is_outermost_array() const noexcept { return depth_ == 2 && frames_[1].is_array; }
    [[nodiscard]] bool skips() const noexcept { return kind_ == Kind::unknown || kind_ == Kind::withheld; }

    void push(Frame frame) {
        assert(depth_ < max_frames);
        frames_[depth_++] = frame;
    }

    bool pop() {
        if (--depth_ == 0) return true;
        field_ = top().field;
        return end_value();
    }

    // In an array another value may follow; in an object a name comes first.
    bool end_value() {
        if (!top().is_array || skipped_depth_ != 0) return true;
        ++top().index;
        kind_ = top().field->kind;
        target_ = top().object;
        return true;
    }

    bool end_skipped() { return --skipped_depth_ == 0 ? end_value() : true; }

    // Whether the part of the text may have so many bytes more. Asked before they are held.
    bool has_room(std::size_t bytes) { return seen_ - part_begun_ + bytes <= max_part_ || has_no_room(); }
    // By itself: with the words of the error the comparison would not be inlined.
    PALETTE_KEYS_NOINLINE bool has_no_room() {
        return fail(errc::too_large, "more than " + std::to_string(max_part_) +
                                         " bytes in one element of a list, or beside the elements");
    }

    // They are put in order, and copied, all at once.
    bool check_entries(Stop& stop) {
        constexpr std::size_t max_entries = 10'000;
        constexpr std::size_t max_bytes = 1 << 20;
        if (rest_.entries() <= max_entries && rest_.bytes() <= max_bytes) return true;
        fail(errc::too_large, "more entries than a key has, or larger ones");
        return halt(stop);
    }

    // Not inlined: within the parser's loop it slows down the rest of it by more than a call.
    PALETTE_KEYS_NOINLINE void whole_key(std::string_view name) {
        Frame& frame = top();
        Field const* const fields = frame.shape->fields.data();
        std::size_t const count = frame.shape->fields.size();
        // Servers send fields in a fixed order, so the one after the last is tried first.
        auto index = frame.next;
        if (index >= count || !same_name(fields[index].name, name)) {
            index = 0;
            while (index < count && !same_name(fields[index].name, name))
                ++index;
        }
        if (index < count) return expect(frame, index);
        if (frame.shape->rest == nullptr) return expect_nothing(name);
        rest_.begin_entry(name);
        kind_ = Kind::entry;
    }

    void expect(Frame& frame, std::uint32_t index) {
        Field const& field = frame.shape->fields[index];
        auto const bit = std::uint32_t{1} << index;
        // W23: the first of two equal fields counts.
        if ((frame.known_seen & bit) != 0) return expect_nothing(field.name);
        frame.known_seen |= bit;
        frame.next = index + 1;
        frame.field = field_ = &field;
        kind_ = field.kind;
        target_ = field.place(frame.object);
    }

    void expect_nothing(std::string_view name) {
        kind_ = Kind::unknown;
        unknown_.clear();
        // Only an error shows it, and shortened: a name may be as long as the whole answer.
        unknown_.append(name.substr(0, long_name));
    }

    void string_part(std::string_view text) {
        seen_ += text.size();
        switch (kind_) {
            case Kind::text:
                static_cast<std::string*>(target_)->append(text);
                break;
            case Kind::entry:
                rest_.append_value(text);
                break;
            case Kind::texts:
                in_array() ? list_part(text) : note(text);
                break;
            case Kind::secret:
                secret_was_seen_ = secret_was_seen_ || !text.empty();
                static_cast<Secret*>(target_)->append(text);
                break;
            case Kind::withheld:
                secret_was_seen_ = secret_was_seen_ || !text.empty();
                break;
            default:
                note(text);
        }
    }

    void list_part(std::string_view text) {
        auto& texts = *static_cast<std::vector<std::string>*>(target_);
        // The parts of one string are one element.
        if (!string_begun_) texts.emplace_back();
        string_begun_ = true;
        texts.back().append(text);
    }

    // `count`: the number, if it can be one.
    bool number(std::optional<std::size_t> count, View last, Stop& stop) {
        seen_ += last.size();
        if (kind_ == Kind::count && count) {
            static_cast<std::optional<std::size_t>*>(target_)->emplace(*count);
            scratch_.clear();
            return end_value();
        }
        note({last.data(), last.size()});
        return skips() ? end_value() : wrong_type(stop, "the number", detail::printable(scratch_.expose()));
    }

    // Keeps the beginning of a value, so that an error can show it: always the same, however it was cut.
    void note(std::string_view text) {
        constexpr std::size_t enough = detail::shown_length + 8;
        if (skips() || kind_ == Kind::secret) return;
        scratch_.append(text.substr(0, enough - std::min(enough, scratch_.size())));
    }

    bool time_text(std::string_view text) {
        if (scratch_.empty()) {
            seen_ += text.size();
        } else {
            string_part(text);
            text = scratch_.expose();
        }
        Instant time{};
        // scratch_ has only the beginning of a long text, which is no time in any case.
        bool const good = text.size() <= detail::shown_length && detail::read_rfc3339(text, time);
        if (!good && !text.empty())
            return fail(errc::bad_value, joined("expected an RFC 3339 time, got ", detail::in_quotes(text)));
        // What is unset already stays so.
        if (good && !detail::is_unset(time)) {
            if (kind_ == Kind::time) {
                static_cast<std::optional<Instant>*>(target_)->emplace(time);
            } else {
                *static_cast<Expiry*>(target_) = Expiry::at(time);
            }
        }
        scratch_.clear();
        return true;
    }

    // Accounts for memory that the text asks for, in proportion to the text.
    bool charge(std::size_t bytes) {
        constexpr std::size_t free_of_charge = 32 * 1024;
        constexpr std::size_t bytes_per_byte = 5;
        if (!has_room(0)) return false;
        charged_ += bytes;
        if (charged_ <= free_of_charge + bytes_per_byte * seen_) return true;
        return fail(errc::too_large, "the elements here are too small for their number");
    }

    [[nodiscard]] const char* expected() const noexcept {
        switch (kind_) {
            case Kind::boolean:
                return "true or false";
            case Kind::count:
                return "a whole number, not negative";
            case Kind::time:
            case Kind::expiry:
                return "a time";
            case Kind::object:
                return "an object";
            case Kind::objects:
                return in_array() ? "an object" : "an array";
            case Kind::texts:
                return in_array() ? "a string" : "an array";
            default:
                return "a string";
        }
    }

    bool wrong_type(Stop& stop, std::string_view got, std::string value = {}) {
        std::string what = "expected ";
        what += expected();
        what += ", got ";
        what += got;
        // The value may be a credential: a document that carries one is never quoted.
        bool const is_shown = !value.empty() && kind_ != Kind::secret && root_.shape->is_quoted;
        detail::WipedText const shown(std::move(value));
        if (is_shown) what = joined(what += ' ', shown.get());
        fail(errc::wrong_type, std::move(what));
        return halt(stop);
    }

    // One text, of ours and one from outside, of which no other copy stays.
    static std::string joined(std::string_view ours, std::string outside) {
        detail::WipedText const text(std::move(outside));
        std::string out;
        out.reserve(ours.size() + text.get().size());
        out += ours;
        out += text.get();
        return out;  // not the sum, which would be a copy
    }

    static bool halt(Stop& stop) {
        stop = boost::json::error::exception;
        return false;
    }

    // Where the text is: items[17].metadata.annotations["scope"]
    [[nodiscard]] std::string path() const {
        std::string out;
        out.reserve(8 * detail::shown_length);  // all that it comes to
        for (std::size_t i = 0; i < depth_; ++i) {
            Frame const& frame = frames_[i];
            bool const innermost = i + 1 == depth_;
            if (frame.is_array) {
                out += '[' + std::to_string(frame.index) + ']';
            } else if (innermost && kind_ == Kind::entry) {
                detail::WipedText const name(detail::in_quotes(rest_.key()));
                (out += '[') += name.get();
                out += ']';
            } else if (innermost && kind_ == Kind::unknown) {
                // An unknown name may be a credential in a wrong place.
                if (!root_.shape->is_quoted) break;
                detail::WipedText const name(detail::printable(unknown_.expose()));
                (out += out.empty() ? "" : ".") += name.get();
            } else if (frame.field != nullptr) {
                if (!out.empty()) out += '.';
                out += frame.field->name;
            }
        }
        return out;
    }

    static constexpr std::size_t long_name = 2 * detail::shown_length;  // longer than any known one

    Field root_;
    std::array<Frame, max_frames> frames_{};
    std::size_t depth_ = 0;
    std::size_t skipped_depth_ = 0;  // how many arrays and objects deep in something that is read over

    Kind kind_ = Kind::object;     // what the next value is
    const Field* field_ = &root_;  // the last one that is known
    void* target_ = nullptr;       // where it goes

    // In wiping memory: any of them may be a credential that the service repeats.
    Secret key_;             // a name that came in parts
    Secret unknown_;         // the last name that is not known, or came once more
    Secret scratch_;         // a value that came in parts, or is shown in an error
    StringMapBuilder rest_;  // the map that is being read
    bool string_begun_ = false;

    std::size_t seen_ = 0;        // bytes of text at least: the same, however it was cut
    std::size_t part_begun_ = 0;  // seen_ at the last begin or end of an element of the outermost array
    std::size_t max_part_;
    std::size_t charged_ = 0;  // bytes of memory, about
    bool secret_was_seen_ = false;
    Effect on_error_;
    std::optional<Error> error_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
