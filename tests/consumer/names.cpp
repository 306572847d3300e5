// SPDX-License-Identifier: BSL-1.0
// A program of somebody else's, with names of its own that the library uses inside: none of them is
// ambiguous, although the program uses the whole namespace palette.
#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <utility>

namespace net = boost::asio;

namespace client {
struct Session {
    palette::ApiKey key;
};
}  // namespace client

// The rooms of include/palette/impl/, and what their namespaces are called.
namespace emulation {
struct Mine {};
}  // namespace emulation
namespace emulator {
struct Mine {};
}  // namespace emulator
namespace files {
struct Mine {};
}  // namespace files
namespace pipeline {
struct Mine {};
}  // namespace pipeline
namespace redaction {
struct Mine {};
}  // namespace redaction
namespace seams {
struct Mine {};
}  // namespace seams
namespace timing {
struct Mine {};
}  // namespace timing
namespace values {
struct Mine {};
}  // namespace values
namespace wire {
struct Mine {};
}  // namespace wire

using namespace palette;

struct Names {
    emulation::Mine emulation;
    emulator::Mine emulator;
    files::Mine files;
    pipeline::Mine pipeline;
    redaction::Mine redaction;
    seams::Mine seams;
    timing::Mine timing;
    values::Mine values;
    wire::Mine wire;
};

net::awaitable<Result<client::Session>> open_session(ApiKeyClient& keys, std::string uid) {
    auto key = co_await keys.async_get(std::move(uid));
    if (!key) co_return key.error();
    client::Session session;
    session.key = std::move(*key);
    co_return session;
}

int main() {
    net::io_context context;
    ClientOptions options;
    options.auth = auth::api_key(Secret("a value"));
    ApiKeyClient keys(context, std::move(options));
    auto const session = open_session(keys, "5f1b2c3d4e5f6a7b8c9d0e1f");
    return session.valid() && sizeof(Names) > 0 ? 0 : 1;
}
