// SPDX-License-Identifier: BSL-1.0
//
// The operations with callbacks, for programs without coroutines: each handler gets one Result and starts
// what comes next.
//
// Run it: callbacks. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to an
// emulator of its own. It makes a key, revokes it, and removes it.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace {

using palette::CreatedApiKey;
using palette::Error;
using palette::Result;

// One step after the other; whatever fails, the key is removed and the client closed.
class Story {
public:
    Story(boost::asio::io_context& context, const palette::ClientOptions& options)
        : client_(context, options) {}

    void begin() {
        client_.async_create(palette::NewApiKey("example-callbacks"),
                             [this](const Result<CreatedApiKey>& created) { on_created(created); });
    }

    [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

private:
    void on_created(const Result<CreatedApiKey>& created) {
        if (!created) return end(created.error());
        std::cout << "made " << created->uid() << '\n';
        uid_ = created->uid();
        // Options come before the handler: this must not take longer than five seconds.
        client_.async_revoke(uid_, palette::CallOptions().deadline(std::chrono::seconds{5}),
                             [this](const Result<void>& revoked) { on_revoked(revoked); });
    }

    void on_revoked(const Result<void>& revoked) {
        if (revoked)
            std::cout << "revoked it\n";
        else
            failure_ = revoked.error();
        client_.async_remove(uid_, [this](const Result<void>& removed) { on_removed(removed); });
    }

    void on_removed(const Result<void>& removed) {
        if (!removed) return end(removed.error());
        std::cout << "removed it\n";
        end(std::nullopt);
    }

    // The first failure is the one that counts.
    void end(std::optional<Error> failure) {
        if (!failure_) failure_ = std::move(failure);
        client_.async_close([](const Result<void>&) {});
    }

    palette::ApiKeyClient client_;
    std::string uid_;
    std::optional<Error> failure_;
};

}  // namespace

int main() try {
    example::Service const service;
    boost::asio::io_context context;
    Story story(context, service.options());
    story.begin();
    context.run();  // until nothing is left to do
    if (!story.failure()) return 0;
    std::cerr << "callbacks: " << *story.failure() << '\n';
    return 1;
} catch (const std::exception& e) {
    std::cerr << "callbacks: " << e.what() << '\n';
    return 1;
}
