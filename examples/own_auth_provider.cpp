// SPDX-License-Identifier: BSL-1.0
//
// A source of credentials of one's own: here a vault in which somebody exchanges the key while the program
// runs. The client asks again when the service refuses the old key, and the operation that met the refusal
// succeeds all the same.
//
// Run it: own_auth_provider. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to
// an emulator of its own. It makes two keys, and removes them in the end.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;

namespace {

// Stands for a secret store.
class Vault {
public:
    void put(palette::Secret key) { key_ = std::move(key); }
    [[nodiscard]] palette::Secret read() const { return palette::Secret(key_.expose()); }

private:
    palette::Secret key_;
};

class FromVault final : public palette::AuthProvider {
public:
    explicit FromVault(const Vault& vault) : vault_(vault) {}

    asio::awaitable<palette::Result<std::shared_ptr<const palette::Credential>>> credential(
        palette::CredentialRequest request) override {
        auto key = vault_.read();
        if (key.empty()) co_return palette::Error(palette::errc::auth_provider, "the vault is empty");

        // To give the previous one again says that there is no other; the client does not ask twice.
        auto const& previous = request.previous();
        if (previous && previous->value() == key) co_return previous;

        bool const is_refused = request.reason() == palette::CredentialRequest::Reason::rejected;
        std::cout << (is_refused ? "  the vault is asked, since the last key was refused\n"
                                 : "  the vault is asked for a first key\n");
        co_return palette::Credential::api_key(std::move(key));
    }

private:
    const Vault& vault_;
};

asio::awaitable<palette::Result<void>> say_who(palette::ApiKeyClient& client) {
    auto const me = co_await client.async_whoami();
    if (!me) co_return me.error();
    std::cout << "works as user " << me->user_uid << '\n';
    co_return palette::Result<void>();
}

asio::awaitable<palette::Result<void>> exchange_key(palette::ApiKeyClient& admin,
                                                    palette::ClientOptions options, std::string old_uid,
                                                    palette::Secret old_key, palette::Secret new_key) {
    auto const executor = co_await asio::this_coro::executor;
    Vault vault;
    vault.put(std::move(old_key));
    options.auth = std::make_shared<FromVault>(vault);
    palette::ApiKeyClient client(executor, options);
    auto said = co_await say_who(client);
    if (!said) co_return said;

    vault.put(std::move(new_key));
    auto const revoked = co_await admin.async_revoke(old_uid);
    if (!revoked) co_return revoked;
    std::cout << "the key in the vault is exchanged, and the old one revoked\n";
    co_return co_await say_who(client);
}

asio::awaitable<void> run(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient admin(executor, options);
    auto first = co_await admin.async_create(palette::NewApiKey("example-vault-1"));
    auto second = co_await admin.async_create(palette::NewApiKey("example-vault-2"));

    palette::Result<void> outcome;
    if (!first || !second) {
        outcome = first ? second.error() : first.error();
    } else {
        auto const uid = first->uid();
        outcome = co_await exchange_key(admin, options, uid, std::move(*first).secret(),
                                        std::move(*second).secret());
    }
    for (auto const* const created : {&first, &second}) {
        if (!*created) continue;
        auto const removed = co_await admin.async_remove((*created)->uid());
        if (!removed) std::cerr << "not removed: " << (*created)->uid() << '\n';
        if (outcome) outcome = removed;
    }
    outcome.value();
}

}  // namespace

int main() try {
    example::Service const service;
    asio::io_context context;
    auto done = asio::co_spawn(context, run(service.options()), asio::use_future);
    context.run();
    done.get();
} catch (const std::exception& e) {
    std::cerr << "own_auth_provider: " << e.what() << '\n';
    return 1;
}
