// SPDX-License-Identifier: BSL-1.0
//
// The life of an API key, from the login to its end, told step by step. This is what ./run demo runs.
//
// Run it: quickstart. The service is an emulator in this program, for it takes two users and a password; the
// other examples talk to a real one as well. The value of a key is never printed.
#include <palette/api_keys.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
using namespace palette;
using std::chrono::days;
using testing::Emulator;
using testing::Role;

namespace {

int step = 0;

void tell(std::string_view what) {
    std::cout << '\n' << ++step << ". " << what << '\n';
}

// `uid`: the key that the story is about.
void print(const KeyList& keys, std::string_view uid) {
    auto const row = [](auto const& name, auto const& owner, auto const& state, auto const& expires,
                        auto const& id) {
        std::cout << std::left << std::setw(18) << name << std::setw(15) << owner << std::setw(9) << state
                  << std::setw(12) << expires << id << '\n';
    };
    std::cout << "\n     ";
    row("name", "owner", "state", "expires", "uid");
    for (auto const& key : keys) {
        std::cout << (key.uid == uid ? "   > " : "     ");
        row(key.name, key.owner.first_name + ' ' + key.owner.last_name, key.state(keys.as_of()),
            key.expiry.to_string().substr(0, 10), key.uid);
    }
}

asio::awaitable<void> show_keys_of(ApiKeyClient& client, std::string owner, std::string uid) {
    print((co_await client.async_list(ListFilter().owner(owner))).value(), uid);
}

// An error says what happened, whether anything was changed, and what to do next.
void print(const Error& error) {
    auto text = error.message();
    for (auto at = text.find("; "); at != std::string::npos; at = text.find("; ", at + 2))
        text.replace(at, 2, ";\n      ");
    std::cout << "   Refused: " << text << '\n';
}

// Uses the new key, and says what comes of it. Throws if it is not as expected.
asio::awaitable<void> use(ApiKeyClient& client, bool should_work) {
    auto const me = co_await client.async_whoami();
    if (me)
        std::cout << "   It works, as user " << me->user_uid << " of \"" << me->org_name << "\"\n";
    else
        print(me.error());
    if (me.has_value() != should_work) throw std::runtime_error("that should not have happened");
}

asio::awaitable<void> tell_the_life_of_a_key(const Emulator& emulator) {
    auto const executor = co_await asio::this_coro::executor;
    auto const& ada = emulator.user(Role::tenant_admin);
    auto const& dev = emulator.user(Role::user);

    // What a client needs: where the service is, whom to trust, and who asks.
    ClientOptions options;
    options.endpoint = emulator.endpoint();
    options.tls.ca_pem = emulator.ca_pem();
    options.auth = auth::login(auth::LoginOptions(ada.email, Secret(ada.password.expose())));

    tell(ada.email + " logs in with a password, and lists the keys of the tenant");
    ApiKeyClient admin(executor, options);
    print((co_await admin.async_list()).value(), {});

    tell("creates a key of 30 days for " + dev.email);
    auto const colleague = (co_await admin.async_find_user(dev.email)).value();
    auto created =
        (co_await admin.async_create(
             NewApiKey("ci").description("nightly build").lives_for(days{30}).for_user(colleague.uid)))
            .value();
    auto const uid = created.uid();
    std::cout << "   " << created << "\n   The service shows the value this once\n";
    co_await show_keys_of(admin, colleague.uid, uid);

    tell("uses the new key: it may do what its user may, and not what its maker may");
    options.auth = auth::api_key(std::move(created).secret(), uid);
    ApiKeyClient ci(executor, options);
    co_await use(ci, true);
    auto const seen = (co_await ci.async_list()).value();
    std::cout << "   It sees " << seen.size() << " of the tenant's " << emulator.keys().size() << " keys\n";
    print(seen, uid);

    tell("edits it: another name, and no description; the expiry stays");
    auto const edit = ApiKeyEdit().name("ci-nightly").description("");
    auto const edited = (co_await admin.async_update(uid, edit)).value();
    std::cout << "   Its name is \"" << edited.name << "\", its description \"" << edited.description
              << "\"\n";
    co_await show_keys_of(admin, colleague.uid, uid);

    tell("renews it, for 60 days from now; everything else stays");
    auto const renewed = (co_await admin.async_renew(uid, days{60})).value();
    std::cout << "   It ends " << renewed.expiry << '\n';
    co_await show_keys_of(admin, colleague.uid, uid);

    tell("revokes it, and reads it back to be sure: the next use is refused");
    (co_await admin.async_revoke(uid, ChangeOptions().verify())).value();
    co_await use(ci, false);
    co_await show_keys_of(admin, colleague.uid, uid);

    tell("re-activates it: it works again");
    (co_await admin.async_reactivate(uid, ChangeOptions().verify())).value();
    co_await use(ci, true);
    co_await show_keys_of(admin, colleague.uid, uid);

    tell("deletes it, for good: it is refused, and cannot be found");
    (co_await admin.async_remove(uid)).value();
    co_await use(ci, false);
    auto const gone = co_await admin.async_get(uid);
    if (gone) throw std::runtime_error("the key is still there");
    print(gone.error());
    co_await show_keys_of(admin, colleague.uid, uid);
}

}  // namespace

int main() try {
    Emulator const emulator;
    std::cout << "The life of an API key, at " << emulator.url() << ": an emulator of the service, with the\n"
              << "tenant \"" << emulator.org() << "\", that ends with this program.\n";
    asio::io_context context;
    auto told = asio::co_spawn(context, tell_the_life_of_a_key(emulator), asio::use_future);
    context.run();
    told.get();  // throws what the coroutine threw
    std::cout
        << "\nThat was examples/quickstart.cpp. Beside it is a program for each thing one may want to do.\n";
} catch (const std::exception& e) {
    std::cerr << "quickstart: " << e.what() << '\n';
    return 1;
}
