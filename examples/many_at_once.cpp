// SPDX-License-Identifier: BSL-1.0
//
// Hundreds of operations at once: keys are made, all revoked, as in an incident, and all deleted. The client
// sends them over a few connections, and no faster than the service's limit allows. Others may use up that
// limit too: what is refused for coming too soon is done once more.
//
// Run it: many_at_once. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, with ten keys,
// for a user may have twenty there; otherwise it talks to an emulator of its own, with a hundred.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;

namespace {

using palette::CreatedApiKey;
using palette::Idempotency;
using palette::NewApiKey;
using palette::Result;

// Starts an operation for each of the items, all at once, and waits for all of them. An operation that fails
// for a passing reason is started once more, if that cannot do harm. Throws if something fails for good.
template <class Start, class Done>
void do_all(std::string_view what, Idempotency kind, std::vector<std::string> items, Start start, Done done) {
    std::cout << what << ' ' << items.size() << std::flush;
    for (int round = 1; !items.empty(); ++round) {
        std::vector<decltype(start(items.front()))> pending;
        for (auto const& item : items)
            pending.push_back(start(item));

        std::vector<std::string> again;
        std::optional<palette::Error> failure;
        for (std::size_t i = 0; i < items.size(); ++i) {
            auto const result = pending[i].get();
            if (result)
                done(result);
            else if (round < 3 && is_retryable(result.error()) && is_safe_to_repeat(result.error(), kind))
                again.push_back(items[i]);
            else
                failure = result.error();
        }
        if (failure) throw palette::Exception(*failure);
        if (!again.empty()) std::cout << ", " << again.size() << " once more" << std::flush;
        items = again;
    }
    std::cout << '\n';
}

}  // namespace

int main() try {
    // The emulator allows ten times what the service does, so that this ends in seconds. A real service's own
    // limit, ten requests a second after the first fifty, is what a client keeps to by default.
    example::Service const service({.quota = 200, .rate_limit = {.per_second = 100, .burst = 50}});
    auto options = service.options();
    if (!service.is_real()) options.rate_limit = {.per_second = 100, .burst = 50};
    int const count = service.is_real() ? 10 : 100;

    asio::thread_pool thread(1);
    palette::ApiKeyClient client(thread, options);
    auto const begun = std::chrono::steady_clock::now();

    std::vector<std::string> names;
    for (int i = 1; i <= count; ++i)
        names.push_back("example-many-" + std::to_string(i));

    std::vector<std::string> uids;
    std::exception_ptr failure;
    try {
        do_all(
            "make", Idempotency::not_idempotent, names,
            [&](const std::string& name) { return client.async_create(NewApiKey(name), asio::use_future); },
            [&](const Result<CreatedApiKey>& created) { uids.push_back(created->uid()); });
        do_all(
            "revoke", Idempotency::idempotent, uids,
            [&](const std::string& uid) { return client.async_revoke(uid, asio::use_future); },
            [](const Result<void>&) {});
    } catch (const std::exception&) {
        failure = std::current_exception();  // what was made is removed first
    }
    do_all(
        "remove", Idempotency::idempotent, uids,
        [&](const std::string& uid) { return client.async_remove(uid, asio::use_future); },
        [](const Result<void>&) {});
    if (failure) std::rethrow_exception(failure);

    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begun;
    std::cout << "in " << took.count() << " s\n";
} catch (const std::exception& e) {
    std::cerr << "many_at_once: " << e.what() << '\n';
    return 1;
}
