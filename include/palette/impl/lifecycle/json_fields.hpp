// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/result.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// The value that to_string() calls `name`, of those from 0 on.
template <class Enum>
std::optional<Enum> value_named(std::string_view name) {
    // to_string() gives an empty text behind the last value, so that no list of the names is needed.
    for (int i = 0;; ++i) {
        auto const value = static_cast<Enum>(i);
        auto const candidate = to_string(value);
        if (candidate.empty()) return std::nullopt;
        if (candidate == name) return value;
    }
}

// Reads the fields of an object that this library has written: each has to be there. The first fault is kept,
// and names the field.
class JsonFields {
public:
    // `what`: whose fields they are, "the record's field"; `place`: what comes before their names in a path.
    // The object outlives the reader.
    JsonFields(const boost::json::object& object, const char* what, std::string place = {})
        : object_(object),
          what_(what),
          place_(std::move(place)) {}

    // Of a field that an earlier version has not written.
    [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }

    const boost::json::value* value(std::string_view name) {
        // Counted, so that end() can tell whether there is a field that nobody knows.
        ++read_;
        auto const* const found = object_.if_contains(name);
        if (found == nullptr) fail(name, "is missing");
        return found;
    }

    void read(std::string_view name, std::string& to) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        auto const* const text = found->if_string();
        if (text == nullptr) return fail(name, "is no text");
        to.assign(text->data(), text->size());
    }
    void read(std::string_view name, bool& to) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        if (!found->is_bool()) return fail(name, "is neither true nor false");
        to = found->get_bool();
    }
    template <std::integral Number>
    void read(std::string_view name, Number& to) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        // A number with a fraction or an exponent was not written by this library.
        if (!found->is_int64()) return fail(name, "is no number");
        if (!std::in_range<Number>(found->get_int64())) return fail(name, "is out of range");
        to = static_cast<Number>(found->get_int64());
    }
    void read(std::string_view name, std::chrono::milliseconds& to) {
        std::int64_t number = 0;
        read(name, number);
        to = std::chrono::milliseconds(number);
    }
    void read(std::string_view name, Expiry& to) {
        std::string text;
        read(name, text);
        if (fault_) return;
        auto const parsed = Expiry::parse(text);
        if (!parsed) return fail(name, "is no expiry");
        to = *parsed;
    }
    // null: nothing.
    template <class T>
    void read(std::string_view name, std::optional<T>& to) {
        to.reset();
        // A field that is null is there. One that is missing is a fault, so that both are told apart.
        auto const* const found = object_.if_contains(name);
        if (found != nullptr && found->is_null())
            ++read_;
        else
            read(name, to.emplace());
    }
    template <class Enum>
    void read_name(std::string_view name, Enum& to) {
        std::string text;
        read(name, text);
        if (fault_) return;
        auto const found = value_named<Enum>(text);
        if (!found) return fail(name, "is no name that is known");
        to = *found;
    }

    // A nested object, which `read` reads from its own fields. The place of these is `name` and `end`.
    template <class Read>
    void read_object(std::string_view name, const boost::json::value& found, const Read& read_inner) {
        auto const* const object = found.if_object();
        if (object == nullptr) return fail(name, "is no object");
        JsonFields inner(*object, what_, place_ + std::string(name) + '.');
        read_inner(inner);
        if (!fault_) fault_ = inner.fault_;
    }
    // A list, each element of which `read_element` reads.
    template <class Read>
    void read_list(std::string_view name, const Read& read_element) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        auto const* const array = found->if_array();
        if (array == nullptr) return fail(name, "is no list");
        for (std::size_t i = 0; i < array->size() && !fault_; ++i)
            read_element(std::string(name) + '[' + std::to_string(i) + ']', (*array)[i]);
    }

    void fail(std::string_view name, const char* how) {
        if (!fault_)
            fault_ = Error(errc::bad_value, std::string(what_) + ' ' + how).path(place_ + std::string(name));
    }
    // After everything was read: there is no other field.
    void end() {
        if (object_.size() != read_) fail("", "is not known");
    }
    [[nodiscard]] const std::optional<Error>& fault() const noexcept { return fault_; }

private:
    const boost::json::object& object_;
    const char* what_;
    std::string place_;
    std::size_t read_ = 0;
    std::optional<Error> fault_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
