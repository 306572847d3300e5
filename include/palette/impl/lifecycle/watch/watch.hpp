// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/lifecycle/watch/watch_machine.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/lifecycle/watch.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

namespace asio = boost::asio;

// The file in which a watch keeps its state, under a lock that ends with this object.
class WatchFile {
public:
    static constexpr std::size_t max_size = std::size_t{64} << 20;

    static Result<WatchFile> open(const std::string& path);

    // Nothing if there is no file yet. errc::conflict: it is another tenant's.
    Result<std::optional<std::string>> load(const std::string& tenant_uid) const;
    // errc::too_large: more than max_size.
    Result<void> save(const std::string& tenant_uid, const std::string& text) const;

private:
    WatchFile(files::Directory directory, files::FileLock lock, std::string name)
        : directory_(std::move(directory)),
          lock_(std::move(lock)),
          name_(std::move(name)) {}

    files::Directory directory_;
    files::FileLock lock_;
    std::string name_;
};

// Does what a WatchMachine needs: looks, waits, and keeps its state.
class Watch {
public:
    using Event = palette::lifecycle::ExpiryEvent;
    using EventHandler = palette::lifecycle::ExpiryWatch::EventHandler;
    using End = std::shared_ptr<const RunEnd>;

    explicit Watch(palette::lifecycle::WatchOptions options);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    asio::awaitable<Result<Event>> next(ApiKeyClient& client, End end);
    asio::awaitable<Result<void>> run(ApiKeyClient& client, EventHandler handler, End end);

private:
    asio::awaitable<Result<void>> handle_events(ApiKeyClient& client, const EventHandler& handler,
                                                const RunEnd& end);
    // Returns when the machine has an event.
    asio::awaitable<Result<void>> await_event(ApiKeyClient& client, const RunEnd& end);
    asio::awaitable<Result<void>> begin(ApiKeyClient& client);
    asio::awaitable<Result<void>> look(ApiKeyClient& client);
    // The event was handled. Saves, unless that was done within a second.
    Result<void> settle(const ApiKeyClient& client);
    Result<void> save_now(const ApiKeyClient& client);
    // Saves what is not saved yet.
    Result<void> save_rest();
    void look_again_after(Instant now, std::chrono::milliseconds pause);
    void look_again_for_handler(Instant now);
    [[nodiscard]] std::chrono::milliseconds pause_before_look(Instant now) const;
    // How long to wait after one more failure in a row.
    std::chrono::milliseconds back_off(int& failures) const;

    palette::lifecycle::WatchOptions options_;
    WatchMachine machine_;
    std::string tenant_uid_;
    std::optional<WatchFile> file_;
    bool has_begun_ = false;
    bool is_given_out_ = false;  // the machine's first event
    bool is_of_file_ = false;    // the last error
    bool is_unsaved_ = false;    // what was seen or handled last
    std::optional<Instant> saved_at_;
    std::chrono::milliseconds pause_{};
    std::optional<Instant> next_look_;
    int service_failures_ = 0;         // in a row
    int handler_failures_ = 0;         // looks in a row after which a handler failed
    bool has_handler_failed_ = false;  // since the last look
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
