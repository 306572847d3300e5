// SPDX-License-Identifier: BSL-1.0
//
// The client for programs that have no event loop: scripts, command-line tools, tests. Every operation waits
// for its result.
//
// Run it: blocking. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to an
// emulator of its own. It makes a key, edits it, and removes it.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace {

palette::Result<void> edit(palette::BlockingApiKeyClient& client, const std::string& uid) {
    auto const edited = client.update(uid, palette::ApiKeyEdit().description("from a script"));
    if (!edited) return edited.error();
    std::cout << "made:    " << *edited << '\n';

    auto const renewed = client.renew(uid, std::chrono::days{90});
    if (!renewed) return renewed.error();
    std::cout << "renewed: " << *renewed << '\n';
    return {};
}

}  // namespace

int main() try {
    example::Service const service;
    palette::BlockingApiKeyClient client(service.options());

    // value() throws what went wrong, for programs that can do nothing about it.
    auto const before = client.list().value();
    std::cout << before << '\n';

    auto const created = client.create(palette::NewApiKey("example-blocking")).value();
    auto const outcome = edit(client, created.uid());
    client.remove(created.uid()).value();
    outcome.value();

    // An error tells more than its message: here, that there is no such key any more.
    auto const gone = client.get(created.uid());
    if (gone) {
        std::cerr << "blocking: the key is still there\n";
        return 1;
    }
    std::cout << "removed: " << gone.error().code() << ", HTTP " << gone.error().status() << '\n';
} catch (const std::exception& e) {
    std::cerr << "blocking: " << e.what() << '\n';
    return 1;
}
