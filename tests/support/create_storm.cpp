// SPDX-License-Identifier: BSL-1.0
#include "support/create_storm.hpp"

#include <palette/auth.hpp>
#include <palette/observer.hpp>
#include <palette/pending_create.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

namespace storm {

using namespace std::chrono_literals;
using namespace palette;
using testing::Role;

Totals& Totals::operator+=(const Totals& more) {
    creates += more.creates;
    delivered += more.delivered;
    unknown += more.unknown;
    applied += more.applied;
    not_applied += more.not_applied;
    others += more.others;
    reconciled += more.reconciled;
    requests += more.requests;
    injected += more.injected;
    return *this;
}

// Whether a request is under way: it is asked for a trace before each.
class Tenant::Watch final : public Observer {
public:
    explicit Watch(std::atomic<bool>& is_stalled) : is_stalled_(is_stalled) {}

    std::string traceparent(std::uint64_t) noexcept override {
        is_stalled_ = false;
        ++under_way;
        return {};
    }
    void on_attempt(const AttemptEvent&) noexcept override { --under_way; }

    int under_way = 0;

private:
    std::atomic<bool>& is_stalled_;
};

Tenant::Tenant(std::uint64_t seed)
    : random_(seed),
      emulator_({.plain_http = true,
                 .quota = 1'000,
                 .rate_limit = testing::RateLimit::off(),
                 .clock = clock_,
                 .on_request =
                     [this](const testing::ReceivedRequest& request) {
                         if (request.faults.find("stall") != std::string::npos) is_stalled_ = true;
                     }}),
      watch_(std::make_shared<Watch>(is_stalled_)),
      client_(context_, options()) {}

ClientOptions Tenant::options() const {
    auto options = emulator_.client_options(Role::tenant_admin);
    options.rate_limit = RateLimitOptions::off();
    options.observer = watch_;
    options.timeouts.read = 5s;
    options.retry.jitter_seed = seeds::short_seed(5);
    return options;
}

void Tenant::run_until(const std::function<bool()>& is_done) {
    while (!is_done()) {
        if (context_.stopped()) context_.restart();
        if (context_.poll() > 0) continue;
        if (watch_->under_way > 0 && !is_stalled_)
            context_.run_one_for(1ms);
        else
            REQUIRE_MESSAGE(clock_->advance_to_next(), "nothing more is waited for");
    }
}

// Some of each, so that they meet.
std::string Tenant::add_faults() {
    static constexpr std::string_view losses[] = {"drop-after", "truncate",       "stall",
                                                  "reset",      "status:500",     "status:502",
                                                  "status:503", "apply-late:3000"};
    std::string all;
    auto const add = [&](const std::string& rule) {
        emulator_.faults().add(rule);
        all += rule + "; ";
    };
    auto const loss = [&] { return std::string(losses[random_.below(std::size(losses))]); };
    // Each its own, as one request meets one of a group.
    for (auto n = random_.below(4); n > 0; --n)
        add("POST /v1/apiKeys " + loss() + " x1");
    for (auto n = random_.below(3); n > 0; --n)
        add("GET /v1/apiKeys " + loss() + " x1 after=" + std::to_string(random_.below(4)));
    for (auto n = random_.below(2); n > 0; --n)
        add("DELETE /v1/apiKeys " + loss() + " x1");
    if (random_.one_in(10)) add("GET /v1/users/info " + loss() + " x1");
    if (random_.one_in(3)) add("GET /v1/apiKeys page:3");
    if (random_.one_in(4)) add("GET /v1/apiKeys list-lag:2000");
    if (random_.one_in(6)) add("POST /v1/apiKeys strip-annotations");
    if (random_.one_in(4)) add("DELETE /v1/apiKeys deny-delete");
    if (random_.one_in(4)) add("POST /v1/apiKeys uid-is-user");
    return all;
}

void Tenant::create() {
    emulator_.faults().clear();
    auto& made = made_.emplace_back();
    made.name = "made-" + std::to_string(made_.size());
    made.faults = add_faults();
    auto const call = CreateOptions().retry_when_unseen(random_.one_in(4));
    std::optional<Result<CreatedApiKey>> result;
    client_.async_create(NewApiKey(made.name), call,
                         [&](Result<CreatedApiKey> r) { result.emplace(std::move(r)); });
    run_until([&] { return result.has_value(); });
    made.result = std::move(result);

    ++totals_.creates;
    if (*made.result) {
        ++totals_.delivered;
        return;
    }
    auto const effect = made.result->error().effect();
    ++(effect == Effect::unknown   ? totals_.unknown
       : effect == Effect::applied ? totals_.applied
                                   : totals_.not_applied);
}

void Tenant::let_all_land() {
    totals_.injected = emulator_.faults().injected();
    totals_.requests = emulator_.request_count();
    emulator_.faults().clear();
    clock_->advance(1min);
    // The service does one thing after another: what was due is done before these are answered.
    for (int i = 0; i < 3; ++i) {
        std::optional<Result<Identity>> who;
        client_.async_whoami([&](Result<Identity> r) { who.emplace(std::move(r)); });
        run_until([&] { return who.has_value(); });
        REQUIRE(*who);
    }
}

std::shared_ptr<const PendingCreate> Tenant::Made::pending() const {
    return *result ? (**result).pending() : result->error().pending();
}

bool Tenant::Made::names(const ApiKey& key) const {
    if (!*result) {
        auto const& error = result->error();
        if (error.key_uid() == key.uid && error.what().find(key.uid) != std::string::npos) return true;
    }
    auto const left = pending();
    if (!left) return false;
    auto const mark = key.annotations["palette-keys-create"];
    return mark.empty() ? left->name() == key.name : left->matches(mark);
}

std::vector<ApiKey> Tenant::keys_of(const Made& made) const {
    std::vector<ApiKey> keys;
    for (auto const& key : emulator_.keys())
        if (key.name == made.name) keys.push_back(key);
    return keys;
}

// A client of its own: the value is its credential.
bool Tenant::is_taken(const Secret& value) {
    auto with_value = options();
    with_value.auth = auth::api_key(Secret(value.expose()));
    ApiKeyClient client(context_, with_value);
    std::optional<Result<Identity>> who;
    client.async_whoami([&](Result<Identity> r) { who.emplace(std::move(r)); });
    run_until([&] { return who.has_value(); });
    return who->has_value();
}

void Tenant::check_names() {
    for (auto const& made : made_) {
        auto const keys = keys_of(made);
        auto const unnamed = std::ranges::count_if(keys, [&](auto const& key) { return !made.names(key); });
        auto const why = *made.result ? std::string() : made.result->error().message();
        CAPTURE(made.name);
        CAPTURE(made.faults);
        CAPTURE(why);
        CAPTURE(keys.size());
        auto const is_delivered = made.result->has_value();
        totals_.others += static_cast<int>(keys.size()) - (is_delivered ? 1 : 0);
        CHECK(unnamed <= (is_delivered ? 1 : 0));
        if (!is_delivered) {
            if (made.result->error().effect() == Effect::not_applied) CHECK(keys.empty());
            continue;
        }
        auto const& created = **made.result;
        CHECK(keys.size() >= 1);
        CHECK(is_taken(created.secret()));
        if (!created.confirmed()) continue;
        auto const at_uid = std::ranges::find(keys, created.uid(), &ApiKey::uid);
        REQUIRE(at_uid != keys.end());
        // It cannot be taken for one that is to be deleted.
        auto const mark = at_uid->annotations["palette-keys-create"];
        if (!mark.empty()) CHECK_FALSE(made.names(*at_uid));
    }
}

void Tenant::reconcile() {
    for (auto const& made : made_) {
        if (!made.pending()) continue;
        std::optional<Result<Reconciliation>> done;
        client_.async_reconcile(*made.pending(),
                                [&](Result<Reconciliation> r) { done.emplace(std::move(r)); });
        run_until([&] { return done.has_value(); });
        // Where marks were seen not to be kept, to find none is an error.
        if (!*done && (*done).error().path() == "metadata.annotations") continue;
        REQUIRE(*done);
        CHECK((**done).not_removed().empty());
        totals_.reconciled += static_cast<int>((**done).removed().size());
    }
}

void Tenant::check_what_is_left() {
    for (auto const& made : made_) {
        CAPTURE(made.name);
        CAPTURE(made.faults);
        auto keys = keys_of(made);
        auto const marked = std::ranges::count_if(
            keys, [](auto const& key) { return key.annotations.contains("palette-keys-create"); });
        CHECK(marked <= (*made.result ? 1 : 0));
        if (*made.result) CHECK(is_taken((**made.result).secret()));
    }
}

}  // namespace storm
