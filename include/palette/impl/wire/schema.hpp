// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/secret.hpp>
#include <palette/string_map.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// How a JSON object maps to a value: constant tables, which one reader follows for every document.
//
//     constexpr Field owner_fields[] = {member<&Owner::uid>("uid"), member<&Owner::first_name>("firstName")};
//     constexpr Shape owner{owner_fields};

// What a field holds, and so which JSON type it may have. null is always allowed: it equals absent.
enum class Kind : unsigned char {
    text,      // std::string
    texts,     // std::vector<std::string>
    boolean,   // bool
    time,      // std::optional<Instant>
    expiry,    // Expiry
    count,     // std::optional<std::size_t>, a whole number
    secret,    // Secret; its text appears in no error
    withheld,  // read over, whatever it is; its text appears in no error
    object,    // a nested object
    objects,   // an array of them
    entry,     // a text of a map whose names are open
    unknown,   // read over
};

struct Shape;

struct Field {
    std::string_view name;
    Kind kind;
    void* (*place)(void* object);                // where the value goes
    const Shape* shape = nullptr;                // of an object, or of each of the objects
    void* (*append)(void* container) = nullptr;  // for objects: adds one
    std::size_t cost = 0;                        // for arrays: the memory that one more element takes
};

// The fields that are known, and where all others go: nowhere, unless `rest` gives a map for them.
struct Shape {
    std::span<const Field> fields;
    StringMap& (*rest)(void* object) = nullptr;
    bool is_quoted = true;  // of a whole document: an error may show what stands in it
};

namespace member_pointer {
template <class>
struct Parts;
template <class Class, class Type>
struct Parts<Type Class::*> {
    using Owner = Class;
    using Value = Type;
};
}  // namespace member_pointer

template <auto Member>
using OwnerOf = typename member_pointer::Parts<decltype(Member)>::Owner;
template <auto Member>
using ValueOf = typename member_pointer::Parts<decltype(Member)>::Value;

template <auto Member>
ValueOf<Member>& at(void* object) {
    return static_cast<OwnerOf<Member>*>(object)->*Member;
}

template <auto Member>
void* place(void* object) {
    return &at<Member>(object);
}

inline void* same_place(void* object) {
    return object;
}

template <class T>
consteval Kind kind_of() {
    if constexpr (std::same_as<T, std::string>) return Kind::text;
    if constexpr (std::same_as<T, std::vector<std::string>>) return Kind::texts;
    if constexpr (std::same_as<T, bool>) return Kind::boolean;
    if constexpr (std::same_as<T, std::optional<Instant>>) return Kind::time;
    if constexpr (std::same_as<T, Expiry>) return Kind::expiry;
    if constexpr (std::same_as<T, std::optional<std::size_t>>) return Kind::count;
    if constexpr (std::same_as<T, Secret>) return Kind::secret;
}

// A field that is a member of the value; its kind follows from the member's type.
template <auto Member>
consteval Field member(std::string_view name) {
    // A vector that grows holds its elements up to three times for a moment.
    return {name, kind_of<ValueOf<Member>>(), place<Member>, nullptr, nullptr, 3 * sizeof(std::string)};
}

// A nested object that is a member of the value.
template <auto Member>
consteval Field member(std::string_view name, const Shape& shape) {
    return {name, Kind::object, place<Member>, &shape};
}

// A nested object whose fields are members of the outer value.
consteval Field group(std::string_view name, const Shape& shape) {
    return {name, Kind::object, same_place, &shape};
}

// An array of objects that is a sequence of blocks in the value.
template <auto Member>
consteval Field list(std::string_view name, const Shape& shape) {
    using Container = ValueOf<Member>;
    constexpr std::size_t bookkeeping = 16;
    return {name,
            Kind::objects,
            place<Member>,
            &shape,
            [](void* container) -> void* { return &static_cast<Container*>(container)->emplace_back(); },
            sizeof(typename Container::value_type) + bookkeeping};
}

consteval Field withheld(std::string_view name) {
    return {name, Kind::withheld, same_place};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
