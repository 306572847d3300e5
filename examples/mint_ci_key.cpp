// SPDX-License-Identifier: BSL-1.0
//
// Makes a key of thirty days for a CI job, writes it to a file that only its owner can read, and uses it
// from there as the job would. In the end the key and the file are removed again: keep them by leaving out
// the last part.
//
// Run it: mint_ci_key [FILE]. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise
// to an emulator of its own.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

namespace asio = boost::asio;

namespace {

// What the job does: it knows the file, and nothing else that is secret.
asio::awaitable<palette::Result<void>> use_as_the_job(palette::ClientOptions options, std::string file) {
    auto const executor = co_await asio::this_coro::executor;
    options.auth = palette::auth::file(file);
    palette::ApiKeyClient client(executor, options);
    auto const me = co_await client.async_whoami();
    if (!me) co_return me.error();
    std::cout << "the job is user " << me->user_uid << " of " << me->org_name << '\n';
    co_return palette::Result<void>();
}

asio::awaitable<void> mint(palette::ClientOptions options, std::string file) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);

    auto const created = co_await client.async_create(palette::NewApiKey("example-ci")
                                                          .description("nightly build")
                                                          .lives_for(std::chrono::days{30})
                                                          .label("team", "build"));
    if (!created) throw palette::Exception(created.error());
    std::cout << *created << '\n';  // its uid; the value is not printed
    if (!created->confirmed())
        std::cout << "the service has not confirmed the uid: find the key by its name before changing it\n";

    // The value is here and nowhere else. If it cannot be kept, the key is of no use to anybody.
    auto outcome = palette::write_secret_file(file, created->secret());
    if (outcome) {
        std::cout << "its value is in " << file << '\n';
        outcome = co_await use_as_the_job(options, file);
        std::filesystem::remove(file);
    }

    auto const removed = co_await client.async_remove(created->uid());
    outcome.value();  // throws if there is an error
    removed.value();
    std::cout << "the key and the file are removed again\n";
}

}  // namespace

int main(int argc, char** argv) try {
    std::string const file = argc > 1 ? argv[1] : "example-ci.key";
    example::Service const service;
    asio::io_context context;
    auto done = asio::co_spawn(context, mint(service.options(), file), asio::use_future);
    context.run();
    done.get();
} catch (const std::exception& e) {
    std::cerr << "mint_ci_key: " << e.what() << '\n';
    return 1;
}
