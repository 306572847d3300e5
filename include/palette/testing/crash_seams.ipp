// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/rotation_store.hpp>
#include <palette/lifecycle/secret_sink.hpp>
#include <palette/testing/crash_points.ipp>
#include <palette/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The service, the sink and the store as one process has them: each call passes by the interrupter and the
// witness.

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

namespace asio = boost::asio;

// Keeps a response back until its caller may hear of it.
class HeldResponse final : public ResponseSink {
public:
    void head(HttpResponse response) override { head_ = std::move(response); }
    bool body(std::string_view piece) override {
        body_ += piece;
        return true;
    }
    [[nodiscard]] bool is_success() const noexcept { return head_ && head_->status / 100 == 2; }
    [[nodiscard]] const std::string& text() const noexcept { return body_; }
    void give_to(ResponseSink& sink) {
        if (!head_) return;
        sink.head(*std::move(head_));
        sink.body(body_);
    }

private:
    std::optional<HttpResponse> head_;
    std::string body_;
};

class ExploredTransport final : public Transport {
public:
    // `own_uid`: of the key that the client uses. Who uses another one proves it.
    ExploredTransport(std::shared_ptr<Transport> real, std::shared_ptr<Interrupter> interrupter,
                      std::string own_uid)
        : real_(std::move(real)),
          interrupter_(std::move(interrupter)),
          own_uid_(std::move(own_uid)) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        auto& witness = interrupter_->witness;
        auto const uses_key = is_use(request);
        // A proof uses a key twice. The first time is enough of an interruption.
        auto const begins =
            uses_key ? witness.uses_of(request.credential->value()) % 2 == 0 : request.method != "GET";
        if (!begins) {
            interrupter_->look();
        } else {
            interrupter_->begin(uses_key ? "prove" : name_of(request));
            interrupter_->misbehave(request.method, request.target);
        }
        // Before it is sent: a request that is lost may be done all the same.
        if (auto const uid = revoked_by(request); !uid.empty()) witness.revokes(uid);
        HeldResponse held;
        auto result = co_await real_->exchange(request, held, report);
        // The service has done it, and the caller has no answer yet: here lies a death within.
        if (begins) interrupter_->done();
        held.give_to(sink);
        // Only what the caller was told counts as a proof.
        if (uses_key && held.is_success()) witness.saw_use(request.credential->value());
        if (request.method == "POST" && held.is_success()) witness.saw_created(held.text());
        if (begins) interrupter_->heard();
        co_return result;
    }

    void close() override { real_->close(); }

private:
    static constexpr std::string_view keys = "/v1/apiKeys/";

    // A proof begins by asking whose the key is, with a credential that is not the client's own.
    [[nodiscard]] bool is_use(const HttpRequest& request) const {
        auto const uid = request.credential ? request.credential->key_uid() : std::string();
        return request.method == "GET" && request.target == "/v1/users/info" && !uid.empty() &&
               uid != own_uid_;
    }
    // The key that the request revokes; empty if it revokes none.
    static std::string revoked_by(const HttpRequest& request) {
        // The state is always sent (W2), and nothing else in such a body is false.
        auto const is_revocation = request.method == "PUT" && request.target.starts_with(keys) &&
                                   request.body.find(":false") != std::string::npos;
        if (!is_revocation) return {};
        return request.target.substr(keys.size(), request.target.find('/', keys.size()) - keys.size());
    }
    // Without the uid, which is another one each time.
    static std::string name_of(const HttpRequest& request) {
        auto path = request.target.substr(0, request.target.find('?'));
        if (path.starts_with(keys)) {
            auto const end = path.find('/', keys.size());
            path.replace(keys.size(), end == std::string::npos ? end : end - keys.size(), "*");
        }
        return request.method + ' ' + path;
    }

    std::shared_ptr<Transport> real_;
    std::shared_ptr<Interrupter> interrupter_;
    std::string own_uid_;
};

class ExploredSink final : public lifecycle::SecretSink {
public:
    ExploredSink(std::shared_ptr<lifecycle::SecretSink> real, std::shared_ptr<Interrupter> interrupter)
        : real_(std::move(real)),
          interrupter_(std::move(interrupter)) {}

    asio::awaitable<Result<lifecycle::Receipt>> stage(std::string rotation_id, std::string key_uid,
                                                      Expiry expiry, const Secret& secret) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->begin("stage");
        interrupter_->witness.stages(key_uid);
        auto result = co_await real_->stage(std::move(rotation_id), std::move(key_uid), expiry, secret);
        // Where it cannot be read back, that is what is known of it.
        if (result) interrupter_->witness.saw_value(*result, secret);
        interrupter_->done();
        interrupter_->heard();
        co_return result;
    }
    asio::awaitable<Result<Secret>> read_back(lifecycle::Receipt receipt) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        auto value = co_await real_->read_back(receipt);
        if (value) interrupter_->witness.saw_value(receipt, *value);
        co_return value;
    }
    asio::awaitable<Result<void>> promote(lifecycle::Receipt receipt,
                                          std::optional<std::uint64_t> expected_current) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->begin("promote");
        // Before the call: what has to come before a promotion must not come during it.
        interrupter_->witness.promotes(receipt);
        auto result = co_await real_->promote(receipt, expected_current);
        if (result) interrupter_->witness.promoted(receipt);
        interrupter_->done();
        interrupter_->heard();
        co_return result;
    }
    asio::awaitable<Result<void>> discard(lifecycle::Receipt receipt) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->begin("discard");
        auto result = co_await real_->discard(std::move(receipt));
        interrupter_->done();
        interrupter_->heard();
        co_return result;
    }
    asio::awaitable<Result<lifecycle::SinkContents>> contents() override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        auto contents = co_await real_->contents();
        if (contents) interrupter_->witness.saw_contents(*contents);
        co_return contents;
    }
    [[nodiscard]] lifecycle::SinkCapabilities capabilities() const noexcept override {
        return real_->capabilities();
    }

private:
    std::shared_ptr<lifecycle::SecretSink> real_;
    std::shared_ptr<Interrupter> interrupter_;
};

class ExploredStore final : public lifecycle::RotationStore {
public:
    ExploredStore(std::shared_ptr<lifecycle::RotationStore> real, std::shared_ptr<Interrupter> interrupter)
        : real_(std::move(real)),
          interrupter_(std::move(interrupter)) {}

    // No effect of a rotation: a lock ends with its process.
    asio::awaitable<Result<std::shared_ptr<lifecycle::SlotLock>>> lock(std::string slot) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        co_return co_await real_->lock(std::move(slot));
    }
    asio::awaitable<Result<lifecycle::StoredRecord>> load(std::string slot) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        auto record = co_await real_->load(std::move(slot));
        if (record) interrupter_->witness.saw_record(record->text);
        co_return record;
    }
    asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                std::uint64_t expected_version) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->begin("save");
        auto result = co_await real_->save(std::move(slot), text, expected_version);
        if (result) interrupter_->witness.saw_record(std::move(text));
        interrupter_->done();
        interrupter_->heard();
        co_return result;
    }

private:
    std::shared_ptr<lifecycle::RotationStore> real_;
    std::shared_ptr<Interrupter> interrupter_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
