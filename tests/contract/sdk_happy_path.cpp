// SPDX-License-Identifier: BSL-1.0
// Every operation of the SDK, once or more, against the service that the environment names. One line per
// step; ends at the first that does not go as it should.

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace palette;
using namespace std::chrono_literals;
namespace asio = boost::asio;

void expect(bool good, std::string_view what) {
    if (!good) throw std::runtime_error(std::string(what));
}

template <class T>
void done(std::string_view step, const Result<T>& result) {
    if (!result) throw std::runtime_error(std::string(step) + ": " + result.error().message());
    std::cout << "done     " << step << '\n';
}

template <class T>
void refused(std::string_view step, const Result<T>& result, errc code) {
    expect(!result, std::string(step) + ": it should have been refused");
    if (result.error().code() != code || result.error().effect() != Effect::not_applied)
        throw std::runtime_error(std::string(step) + ": " + result.error().message());
    std::cout << "refused  " << step << '\n';
}

bool has(const KeyList& keys, std::string_view uid) {
    return std::ranges::find(keys, uid, &ApiKey::uid) != keys.end();
}

asio::awaitable<void> make_and_edit(ApiKeyClient& client, const std::string& uid) {
    auto const key = co_await client.async_get(uid);
    done("get", key);
    expect(key->name == "contract" && key->description == "made by a test", "get: another key");
    expect(key->labels["a"] == "b" && key->annotations["team"] == "infra", "get: a label is lost");

    auto const edited = co_await client.async_update(uid, ApiKeyEdit().name("contract-2").description(""));
    done("update the name and the description", edited);
    expect(edited->name == "contract-2" && edited->description.empty(), "update: not as written");
    expect(edited->expiry == key->expiry && edited->labels == key->labels, "update: it changed more");
    auto const stale = co_await client.async_update(*key, ApiKeyEdit().name("contract-3"));
    refused("update of a key that is not as it was seen", stale, errc::conflict);
    auto const seen = co_await client.async_update(*edited, ApiKeyEdit().expires(Expiry::never()));
    done("update of a key that is as it was seen, to never expire", seen);
    auto const shortened = co_await client.async_renew(uid, 24h);
    refused("renewal that would make the key expire earlier", shortened, errc::conflict);
    auto const renewed = co_await client.async_renew(uid, 24h, ChangeOptions().allow_shorter());
    done("renew", renewed);
    expect(!renewed->expiry.is_never() && renewed->name == "contract-2", "renew: not as it should be");

    auto const found = co_await client.async_find("contract-2");
    done("find", found);
    expect(found->size() == 1 && has(*found, uid), "find: not that key");
    auto const soon =
        co_await client.async_list(ListFilter().state(KeyState::active).expires_before(found->as_of() + 48h));
    done("list what expires soon", soon);
    expect(has(*soon, uid), "list: the key is missing");
}

asio::awaitable<void> switch_off_and_on(ApiKeyClient& client, ApiKeyClient& keys_own,
                                        const std::string& uid) {
    done("use the key", co_await keys_own.async_whoami());
    done("revoke", co_await client.async_revoke(uid, ChangeOptions().verify()));
    refused("use the revoked key", co_await keys_own.async_whoami(), errc::unauthorized);
    done("revoke again", co_await client.async_revoke(uid));
    done("reactivate", co_await client.async_reactivate(uid, ChangeOptions().verify()));
    done("use it again", co_await keys_own.async_whoami());
    done("set inactive", co_await client.async_set_active(uid, false));
    auto const off = co_await client.async_list(ListFilter().state(KeyState::revoked));
    done("list what is revoked", off);
    expect(has(*off, uid), "list: the key is not among the revoked");
    done("set active", co_await client.async_set_active(uid, true));
}

asio::awaitable<void> remove_it(ApiKeyClient& client, const std::string& uid) {
    done("remove", co_await client.async_remove(uid, ChangeOptions().verify()));
    refused("get after the removal", co_await client.async_get(uid), errc::not_found);
    refused("update after the removal", co_await client.async_update(uid, ApiKeyEdit().name("contract")),
            errc::not_found);
    refused("revoke after the removal", co_await client.async_revoke(uid), errc::not_found);
    refused("remove after the removal", co_await client.async_remove(uid), errc::not_found);
    refused("create for nobody",
            co_await client.async_create(NewApiKey("contract").for_user("000000000000000000000000")),
            errc::not_found);
}

asio::awaitable<void> read_the_tenant(ApiKeyClient& client, const std::string& user_uid) {
    auto const users = co_await client.async_list_users();
    done("list users", users);
    expect(users->is_complete() && users->total() == users->size(), "list users: not all of them");
    auto const user = co_await client.async_get_user(user_uid);
    done("get user", user);
    expect(user->is_active && !user->email.empty(), "get user: not as it should be");
    refused("get a user who is not there", co_await client.async_get_user("000000000000000000000000"),
            errc::not_found);
    auto filter = AuditEventFilter();
    filter.from(users->as_of() - 24h).until(users->as_of()).user(user_uid).resource_kind("apiKey");
    filter.resource("000000000000000000000000").action("create");
    done("list audit events", co_await client.async_list_audit_events(filter));
    auto const limit = co_await client.async_key_limit();
    done("key limit", limit);
    expect(limit->limit > 0 && limit->max_limit >= limit->limit, "key limit: not as it should be");
    std::size_t seen = 0;
    UserVisitor visitor = [&seen](User&&) { return ++seen, Result<void>(); };
    done("visit users", co_await client.async_visit_users(visitor));
    expect(seen == users->size(), "visit users: not all of them");
    KeyVisitor key_visitor = [&seen](ApiKey&&) { return ++seen, Result<void>(); };
    done("visit keys", co_await client.async_visit(ListFilter(), key_visitor));
}

asio::awaitable<void> live(ApiKeyClient& client, const ClientOptions& options) {
    auto const who = co_await client.async_whoami();
    done("whoami", who);
    done("list", co_await client.async_list());
    co_await read_the_tenant(client, who->user_uid);
    refused("find a user who is not there", co_await client.async_find_user("nobody@nowhere.test"),
            errc::not_found);

    auto const made = co_await client.async_create(NewApiKey("contract")
                                                       .description("made by a test")
                                                       .annotate("team", "infra")
                                                       .label("a", "b")
                                                       .for_user(who->user_uid));
    done("create", made);
    expect(made->confirmed(), "create: the uid is not confirmed");
    auto const uid = made->uid();
    co_await make_and_edit(client, uid);

    auto with_the_key = options;
    with_the_key.auth = auth::api_key(Secret(made->secret().expose()), uid);
    ApiKeyClient keys_own(client.get_executor(), with_the_key);
    co_await switch_off_and_on(client, keys_own, uid);
    done("close the key's own client", co_await keys_own.async_close());
    co_await remove_it(client, uid);

    auto const plain = co_await client.async_create(NewApiKey("contract"));
    done("create without more than a name", plain);
    done("remove that one", co_await client.async_remove(plain->uid()));
    done("close", co_await client.async_close());
}

}  // namespace

int main() {
    try {
        auto const options = ClientOptions::from_environment().value();
        asio::io_context context;
        ApiKeyClient client(context, options);
        std::exception_ptr failure;
        asio::co_spawn(context, live(client, options),
                       [&](const std::exception_ptr& thrown) { failure = thrown; });
        context.run();
        if (failure) std::rethrow_exception(failure);
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "sdk_happy_path: " << e.what() << '\n';
        return 1;
    }
}
