// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/rotation_store.hpp>
#include <palette/lifecycle/secret_sink.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

namespace asio = boost::asio;

// Where a run is interrupted, and how.
struct Interruption {
    enum class Way { none, fails, dies, full_disk, fault };
    enum class Phase { before, within, after };

    Way way = Way::none;
    Phase phase = Phase::before;
    std::size_t effect = 0;  // of the run, from 0 on
    std::string fault;
};

// The status of a process that died as it was told to.
inline constexpr int died_as_told = 17;

// Hears of each effect of a run, and interrupts one.
class Interrupter {
public:
    using Way = Interruption::Way;
    using Phase = Interruption::Phase;

    Interrupter(Interruption interruption, Emulator& emulator)
        : interruption_(std::move(interruption)),
          emulator_(&emulator) {}

    // What a run has done so far.
    [[nodiscard]] const std::vector<std::string>& effects() const noexcept { return effects_; }
    [[nodiscard]] bool has_interrupted() const noexcept { return has_interrupted_; }
    // Is called when the run is to be cancelled.
    void on_cancel(std::function<void()> cancel) { cancel_ = std::move(cancel); }

    // Around each call of what is explored, so that the clock stands still meanwhile.
    class UnderWay {
    public:
        explicit UnderWay(Interrupter& of) noexcept : of_(&of) { ++of_->under_way_; }
        UnderWay(const UnderWay&) = delete;
        UnderWay& operator=(const UnderWay&) = delete;
        ~UnderWay() { --of_->under_way_; }

    private:
        Interrupter* of_;
    };
    [[nodiscard]] int under_way() const noexcept { return under_way_; }

    // Before what only looks.
    void look() const {
        if (dies_next_) ::_exit(died_as_told);
    }

    // Before an effect, as it has been done, and as its caller is about to hear of that.
    void begin(std::string name) {
        look();
        is_chosen_ = effects_.size() == interruption_.effect && interruption_.way != Way::none;
        effects_.push_back(std::move(name));
        if (is_chosen_ && interruption_.way == Way::full_disk) fill_disk();
        at(Phase::before);
    }
    void done() { at(Phase::within); }
    void heard() {
        if (!is_chosen_ || interruption_.phase != Phase::after) return;
        has_interrupted_ = true;
        is_chosen_ = false;
        if (interruption_.way == Way::dies) dies_next_ = true;
        if (interruption_.way == Way::fails && cancel_) cancel_();
    }

    // The next request to `target` meets the fault.
    void misbehave(const std::string& method, const std::string& target) {
        if (!is_chosen_ || interruption_.way != Way::fault) return;
        has_interrupted_ = true;
        emulator_->faults().add(method + ' ' + target.substr(0, target.find('?')) + ' ' +
                                interruption_.fault + " x1");
    }

private:
    void at(Phase phase) {
        if (!is_chosen_ || interruption_.phase != phase) return;
        if (interruption_.way == Way::dies) ::_exit(died_as_told);
        if (interruption_.way != Way::fails) return;
        has_interrupted_ = true;
        is_chosen_ = false;
        throw std::runtime_error("the explorer interrupts this");
    }

    // From now on no file of this process can be longer than some bytes: what is written is cut, as on a full
    // disk.
    void fill_disk() {
        has_interrupted_ = true;
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit const small{16, 16};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }

    Interruption interruption_;
    Emulator* emulator_;
    std::function<void()> cancel_;
    std::vector<std::string> effects_;
    int under_way_ = 0;
    bool is_chosen_ = false;
    bool has_interrupted_ = false;
    bool dies_next_ = false;
};

// Keeps a response back until its caller may hear of it.
class HeldResponse final : public ResponseSink {
public:
    void head(HttpResponse response) override { head_ = std::move(response); }
    bool body(std::string_view piece) override {
        body_ += piece;
        return true;
    }
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
    ExploredTransport(std::shared_ptr<Transport> real, std::shared_ptr<Interrupter> interrupter)
        : real_(std::move(real)),
          interrupter_(std::move(interrupter)) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        if (request.method == "GET") {
            interrupter_->look();
            co_return co_await real_->exchange(request, sink, report);
        }
        interrupter_->begin(name_of(request));
        interrupter_->misbehave(request.method, request.target);
        HeldResponse held;
        auto result = co_await real_->exchange(request, held, report);
        interrupter_->done();
        held.give_to(sink);
        interrupter_->heard();
        co_return result;
    }

    void close() override { real_->close(); }

private:
    // Without the uid, which is another one each time.
    static std::string name_of(const HttpRequest& request) {
        auto path = request.target.substr(0, request.target.find('?'));
        constexpr std::string_view keys = "/v1/apiKeys";
        if (path.size() > keys.size()) {
            auto const end = path.find('/', keys.size() + 1);
            path.replace(keys.size(), end == std::string::npos ? end : end - keys.size(), "/*");
        }
        return request.method + ' ' + path;
    }

    std::shared_ptr<Transport> real_;
    std::shared_ptr<Interrupter> interrupter_;
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
        auto result = co_await real_->stage(std::move(rotation_id), std::move(key_uid), expiry, secret);
        interrupter_->done();
        interrupter_->heard();
        co_return result;
    }
    asio::awaitable<Result<Secret>> read_back(lifecycle::Receipt receipt) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        co_return co_await real_->read_back(std::move(receipt));
    }
    asio::awaitable<Result<void>> promote(lifecycle::Receipt receipt,
                                          std::optional<std::uint64_t> expected_current) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->begin("promote");
        auto result = co_await real_->promote(std::move(receipt), expected_current);
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
        co_return co_await real_->contents();
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

    asio::awaitable<Result<std::shared_ptr<lifecycle::SlotLock>>> lock(std::string slot) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        co_return co_await real_->lock(std::move(slot));
    }
    asio::awaitable<Result<lifecycle::StoredRecord>> load(std::string slot) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->look();
        co_return co_await real_->load(std::move(slot));
    }
    asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                std::uint64_t expected_version) override {
        Interrupter::UnderWay const under_way(*interrupter_);
        interrupter_->begin("save");
        auto result = co_await real_->save(std::move(slot), std::move(text), expected_version);
        interrupter_->done();
        interrupter_->heard();
        co_return result;
    }

private:
    std::shared_ptr<lifecycle::RotationStore> real_;
    std::shared_ptr<Interrupter> interrupter_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
