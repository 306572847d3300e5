// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/record_envelope.hpp>
#include <palette/impl/lifecycle/started.hpp>
#include <palette/impl/lifecycle/watch/watch.hpp>
#include <palette/impl/system/atomic_file.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// Whether a filter has the condition ListFilter::state(): then it is as one to which that state is given.
inline bool has_state(const ListFilter& filter) {
    auto const states = {KeyState::active, KeyState::expired, KeyState::revoked};
    return std::ranges::any_of(states,
                               [&](KeyState state) { return ListFilter(filter).state(state) == filter; });
}

inline std::optional<Error> check(const palette::lifecycle::WatchOptions& options) {
    using std::chrono::milliseconds;
    // A century: what is added to the service's time stays a time that can be written.
    constexpr milliseconds longest = std::chrono::days{36'500};
    auto const is_bad = [=](milliseconds time) { return time < milliseconds(0) || time > longest; };
    if (options.thresholds().empty() || std::ranges::any_of(options.thresholds(), is_bad))
        return Error(errc::invalid_argument, "a threshold is needed, not negative, and a century at most")
            .path("thresholds");
    if (options.poll_interval() <= milliseconds(0) || options.poll_interval() > longest)
        return Error(errc::invalid_argument,
                     "a time between two looks is more than nothing, and a century "
                     "at most")
            .path("poll_interval");
    if (has_state(options.filter()))
        return Error(errc::invalid_argument, "a watch follows keys from one state to another")
            .path("filter")
            .advice("leave ListFilter::state() out: revoked keys have no events in any case");
    return std::nullopt;
}

inline RecordPlace place_of_state(const std::string& path) {
    return RecordPlace{"the state of the watch in " + files::shown(path),
                       "restore the file from a backup, or remove it: then thresholds that keys have passed "
                       "are reported once more"};
}

PALETTE_KEYS_INLINE Result<WatchFile> WatchFile::open(const std::string& path) {
    auto const place = files::place_of(path);
    auto directory = files::open_private_directory(place.directory);
    if (!directory) return std::move(directory.error());
    // Held as long as the watch: of two that share a file, each would overwrite what the other has told.
    auto lock = files::FileLock::try_lock(*directory, place.name + ".lock");
    if (!lock) return std::move(lock.error());
    return WatchFile(*std::move(directory), *std::move(lock), place.name);
}

PALETTE_KEYS_INLINE Result<std::optional<std::string>> WatchFile::load(const std::string& tenant_uid) const {
    auto const text = files::read_file(directory_, name_, max_size);
    if (!text) return text.error();
    if (!*text) return std::optional<std::string>();
    auto const place = place_of_state(directory_.path_of(name_));
    auto sealed = unseal("tenantUid", (*text)->expose(), place);
    if (!sealed) return std::move(sealed.error());
    if (!sealed->mark.is_string()) return place.damaged("is no state of a watch");
    // The keys of another tenant are in no list of this one, and would all be forgotten.
    if (sealed->mark.get_string() != tenant_uid)
        return Error(errc::conflict, place.name + " is of another tenant")
            .advice("use a file for each tenant");
    return std::optional(std::move(sealed->text));
}

PALETTE_KEYS_INLINE Result<void> WatchFile::save(const std::string& tenant_uid,
                                                 const std::string& text) const {
    auto const sealed = seal("tenantUid", {boost::json::value(tenant_uid), text}) + '\n';
    // Another process could not load it.
    if (sealed.size() > max_size)
        return Error(errc::too_large, place_of_state(directory_.path_of(name_)).name + " is larger than " +
                                          std::to_string(max_size) + " bytes")
            .advice("let several watches share the keys: WatchOptions::filter()");
    auto const written = files::replace_file(directory_, name_, sealed);
    // Written, but perhaps not for ever: an event that is reported twice after a crash is no harm.
    if (!written && written.error().effect() != Effect::applied) return written.error();
    return {};
}

PALETTE_KEYS_INLINE Watch::Watch(palette::lifecycle::WatchOptions options)
    : options_(std::move(options)),
      machine_(options_.thresholds()) {}

PALETTE_KEYS_INLINE Watch::~Watch() {
    // A program that ends a watch between two events has seen the first of them.
    try {
        static_cast<void>(save_rest());
    } catch (...) {  // NOLINT(bugprone-empty-catch): the events are told again
    }
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Watch::Event>> Watch::next(ApiKeyClient& client, End end) {
    // Whoever asks for the next event has handled the last one. A kill in between has it told again, and
    // never lost.
    if (is_given_out_) {
        auto const settled = settle(client);
        if (!settled) co_return settled.error();
    }
    auto const found = co_await await_event(client, *end);
    if (!found) {
        // What was handled before is kept, whatever has ended the wait. A file that cannot be written counts
        // more than that.
        auto const saved = save_rest();
        co_return saved ? found.error() : saved.error();
    }
    is_given_out_ = true;
    co_return machine_.event();
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Watch::run(ApiKeyClient& client, EventHandler handler,
                                                             End end) {
    auto ended = co_await handle_events(client, handler, *end);
    // As above: a cancellation is expected, and an error of the file is not.
    auto saved = save_rest();
    if (!saved) co_return saved;
    co_return ended;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Watch::handle_events(ApiKeyClient& client,
                                                                       const EventHandler& handler,
                                                                       const RunEnd& end) {
    if (is_given_out_) {
        auto const settled = settle(client);
        if (!settled) co_return settled.error();
    }
    for (;;) {
        auto const found = co_await await_event(client, end);
        if (!found) co_return found.error();
        auto const handled = co_await guarded(handler, machine_.event());
        if (handled) {
            auto const settled = settle(client);
            if (!settled) co_return settled.error();
            continue;
        }
        // The handler was interrupted, which is no failure of its own: its event stays the first.
        if (end.has_come()) co_return end.error("watch");
        // A look finds the event again, if the key still is as it was. The other keys do not wait for that.
        machine_.defer();
        if (options_.on_error()) options_.on_error()(handled.error());
        look_again_for_handler(client.now());
    }
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Watch::await_event(ApiKeyClient& client,
                                                                     const RunEnd& end) {
    if (auto fault = check(options_)) co_return fault->operation("watch");
    for (;;) {
        if (end.has_come()) co_return end.error("watch");
        if (machine_.has_event()) co_return Result<void>();
        // Before a wait of an hour, in which the process may be killed.
        auto const saved = save_rest();
        if (!saved) co_return saved.error();
        // A program may cancel the wait, and call once more: the look is due when it was.
        if (auto const pause = pause_before_look(client.now()); pause.count() > 0) {
            auto const waited = co_await client.async_wait(pause);
            if (!waited) co_return waited.error();
        }
        // An error of an earlier operation says nothing about this look.
        is_of_file_ = false;
        // Not one expression with a condition: g++ 12 destroys its result twice.
        auto looked = co_await begin(client);
        if (looked) looked = co_await look(client);
        if (looked) {
            look_again_after(client.now(), options_.poll_interval());
            // One look without an error of a handler, and all that it found is handled.
            if (!std::exchange(has_handler_failed_, false)) handler_failures_ = 0;
            continue;
        }
        // What the service says may pass. What is wrong with the file does not.
        auto const code = looked.error().code();
        if (is_of_file_ || code == errc::operation_aborted || code == errc::invalid_argument)
            co_return looked.error();
        if (options_.on_error()) options_.on_error()(looked.error());
        look_again_after(client.now(), back_off(service_failures_));
    }
}

PALETTE_KEYS_INLINE void Watch::look_again_after(Instant now, std::chrono::milliseconds pause) {
    pause_ = pause;
    next_look_ = now + pause;
}

// Several keys whose events fail after one look count as one failure, and the earliest time counts.
PALETTE_KEYS_INLINE void Watch::look_again_for_handler(Instant now) {
    if (std::exchange(has_handler_failed_, true)) return;
    auto const pause = back_off(handler_failures_);
    if (pause < pause_before_look(now)) look_again_after(now, pause);
}

// A clock that is set back does not make it longer.
PALETTE_KEYS_INLINE std::chrono::milliseconds Watch::pause_before_look(Instant now) const {
    return next_look_ ? std::min(*next_look_ - now, pause_) : std::chrono::milliseconds(0);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Watch::begin(ApiKeyClient& client) {
    if (has_begun_) co_return Result<void>();
    // First the tenant, for the file says whose state it is.
    if (tenant_uid_.empty()) {
        auto const caller = co_await client.async_whoami();
        if (!caller) co_return caller.error();
        tenant_uid_ = caller->tenant_uid;
    }
    if (!options_.state_file().empty()) {
        is_of_file_ = true;
        auto file = WatchFile::open(options_.state_file());
        if (!file) co_return std::move(file.error());
        auto const text = file->load(tenant_uid_);
        if (!text) co_return text.error();
        if (*text) {
            auto const restored = machine_.restore(**text);
            if (!restored) co_return place_of_state(options_.state_file()).damaged(restored.error().what());
        }
        file_.emplace(*std::move(file));
        is_of_file_ = false;
    }
    // From here on the memory knows more than the file, which is not read once more.
    has_begun_ = true;
    co_return Result<void>();
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Watch::look(ApiKeyClient& client) {
    auto filter = options_.filter();
    // Most keys of a tenant are far from their end, and are not kept.
    filter.expires_within(machine_.horizon());
    auto const keys = co_await client.async_list(std::move(filter));
    if (!keys) co_return keys.error();
    service_failures_ = 0;
    machine_.saw(*keys);
    // What passes a threshold while no process runs is told from what had passed it before.
    co_return save_now(client);
}

PALETTE_KEYS_INLINE Result<void> Watch::settle(const ApiKeyClient& client) {
    using namespace std::chrono_literals;
    is_given_out_ = false;
    machine_.settle();
    is_unsaved_ = true;
    // The whole state is written each time, and the thread waits for the disk: of ten thousand events that
    // are due at once, each would write ten thousand keys.
    auto const now = client.now();
    bool const is_recent = saved_at_ && now >= *saved_at_ && now - *saved_at_ < 1s;
    return is_recent ? Result<void>() : save_now(client);
}

PALETTE_KEYS_INLINE Result<void> Watch::save_now(const ApiKeyClient& client) {
    is_unsaved_ = true;
    auto saved = save_rest();
    // When it was done: a disk may take longer than that second.
    if (saved) saved_at_ = client.now();
    return saved;
}

PALETTE_KEYS_INLINE Result<void> Watch::save_rest() {
    if (!is_unsaved_) return {};
    auto saved = file_ ? file_->save(tenant_uid_, machine_.to_text()) : Result<void>();
    is_of_file_ = !saved;
    is_unsaved_ = !saved;
    return saved;
}

PALETTE_KEYS_INLINE std::chrono::milliseconds Watch::back_off(int& failures) const {
    using namespace std::chrono_literals;
    // From half a minute on, doubled up to the time between two looks. Twelve keep the shift in its range,
    // and are 17 hours.
    failures = std::min(failures + 1, 12);
    return std::min<std::chrono::milliseconds>(30s * (1 << (failures - 1)), options_.poll_interval());
}

// These two hold the watch: the ExpiryWatch may be moved or destroyed while the operation is under way.
inline asio::awaitable<Result<palette::lifecycle::ExpiryEvent>> next_of(std::shared_ptr<Watch> watch,
                                                                        ApiKeyClient& client,
                                                                        Watch::End end) {
    co_return co_await watch->next(client, std::move(end));
}

inline asio::awaitable<Result<void>> run_watch(std::shared_ptr<Watch> watch, ApiKeyClient& client,
                                               Watch::EventHandler handler, Watch::End end) {
    co_return co_await watch->run(client, std::move(handler), std::move(end));
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE ExpiryWatch::ExpiryWatch(ApiKeyClient& client, WatchOptions options)
    : client_(&client),
      watch_(std::make_shared<impl::lifecycle::Watch>(std::move(options))) {}

PALETTE_KEYS_INLINE ExpiryWatch::ExpiryWatch(ExpiryWatch&&) noexcept = default;
PALETTE_KEYS_INLINE ExpiryWatch& ExpiryWatch::operator=(ExpiryWatch&&) noexcept = default;
PALETTE_KEYS_INLINE ExpiryWatch::~ExpiryWatch() = default;

PALETTE_KEYS_INLINE void ExpiryWatch::start_next(
    boost::asio::any_completion_handler<void(Result<ExpiryEvent>)> handler) {
    auto const started =
        std::make_shared<impl::lifecycle::Started<ExpiryEvent>>(*client_, std::move(handler));
    started->spawn(std::bind_front(&impl::lifecycle::next_of, watch_, std::ref(*client_), started->end()));
}

PALETTE_KEYS_INLINE void ExpiryWatch::start_run(
    boost::asio::any_completion_handler<void(Result<void>)> handler, EventHandler function) {
    auto const started = std::make_shared<impl::lifecycle::Started<void>>(*client_, std::move(handler));
    started->spawn(std::bind_front(&impl::lifecycle::run_watch, watch_, std::ref(*client_),
                                   std::move(function), started->end()));
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const ExpiryEvent& event) {
    using palette::detail::printable;
    return out << "ExpiryEvent of key " << printable(event.key.uid) << ' '
               << palette::detail::in_quotes(event.key.name) << ": expires at " << event.key.expiry
               << ", threshold " << event.threshold.count() / 1'000 << " s"
               << (event.superseded ? ", superseded" : "");
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
