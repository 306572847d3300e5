// SPDX-License-Identifier: BSL-1.0

// What is asked of an object that is about to end must not refer into that object: either the question does
// not compile, or the answer is a value of its own.

#include <palette/api_keys.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace temporaries_test {

template <class T>
inline constexpr bool is_view =
    std::is_reference_v<T> || std::is_pointer_v<T> || std::same_as<T, std::string_view> ||
    std::same_as<T, std::optional<std::string_view>> || std::same_as<T, palette::StringMap::const_iterator> ||
    std::same_as<T, palette::KeyList::iterator> || std::same_as<T, palette::KeyList::const_iterator>;

// Whether `Ask` may be called on a `T`, and gives something that refers into it.
template <class T, class Ask>
inline constexpr bool dangles = false;
template <class T, class Ask>
    requires std::invocable<Ask, T>
inline constexpr bool dangles<T, Ask> = is_view<std::invoke_result_t<Ask, T>>;

template <class T, class Ask>
void check_temporaries(Ask) {
    CHECK(std::invocable<Ask, T&>);  // of what has a name it is allowed
    CHECK(std::invocable<Ask, const T&>);
    CHECK_FALSE(dangles<T, Ask>);
    CHECK_FALSE(dangles<const T, Ask>);
}

// The question as a function, which exists only where the question compiles.
#define ASK(...)                                                             \
    [](auto&& it) -> decltype(static_cast<decltype(it)&&>(it).__VA_ARGS__) { \
        return static_cast<decltype(it)&&>(it).__VA_ARGS__;                  \
    }

#define REFERS_INTO_NO_TEMPORARY(type, ...)        \
    do {                                           \
        INFO(#type "." #__VA_ARGS__);              \
        check_temporaries<type>(ASK(__VA_ARGS__)); \
    } while (false)

TEST_CASE("temporaries: a result that is about to end gives its value or error away, and no reference") {
    REFERS_INTO_NO_TEMPORARY(palette::Result<std::string>, value());
    REFERS_INTO_NO_TEMPORARY(palette::Result<std::string>, operator*());
    REFERS_INTO_NO_TEMPORARY(palette::Result<std::string>, operator->());
    REFERS_INTO_NO_TEMPORARY(palette::Result<std::string>, error());
    REFERS_INTO_NO_TEMPORARY(palette::Result<void>, error());
    REFERS_INTO_NO_TEMPORARY(palette::Result<palette::CreatedApiKey>, value());
    REFERS_INTO_NO_TEMPORARY(palette::Exception, error());
}

TEST_CASE("temporaries: nothing shows a secret that is about to end") {
    REFERS_INTO_NO_TEMPORARY(palette::Secret, expose());
    REFERS_INTO_NO_TEMPORARY(palette::CreatedApiKey, secret());
    REFERS_INTO_NO_TEMPORARY(palette::auth::LoginOptions, password());
    REFERS_INTO_NO_TEMPORARY(palette::Credential, value());
    REFERS_INTO_NO_TEMPORARY(palette::Credential, key_uid());
}

TEST_CASE("temporaries: what a key and a list of keys tell does not refer into one that is about to end") {
    REFERS_INTO_NO_TEMPORARY(palette::KeyList, begin());
    REFERS_INTO_NO_TEMPORARY(palette::KeyList, end());
    REFERS_INTO_NO_TEMPORARY(palette::KeyList, front());
    REFERS_INTO_NO_TEMPORARY(palette::KeyList, back());
    REFERS_INTO_NO_TEMPORARY(palette::KeyList, operator[](0));
    REFERS_INTO_NO_TEMPORARY(palette::StringMap, begin());
    REFERS_INTO_NO_TEMPORARY(palette::StringMap, end());
    REFERS_INTO_NO_TEMPORARY(palette::StringMap, find("team"));
    REFERS_INTO_NO_TEMPORARY(palette::StringMap, operator[]("team"));
    REFERS_INTO_NO_TEMPORARY(palette::CreatedApiKey, uid());
    REFERS_INTO_NO_TEMPORARY(palette::CreatedApiKey, pending());
    REFERS_INTO_NO_TEMPORARY(palette::PendingCreate, nonce());
    REFERS_INTO_NO_TEMPORARY(palette::PendingCreate, name());
    REFERS_INTO_NO_TEMPORARY(palette::PendingCreate, owner_uid());
    REFERS_INTO_NO_TEMPORARY(palette::PendingCreate, user_uid());
    REFERS_INTO_NO_TEMPORARY(palette::PendingCreate, tenant_uid());
    REFERS_INTO_NO_TEMPORARY(palette::PendingCreate, attempts());
    REFERS_INTO_NO_TEMPORARY(palette::Reconciliation, removed());
    REFERS_INTO_NO_TEMPORARY(palette::Reconciliation, not_removed());
}

TEST_CASE("temporaries: what is asked for can be put together in one expression and given a name by auto&&") {
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, name());
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, description());
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, expiry());
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, user_uid());
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, lifetime());
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, annotations());
    REFERS_INTO_NO_TEMPORARY(palette::NewApiKey, labels());
    REFERS_INTO_NO_TEMPORARY(palette::ApiKeyEdit, name());
    REFERS_INTO_NO_TEMPORARY(palette::ApiKeyEdit, description());
    REFERS_INTO_NO_TEMPORARY(palette::ApiKeyEdit, expiry());
    REFERS_INTO_NO_TEMPORARY(palette::CreateOptions, nonce());
    REFERS_INTO_NO_TEMPORARY(palette::CallOptions, traceparent());
    REFERS_INTO_NO_TEMPORARY(palette::auth::LoginOptions, email());
    REFERS_INTO_NO_TEMPORARY(palette::auth::LoginOptions, org());

    auto&& key = palette::NewApiKey("ci").description("d").for_user("u").annotate("a", "1").label("l", "2");
    CHECK_FALSE(std::is_reference_v<decltype(palette::NewApiKey("ci").description("d"))>);
    CHECK_FALSE(std::is_reference_v<decltype(palette::NewApiKey("ci").expires(palette::Expiry::never()))>);
    CHECK_FALSE(std::is_reference_v<decltype(palette::ApiKeyEdit().name("n"))>);
    CHECK_FALSE(std::is_reference_v<decltype(palette::ListFilter().owner("u"))>);
    CHECK_FALSE(std::is_reference_v<decltype(palette::ChangeOptions().verify())>);
    CHECK_FALSE(std::is_reference_v<decltype(palette::auth::FileOptions().allow_symlink())>);
    CHECK_FALSE(std::is_reference_v<decltype(palette::Error(palette::errc::timeout).attempts(1))>);
    CHECK(key.name() == "ci");
    CHECK(key.user_uid() == "u");
    CHECK(key.labels()["l"] == "2");
}

TEST_CASE("temporaries: no text of an error, an endpoint or an answer refers into one that is about to end") {
    REFERS_INTO_NO_TEMPORARY(palette::Error, what());
    REFERS_INTO_NO_TEMPORARY(palette::Error, path());
    REFERS_INTO_NO_TEMPORARY(palette::Error, server_code());
    REFERS_INTO_NO_TEMPORARY(palette::Error, server_message());
    REFERS_INTO_NO_TEMPORARY(palette::Error, ref());
    REFERS_INTO_NO_TEMPORARY(palette::Error, advice());
    REFERS_INTO_NO_TEMPORARY(palette::Error, earlier());
    REFERS_INTO_NO_TEMPORARY(palette::Error, pending());
    REFERS_INTO_NO_TEMPORARY(palette::Endpoint, host());
    REFERS_INTO_NO_TEMPORARY(palette::HttpResponse, header("Date"));
    REFERS_INTO_NO_TEMPORARY(palette::CredentialRequest, previous());
    REFERS_INTO_NO_TEMPORARY(palette::testing::ScriptedTransport, requests());
    REFERS_INTO_NO_TEMPORARY(palette::testing::FaultRule, method());
    REFERS_INTO_NO_TEMPORARY(palette::testing::FaultRule, path_prefix());
    REFERS_INTO_NO_TEMPORARY(palette::testing::FaultRule, text());
    REFERS_INTO_NO_TEMPORARY(palette::testing::Emulator, ca_pem());
    REFERS_INTO_NO_TEMPORARY(palette::testing::Emulator, clock());
    REFERS_INTO_NO_TEMPORARY(palette::testing::Emulator, tenant_uid());
    REFERS_INTO_NO_TEMPORARY(palette::testing::Emulator, org());
    REFERS_INTO_NO_TEMPORARY(palette::testing::Emulator, user(palette::testing::Role::user));
}

TEST_CASE("temporaries: the list that a call gives can be gone through where it is called") {
    auto const list = [] {
        palette::KeyList keys;
        for (auto const* const name : {"one", "two", "three"}) {
            palette::ApiKey key;
            key.name = std::string(100, '-') + name;  // in memory of its own
            key.labels.set("team", name);
            keys.push_back(std::move(key));
        }
        return palette::Result<palette::KeyList>(std::move(keys));
    };
    std::string names;
    for (auto const& key : list().value())
        names += key.name.substr(100) + ' ';
    CHECK(names == "one two three ");
    names.clear();
    for (auto const& key : *list())
        names += key.name.substr(100) + ' ';
    CHECK(names == "one two three ");
    names.clear();
    for (auto const [name, value] : list().value().front().labels)
        names += value;
    CHECK(names == "one");
}

}  // namespace temporaries_test
