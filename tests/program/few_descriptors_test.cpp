// SPDX-License-Identifier: BSL-1.0
// A client in a process that has hardly a file descriptor left, and a service in another one.
#include "program/running_emulator.hpp"
#include "support/process.hpp"
#include "support/sanitized.hpp"

#include <palette/api_keys.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace few_descriptors_test {

using namespace palette;

/// Takes all of the process's file descriptors but so many.
class Scarcity {
public:
    explicit Scarcity(std::size_t left) {
        for (;;) {
            child::Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (file.number() < 0) break;
            files_.push_back(std::move(file));
        }
        REQUIRE(files_.size() > left);
        files_.resize(files_.size() - left);
    }

private:
    std::vector<child::Descriptor> files_;
};

TEST_CASE("few descriptors: with three left, forty creates share three connections, and none fails") {
    if (sanitized) return;  // to look at memory, the sanitizer opens a pipe
    program::RunningEmulator const emulator(
        {"--quiet", "--plain-http", "--rate-limit", "off", "--quota", "100", "--fault", "* / delay:5"});
    ClientOptions options;
    options.endpoint = Endpoint::parse(emulator.url()).value();
    options.auth = auth::api_key(Secret(emulator.api_key()));
    options.rate_limit = RateLimitOptions::off();
    boost::asio::io_context context;
    ApiKeyClient client(context, options);
    std::vector<std::string> failures;
    std::set<std::string> made;
    {
        Scarcity const scarcity(3);
        for (int i = 0; i < 40; ++i)
            client.async_create(NewApiKey("ci-" + std::to_string(i)),
                                [&](const Result<CreatedApiKey>& created) {
                                    if (created)
                                        made.insert(created->uid());
                                    else
                                        failures.push_back(created.error().message());
                                });
        context.run();
    }
    if (!failures.empty()) MESSAGE(failures.front());
    CHECK(failures.empty());
    CHECK(made.size() == 40);
}

}  // namespace few_descriptors_test
