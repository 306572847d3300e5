// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the examples in the contracts of headers have at hand, beside what fragment.hpp gives. They are
// compiled and never linked, so nothing here has a definition.

#include "fragment.hpp"

#include <palette/format.hpp>
#include <palette/http_transport.hpp>
#include <palette/json.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/lifecycle/watch.hpp>
#include <palette/observe/counters.hpp>
#include <palette/observe/lines.hpp>
#include <palette/testing/crash_explorer.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/memory_sink.hpp>
#include <palette/testing/scripted_transport.hpp>
#include <palette/tls_context.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

using namespace palette;
using namespace palette::testing;
using std::chrono::days;
namespace asio = boost::asio;

extern ApiKey key;
extern KeyList keys;
extern CreatedApiKey created;
extern Error const error;
extern Emulator emulator;
extern RateLimiter limiter;
extern ClientOptions first;
extern ClientOptions second;
extern asio::io_context context;
extern lifecycle::Plan plan;
extern lifecycle::Slot slot;
extern std::string bucket;
extern std::string directory;
extern std::string nonce;
extern std::string password;
extern std::string text;
extern std::string user;

template <class... Values>
void use(const Values&... values);
void append_line(std::string_view file, std::string_view line);
void connect(std::string_view user, std::string_view password);
void print(std::string_view name, std::string_view value);
void respond(std::string_view body);
void send();
void write(std::string_view file, std::string_view content);
std::string text_of(std::string_view file);
asio::awaitable<Result<void>> notify(lifecycle::ExpiryEvent event);
void sleep(std::chrono::nanoseconds time);
bool is_pinned(X509* certificate);
std::chrono::nanoseconds now();
asio::awaitable<Result<void>> reload_my_service(lifecycle::Promotion promotion);
std::shared_ptr<lifecycle::SecretSink> open_my_sink(const std::string& name);

HttpResponse recorded_head(const HttpRequest& request);
std::string recorded_body(const HttpRequest& request);

class Vault {
public:
    asio::awaitable<Secret> read(std::string_view path);
    asio::awaitable<std::uint64_t> put(std::string_view path, std::string_view value);
};
extern Vault vault_;

class Recorder : public Transport {
public:
    explicit Recorder(std::shared_ptr<Transport> real);
    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override;
};
