// SPDX-License-Identifier: BSL-1.0

// Awaits every operation with temporaries as its arguments. g++ 12 destroys some temporaries of a co_await
// expression twice, or never, depending on how they are made and on -O: the address sanitizer sees it, so
// this is built with it, at -O0 and at -O2. A program of its own: no test framework is in the way.

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace palette;

int failures = 0;

void expect(bool good, const char* what) {
    if (good) return;
    ++failures;
    std::cerr << "failed: " << what << '\n';
}

template <class T>
void expect(const Result<T>& result, const char* what) {
    if (result) return;
    ++failures;
    std::cerr << "failed: " << what << ": " << result.error().message() << '\n';
}

// Long enough to be allocated, so that a copy too few or too many is seen.
std::string text(const std::string& start) {
    return start + " and a text that no small string can hold";
}

boost::asio::awaitable<void> create(ApiKeyClient& client, std::string owner, std::string& uid) {
    auto const made = co_await client.async_create(NewApiKey(text("a"))
                                                       .description(text("b"))
                                                       .expires(Expiry::in(std::chrono::hours{48}))
                                                       .for_user(owner)
                                                       .annotate(text("c"), text("d"))
                                                       .label("stage", "test"),
                                                   CreateOptions().deadline(20s).allow_past_expiry());
    expect(made, "create");
    if (made) uid = made->uid();
    auto const other = co_await client.async_create(NewApiKey(text("other")).annotate("e", text("f")));
    expect(other && other->confirmed(), "create, without options");
    expect(co_await client.async_create(NewApiKey(text("third")).expires(Expiry::never())),
           "create, in an argument");
}

boost::asio::awaitable<void> read(ApiKeyClient& client, std::string uid) {
    auto const key = co_await client.async_get(std::string(uid), CallOptions().deadline(20s));
    expect(key && key->annotations[text("c")] == text("d"), "get");
    expect(co_await client.async_get(uid + ""), "get, without options");
    auto const all = co_await client.async_list();
    expect(all && all->size() == 7, "list");
    auto const some = co_await client.async_list(
        ListFilter().name(text("a")).state(KeyState::active).expires_before(Expiry::never()),
        CallOptions().deadline(20s));
    expect(some && some->size() == 1, "list, filtered");
    expect(co_await client.async_list(ListFilter().owner(text("nobody"))), "list, without options");
    expect(co_await client.async_find(text("a"), CallOptions().deadline(20s)), "find");
    expect((co_await client.async_find(text("a"))).value().size() == 1, "find, without options");
    expect(co_await client.async_whoami(CallOptions().deadline(20s)), "whoami");
    expect(co_await client.async_whoami(), "whoami, without options");
    expect(co_await client.async_find_user(std::string("DEV@acme.test"), CallOptions().deadline(20s)),
           "find_user");
    expect(co_await client.async_find_user("dev@acme.test"), "find_user, without options");
    auto const users = co_await client.async_list_users(CallOptions().deadline(20s));
    expect(users && users->is_complete() && users->size() == 4, "list_users");
    expect(co_await client.async_list_users(), "list_users, without options");
    expect(co_await client.async_get_user(users->front().uid + "", CallOptions().deadline(20s)), "get_user");
    expect(co_await client.async_get_user(users->front().uid), "get_user, without options");
    expect(co_await client.async_list_audit_events(
               AuditEventFilter().user(text("a")).action("create").resource_kind(text("k")),
               CallOptions().deadline(20s)),
           "list_audit_events");
    expect(co_await client.async_list_audit_events(AuditEventFilter().resource(text("b"))),
           "list_audit_events, without options");
    expect(co_await client.async_key_limit(CallOptions().deadline(20s)), "key_limit");
    expect(co_await client.async_key_limit(), "key_limit, without options");
    std::vector<std::string> names;
    // Named: of a lambda that has to be destroyed, a temporary in a co_await expression is destroyed twice.
    KeyVisitor visitor = [&names, kept = text("kept")](ApiKey&& seen) {
        names.push_back(seen.name + kept);
        return Result<void>();
    };
    auto const visited = co_await client.async_visit(ListFilter().name(text("a")), std::move(visitor),
                                                     CallOptions().deadline(20s));
    expect(visited && visited->count == 1 && names.size() == 1, "visit");
    expect(co_await client.async_visit(
               ListFilter(), [&names](ApiKey&& seen) { return names.push_back(seen.name), Result<void>(); }),
           "visit, without options");
    UserVisitor user_visitor = [seen = text("user")](User&&) { return Result<void>(); };
    expect(co_await client.async_visit_users(user_visitor, CallOptions().deadline(20s)), "visit_users");
    expect(co_await client.async_visit_users([](User&&) { return Result<void>(); }),
           "visit_users, without options");
}

boost::asio::awaitable<void> change(ApiKeyClient& client, std::string uid) {
    auto const edited = co_await client.async_update(
        std::string(uid), ApiKeyEdit().name(text("g")).description(text("h")).expires(Expiry::never()),
        CallOptions().deadline(20s));
    expect(edited && edited->name == text("g"), "update");
    if (!edited) co_return;
    expect(co_await client.async_update(uid, ApiKeyEdit().name(text("i"))), "update, without options");
    auto const stale = co_await client.async_update(ApiKey(*edited), ApiKeyEdit().name(text("j")),
                                                    CallOptions().deadline(20s));
    expect(!stale && stale.error().code() == errc::conflict, "update of a key that has changed");
    expect(co_await client.async_update((co_await client.async_get(uid)).value(),
                                        ApiKeyEdit().description(text("k"))),
           "update of a key as it was read");
    expect(co_await client.async_renew(uid + "", std::chrono::hours{24},
                                       ChangeOptions().deadline(20s).allow_shorter()),
           "renew");
    expect(co_await client.async_renew(uid, std::chrono::hours{48}), "renew, without options");
    expect(co_await client.async_renew(uid + "", Expiry::never(), CallOptions().deadline(20s)),
           "renew for ever");
    expect(co_await client.async_renew(uid, Expiry::never()), "renew for ever, without options");
    expect(co_await client.async_revoke(uid + "", ChangeOptions().verify()), "revoke");
    expect(co_await client.async_revoke(uid), "revoke, without options");
    expect(co_await client.async_reactivate(uid + "", ChangeOptions().verify()), "reactivate");
    expect(co_await client.async_reactivate(uid), "reactivate, without options");
    expect(co_await client.async_set_active(uid + "", false, ChangeOptions().verify()), "set_active");
    expect(co_await client.async_set_active(uid, true), "set_active, without options");
    expect(co_await client.async_remove(uid + "", ChangeOptions().verify()), "remove");
    expect(!co_await client.async_remove(uid), "remove, without options, of what is gone");
}

// What fails goes another way through each operation.
boost::asio::awaitable<void> fail(ApiKeyClient& client) {
    expect(!co_await client.async_create(NewApiKey(std::string()).annotate(text("c"), text("d"))),
           "create without a name");
    expect(!co_await client.async_get(text("no uid"), CallOptions().deadline(20s)), "get without a uid");
    expect(!co_await client.async_list(ListFilter().name(text("a")), CallOptions().deadline(0ms)),
           "list without time");
    expect(!co_await client.async_update(text("no uid"), ApiKeyEdit().name(text("a")), CallOptions()),
           "update without a uid");
    expect(co_await client.async_close(), "close");
    expect(!co_await client.async_create(NewApiKey(text("late")).description(text("b")), CallOptions()),
           "create after close");
}

boost::asio::awaitable<void> run(ApiKeyClient& client, std::string owner) {
    std::string uid;
    co_await create(client, owner, uid);
    co_await read(client, uid);
    co_await change(client, uid);
    co_await fail(client);
}

}  // namespace

int main() {
    try {
        testing::Emulator emulator;
        boost::asio::io_context context;
        ApiKeyClient client(context, emulator.client_options(testing::Role::tenant_admin));
        bool ended = false;
        boost::asio::co_spawn(context, run(client, emulator.user(testing::Role::user).uid),
                              [&](std::exception_ptr thrown) {
                                  ended = true;
                                  if (thrown) std::rethrow_exception(thrown);
                              });
        context.run();
        expect(ended, "the coroutine has come to its end");
    } catch (const std::exception& e) {
        std::cerr << "thrown: " << e.what() << '\n';
        return 1;
    }
    if (failures == 0) std::cout << "every operation was awaited\n";
    return failures == 0 ? 0 : 1;
}
