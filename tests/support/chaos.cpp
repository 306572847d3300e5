// SPDX-License-Identifier: BSL-1.0
#include "support/chaos.hpp"

#include <palette/auth.hpp>
#include <palette/observer.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <iterator>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>

namespace chaos {

using namespace std::chrono_literals;
using namespace palette;
using testing::Role;

void Seen::add(const Error* error) {
    ++ended;
    good += error == nullptr ? 1 : 0;
    if (error == nullptr) return;
    ++codes[error->code()];
    ++effects[error->effect()];
}

int Seen::of_effect(Effect effect) const {
    auto const found = effects.find(effect);
    return found == effects.end() ? 0 : found->second;
}

// Before one request in twenty it tells the service to fail with the next.
class Scene::Faults final : public Observer {
public:
    Faults(testing::Emulator& emulator, std::uint64_t seed) : emulator_(emulator), random_(seed) {}

    std::string traceparent(std::uint64_t) noexcept override {
        static constexpr std::string_view kinds[] = {
            "status:429",  "status:500", "status:502",    "status:503",     "html:502",    "retry-after:0",
            "drop-before", "drop-after", "truncate",      "reset",          "stall",       "delay:30",
            "garbage",     "close-idle", "apply-late:50", "apply-late:150", "list-lag:100"};
        if (!is_on || !random_.one_in(20)) return {};
        emulator_.faults().add("* /v1/ " + std::string(kinds[random_.below(std::size(kinds))]) + " x1");
        return {};
    }

    std::atomic<bool> is_on = true;

private:
    testing::Emulator& emulator_;
    sample::Random random_;  // of the client's strand
};

Scene::Scene(std::uint64_t seed, int operations, const Pace& pace)
    : seed_(seed),
      pace_(pace),
      operations_(operations),
      emulator_({.plain_http = true, .quota = 100'000, .rate_limit = testing::RateLimit::off()}),
      faults_(std::make_shared<Faults>(emulator_, seed)) {
    rotator_.emplace(context_, options(), emulator_);
    auto with_rotation = options();
    with_rotation.auth = rotator_->provider();
    with_rotation.observer = faults_;
    client_.emplace(context_, with_rotation);
    for (int i = 0; i < pace_.lanes; ++i)
        own_.push_back(emulator_.seed_key(NewApiKey("own")).uid());
}

ClientOptions Scene::options() const {
    auto options = emulator_.client_options(Role::tenant_admin);
    options.rate_limit = RateLimitOptions::off();
    options.pool.max_connections = static_cast<std::size_t>(pace_.lanes);
    options.timeouts.read = pace_.read;
    options.timeouts.total = 30 * pace_.read;
    options.retry.initial_backoff = 10ms;
    options.retry.max_backoff = 200ms;
    options.retry.settle_time = 40ms;
    options.retry.jitter_seed = static_cast<std::uint32_t>(seed_);
    return options;
}

template <class T>
bool Scene::note(const Result<T>& result) {
    seen_.add(result ? nullptr : &result.error());
    if (seen_.ended % 2'000 == 1'000) rotator_->rotate();
    return result.has_value();
}

asio::awaitable<void> Scene::read(sample::Random& random, const std::string& own) {
    switch (random.below(10)) {
        case 0:
            note(co_await client_->async_list());
            break;
        case 1:
            note(co_await client_->async_find("own"));
            break;
        case 2:
        case 3:
            note(co_await client_->async_whoami());
            break;
        case 4:
            note(co_await client_->async_find_user("dev@acme.test"));
            break;
        default:
            note(co_await client_->async_get(own));
            break;
    }
}

asio::awaitable<void> Scene::change(sample::Random& random, const std::string& own) {
    switch (random.below(5)) {
        case 0: {
            ApiKeyEdit edit;
            edit.description(std::to_string(random.below(1'000)));
            note(co_await client_->async_update(own, edit));
            break;
        }
        case 1:
            note(co_await client_->async_renew(own, std::chrono::days{90}));
            break;
        case 2:
            note(co_await client_->async_revoke(own));
            break;
        case 3:
            note(co_await client_->async_reactivate(own));
            break;
        default:
            note(co_await client_->async_set_active(own, random.one_in(2)));
            break;
    }
}

asio::awaitable<void> Scene::create() {
    NewApiKey key("made-" + std::to_string(names_));
    auto const options = CreateOptions().retry_when_unseen(names_++ % 4 != 0);
    auto created = co_await client_->async_create(std::move(key), options);
    note(created);
    auto const pending = created ? created->pending() : created.error().pending();
    if (pending) pending_.push_back(*pending);
    if (!created) co_return;
    auto uid = created->uid();
    present_.push_back(uid);
    values_.emplace(std::move(uid), std::move(*created).secret());
}

asio::awaitable<void> Scene::remove(sample::Random& random) {
    auto const which = present_.begin() + static_cast<std::ptrdiff_t>(random.below(present_.size()));
    auto uid = std::move(*which);
    present_.erase(which);
    auto const removed = co_await client_->async_remove(uid);
    if (note(removed)) co_return;
    if (removed.error().effect() == Effect::not_applied)
        present_.push_back(uid);
    else
        deleted_perhaps_.push_back(uid);
}

asio::awaitable<void> Scene::lane(int number) {
    sample::Random random(seed_ * 1'000 + static_cast<std::uint64_t>(number));
    auto const own = own_[static_cast<std::size_t>(number)];
    while (left_ > 0) {
        --left_;
        auto const kind = random.below(100);
        if (kind < 60)
            co_await read(random, own);
        else if (kind < 85)
            co_await change(random, own);
        else if (present_.size() >= max_made || (kind < 90 && !present_.empty()))
            co_await remove(random);
        else
            co_await create();
    }
}

void Scene::run_all(std::vector<asio::awaitable<void>> stories) {
    for (auto& story : stories)
        asio::co_spawn(strand_, std::move(story), [](const std::exception_ptr& thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
    context_.restart();
    std::thread second([this] { context_.run_for(8min); });
    context_.run_for(8min);
    second.join();
}

void Scene::run() {
    std::vector<asio::awaitable<void>> stories;
    for (int i = 0; i < pace_.lanes; ++i)
        stories.push_back(lane(i));
    run_all(std::move(stories));
    requests_ = emulator_.request_count();
    injected_ = emulator_.faults().injected();
}

asio::awaitable<void> Scene::reconcile() {
    // What is under way still, lands.
    asio::steady_timer timer(co_await asio::this_coro::executor, 1s);
    co_await timer.async_wait(asio::use_awaitable);
    for (std::size_t found = 1; found > 0;) {
        found = 0;
        for (auto const& pending : pending_) {
            auto const done = co_await client_->async_reconcile(pending);
            found += done.value().removed().size();
        }
        reconciled_ += found;
    }
    for (auto const& uid : deleted_perhaps_) {
        auto const removed = co_await client_->async_remove(uid);
        if (!removed && !is_not_found(removed.error())) throw Exception(removed.error());
    }
}

void Scene::clean_up() {
    faults_->is_on = false;
    emulator_.faults().clear();
    std::vector<asio::awaitable<void>> stories;
    stories.push_back(reconcile());
    run_all(std::move(stories));
}

double Scene::injected_percent() const {
    return 100 * static_cast<double>(injected_) / static_cast<double>(requests_);
}

std::string Scene::summary() const {
    std::ostringstream out;
    out << seen_.ended << " operations, " << seen_.good << " good, " << seen_.of_effect(Effect::unknown)
        << " unknown, " << requests_ << " requests, " << injected_percent() << " % of them with a fault, "
        << rotations() << " rotations; failed:";
    for (auto const& [code, count] : seen_.codes)
        out << ' ' << count << " x " << code << ',';
    return out.str();
}

Scene::Uids Scene::delivered() const {
    return {present_.begin(), present_.end()};
}

Scene::Uids Scene::live() const {
    Uids uids;
    for (auto const& key : emulator_.keys())
        if (key.name.starts_with("made-")) uids.insert(key.uid);
    return uids;
}

int Scene::refused_values() {
    int refused = 0;
    for (auto const& uid : present_) {
        auto with_value = options();
        with_value.auth = auth::api_key(Secret(values_.at(uid).expose()));
        asio::io_context context;
        ApiKeyClient client(context, with_value);
        client.async_whoami([&](const Result<Identity>& who) { refused += who ? 0 : 1; });
        context.run();
    }
    return refused;
}

}  // namespace chaos
