// SPDX-License-Identifier: BSL-1.0
//
// A transport that wraps the real one and records what the service answers, and one that replays a record
// without a network: for tests of a program against answers that a real tenant once gave.
//
// Run it: record_and_replay. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to
// an emulator of its own. It only reads.
#include "service.hpp"

#include <palette/api_keys.hpp>
#include <palette/http_transport.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace asio = boost::asio;

// The last answer to each request. No request header is kept: the credential is none of a record's business.
struct Record {
    std::map<std::string, std::pair<palette::HttpResponse, std::string>> answers;

    static std::string name_of(const palette::HttpRequest& request) {
        return request.method + ' ' + request.target;
    }
};

class Recorder final : public palette::Transport {
public:
    Recorder(std::shared_ptr<palette::Transport> real, Record& record)
        : real_(std::move(real)),
          record_(record) {}

    asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                    palette::ResponseSink& sink,
                                                    palette::ExchangeReport& report) override {
        Tee tee(sink);
        auto result = co_await real_->exchange(request, tee, report);
        if (result) record_.answers[Record::name_of(request)] = std::move(tee.seen);
        co_return result;
    }

    void close() override { real_->close(); }

private:
    // Passes everything on, and keeps a copy.
    class Tee final : public palette::ResponseSink {
    public:
        explicit Tee(palette::ResponseSink& sink) : sink_(sink) {}
        void waiting_for_connection(bool waits) override { sink_.waiting_for_connection(waits); }
        void head(palette::HttpResponse response) override {
            seen.first = response;
            sink_.head(std::move(response));
        }
        bool body(std::string_view piece) override {
            seen.second += piece;
            return sink_.body(piece);
        }

        std::pair<palette::HttpResponse, std::string> seen;

    private:
        palette::ResponseSink& sink_;
    };

    std::shared_ptr<palette::Transport> real_;
    Record& record_;
};

class Replayer final : public palette::Transport {
public:
    explicit Replayer(const Record& record) : record_(record) {}

    asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                    palette::ResponseSink& sink,
                                                    palette::ExchangeReport& report) override {
        auto const answer = record_.answers.find(Record::name_of(request));
        if (answer == record_.answers.end())
            co_return palette::Error(palette::errc::transport, "the record has no answer to this request");
        report.sent = report.received = true;
        sink.head(answer->second.first);
        sink.body(answer->second.second);
        co_return palette::Result<void>();
    }

private:
    const Record& record_;
};

}  // namespace

int main() try {
    example::Service const service;
    Record record;
    auto options = service.options();
    options.transport = std::make_shared<Recorder>(palette::make_http_transport(options).value(), record);
    auto const seen = palette::BlockingApiKeyClient(options).list().value();

    options.transport = std::make_shared<Replayer>(record);
    palette::BlockingApiKeyClient offline(options);
    if (offline.list().value() != seen) throw std::runtime_error("the replay differs from what was recorded");
    if (offline.whoami()) throw std::runtime_error("what was not recorded was answered");
    std::cout << "recorded and replayed a list of " << seen.size() << " keys\n";
} catch (const std::exception& e) {
    std::cerr << "record_and_replay: " << e.what() << '\n';
    return 1;
}
