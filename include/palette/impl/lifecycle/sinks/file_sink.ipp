// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/sinks/sink_state.hpp>
#include <palette/impl/lifecycle/stores/lock_wait.hpp>
#include <palette/impl/system/atomic_file.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/lifecycle/secret_sink.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace impl::lifecycle {

inline constexpr std::size_t max_value_size = std::size_t{64} << 10;
inline constexpr std::size_t max_state_size = std::size_t{64} << 10;

// The files of a sink, while their lock is held.
//
// Each change is a row of steps, and after each of them settled() tells from the files what the sink holds:
// stage() writes the value and then the state; promote() copies the current value, renames the pending one,
// and then writes the state; discard() removes the value and then writes the state. A value that a kill left
// in a file without a place in the state is removed by the next change.
class SinkFiles {
public:
    // errc::conflict: another process holds the lock.
    static Result<SinkFiles> open(const std::string& path);

    Result<sinks::Receipt> stage(const sinks::Receipt& wanted, const Secret& secret);
    Result<Secret> read_back(const sinks::Receipt& receipt) const;
    Result<void> promote(const sinks::Receipt& receipt, std::optional<std::uint64_t> expected_current);
    Result<void> discard(const sinks::Receipt& receipt);
    [[nodiscard]] sinks::SinkContents contents() const { return state_.contents(); }

private:
    SinkFiles(files::Directory directory, files::FileLock lock, const std::string& name)
        : directory_(std::move(directory)),
          lock_(std::move(lock)),
          current_(name),
          pending_(name + ".pending"),
          previous_(name + ".previous"),
          json_(name + ".json") {}

    Result<void> read_state();
    Result<std::optional<std::string>> digest_in(const std::string& name) const;
    [[nodiscard]] std::string_view value_in(std::string_view text) const;
    // Ends what a kill has interrupted, and removes what it has left over.
    Result<void> settle();
    Result<void> write_state(SinkState state);
    [[nodiscard]] Error error(errc code, const std::string& what) const {
        return files::error(code, directory_.path_of(current_), what);
    }

    files::Directory directory_;
    files::FileLock lock_;
    std::string current_, pending_, previous_, json_;  // names of files
    bool has_state_ = false;                           // whether there is a file of the state
    SinkState written_;
    SinkState state_;  // what the sink really holds
    FoundValues found_;
};

inline Result<SinkFiles> SinkFiles::open(const std::string& path) {
    if (auto fault = files::path_error(errc::invalid_argument, path)) return *std::move(fault);
    auto const place = files::place_of(path);
    if (place.name.empty() || place.name == "." || place.name == "..")
        return files::error(errc::invalid_argument, path, "is a directory");
    auto directory = files::open_private_directory(place.directory);
    if (!directory) return directory.error();
    // Before anything is read, which would be true for a moment only.
    auto lock = files::FileLock::try_lock(*directory, place.name + ".lock");
    if (!lock) return lock.error();
    SinkFiles opened(*std::move(directory), *std::move(lock), place.name);
    if (auto read = opened.read_state(); !read) return read.error();
    return opened;
}

inline Result<void> SinkFiles::read_state() {
    auto const text = files::read_file(directory_, json_, max_state_size);
    if (!text) return text.error();
    has_state_ = text->has_value();
    if (has_state_) {
        auto read = sink_state_of((*text)->expose());
        if (!read)
            return files::error(
                errc::invalid_argument, directory_.path_of(json_),
                "is damaged: " + read.error().what() + "; restore it from a backup, or move it " +
                    "away: then the value in " + files::shown(directory_.path_of(current_)) +
                    " counts as generation 0, and the pending and the previous one as unknown");
        written_ = *std::move(read);
    } else {
        // A sink that was never used may have a value all the same, which somebody has put there.
        written_ = new_sink_state();
    }
    struct File {
        const std::string* name;
        std::optional<std::string>* digest;
    };
    for (auto const& [name, digest] : {File{&current_, &found_.current}, File{&pending_, &found_.pending},
                                       File{&previous_, &found_.previous}}) {
        auto read = digest_in(*name);
        if (!read) return read.error();
        *digest = *std::move(read);
    }
    // In memory alone: a look changes no file, and the next change writes down what was found.
    state_ = settled(written_, found_);
    return {};
}

inline Result<std::optional<std::string>> SinkFiles::digest_in(const std::string& name) const {
    auto const text = files::read_file(directory_, name, max_value_size);
    if (!text) return text.error();
    if (!*text) return std::optional<std::string>();
    // Of each value only the digest is kept: the value is in memory no longer than it takes to read it.
    return std::optional(digest_of(written_, value_in((*text)->expose())));
}

// The text of a file, without a line end that a person's editor or shell has put behind a value of this sink.
inline std::string_view SinkFiles::value_in(std::string_view text) const {
    auto const is_known = [this](std::string_view value) {
        auto const digest = digest_of(written_, value);
        auto const is_it = [&digest](const std::optional<StoredValue>& stored) {
            return stored && stored->digest == digest;
        };
        return is_it(written_.current) || is_it(written_.pending) || is_it(written_.previous);
    };
    if (!text.ends_with('\n') || is_known(text)) return text;
    auto line = text.substr(0, text.size() - 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return is_known(line) ? line : text;
}

inline Result<void> SinkFiles::write_state(SinkState state) {
    auto written = files::replace_file(directory_, json_, to_text(state));
    if (!written) return written;
    has_state_ = true;
    written_ = state;
    state_ = std::move(state);
    return {};
}

inline Result<void> SinkFiles::settle() {
    // Before its first change a sink has nothing of its own in the directory but what a killed one left.
    if (has_state_ && state_ != written_)
        if (auto written = write_state(state_); !written) return written;
    // The current value has no temporary file: it comes by a rename of the pending one.
    for (auto const* const name : {&pending_, &previous_, &json_})
        if (auto removed = files::remove_file(directory_, files::temporary_name(*name)); !removed)
            return removed;
    if (!has_state_) return {};
    if (found_.pending && !state_.pending)
        if (auto removed = files::remove_file(directory_, pending_); !removed) return removed;
    if (found_.previous && !state_.previous)
        if (auto removed = files::remove_file(directory_, previous_); !removed) return removed;
    return {};
}

inline Result<sinks::Receipt> SinkFiles::stage(const sinks::Receipt& wanted, const Secret& secret) {
    if (secret.empty()) return error(errc::invalid_argument, "is not written: the value is empty");
    if (secret.size() > max_value_size)
        return error(errc::invalid_argument, "is not written: the value is larger than 64 KiB");
    for (auto const* const text : {&wanted.rotation_id, &wanted.key_uid})
        if (detail::valid_utf8_prefix(*text) != text->size())
            return error(errc::invalid_argument, "is not written: an id of the value is not UTF-8");

    if (auto done = settle(); !done) return done.error();
    // Staged once more after a kill or a lost answer: the receipt stays the same, for a record may hold it.
    auto const digest = digest_of(state_, secret.expose());
    if (state_.pending && state_.pending->digest == digest) {
        auto const& held = state_.pending->receipt;
        if (held.rotation_id == wanted.rotation_id && held.key_uid == wanted.key_uid &&
            held.expiry == wanted.expiry)
            return held;
    }

    // First, so that the value has an owner wherever a kill comes.
    if (!has_state_)
        if (auto done = write_state(state_); !done) return done.error();
    if (auto done = files::replace_file(directory_, pending_, secret.expose()); !done) return done.error();
    auto next = state_;
    next.pending.emplace(wanted, digest);
    // A number that no other value has had, also none that was replaced before it was promoted: who holds an
    // old receipt must not find another value by it.
    next.pending->receipt.generation = ++next.last_generation;
    if (auto done = write_state(std::move(next)); !done) return done.error();
    return state_.pending->receipt;
}

inline Result<Secret> SinkFiles::read_back(const sinks::Receipt& receipt) const {
    auto const is_in = [&receipt](const std::optional<StoredValue>& value) {
        return value && same_value(value->receipt, receipt);
    };
    auto const* const name = is_in(state_.current)    ? &current_
                             : is_in(state_.pending)  ? &pending_
                             : is_in(state_.previous) ? &previous_
                                                      : nullptr;
    auto const missing = [&] {
        return error(errc::not_found, "holds no value of generation " + std::to_string(receipt.generation));
    };
    if (name == nullptr) return missing();
    auto text = files::read_file(directory_, *name, max_value_size);
    if (!text) return text.error();
    // The lock does not keep other programs from removing the file since its digest was taken.
    if (!*text) return missing();
    return Secret(value_in((*text)->expose()));
}

inline Result<void> SinkFiles::promote(const sinks::Receipt& receipt,
                                       std::optional<std::uint64_t> expected_current) {
    if (auto done = settle(); !done) return done;
    // Before the comparison, which a promotion that is repeated after a lost answer would fail.
    if (state_.current && same_value(state_.current->receipt, receipt)) return {};
    auto const found =
        state_.current ? std::optional(state_.current->receipt.generation) : std::optional<std::uint64_t>();
    if (found != expected_current) {
        auto const name = [](std::optional<std::uint64_t> generation) {
            return generation ? "generation " + std::to_string(*generation) : std::string("none");
        };
        return error(errc::conflict, "is not replaced: the current value is that of " + name(found) +
                                         ", not of " + name(expected_current));
    }
    if (!state_.pending || !same_value(state_.pending->receipt, receipt))
        return error(errc::not_found,
                     "holds no pending value of generation " + std::to_string(receipt.generation));

    auto next = state_;
    next.current = std::exchange(next.pending, std::nullopt);
    next.previous = state_.current;
    // Copied and not renamed: whoever opens the path finds a value at every moment.
    if (state_.current) {
        // If somebody else has written the file meanwhile, that value has generation 0 too.
        auto const value = files::read_file(directory_, current_, max_value_size);
        if (!value) return value.error();
        if (*value)
            if (auto done = files::replace_file(directory_, previous_, (*value)->expose()); !done)
                return done;
    }
    // The promotion is this one step. What fails afterwards is made up for by the next change.
    if (auto done = files::rename_file(directory_, pending_, current_); !done) return done;
    if (auto done = write_state(std::move(next)); !done) return Error(done.error()).effect(Effect::applied);
    if (!state_.previous && found_.previous) return files::remove_file(directory_, previous_);
    return {};
}

inline Result<void> SinkFiles::discard(const sinks::Receipt& receipt) {
    if (auto done = settle(); !done) return done;
    if (state_.current && same_value(state_.current->receipt, receipt))
        return error(errc::conflict, "is not removed: generation " + std::to_string(receipt.generation) +
                                         " is the current value");
    struct Value {
        std::optional<StoredValue> SinkState::* value;
        const std::string* name;
    };
    for (auto const& [value, name] :
         {Value{&SinkState::pending, &pending_}, Value{&SinkState::previous, &previous_}}) {
        auto next = state_;
        if (!(next.*value) || !same_value((next.*value)->receipt, receipt)) continue;
        // The file before the state: a kill in between leaves a state that names a value without a file,
        // which is not held. The other way round, the value would lie there without an owner.
        if (auto done = files::remove_file(directory_, *name); !done) return done;
        (next.*value).reset();
        if (auto done = write_state(std::move(next)); !done) return done;
    }
    return {};
}

class FileSink : public sinks::SecretSink {
public:
    explicit FileSink(std::string path) : path_(std::move(path)) {}

    boost::asio::awaitable<Result<sinks::Receipt>> stage(std::string rotation_id, std::string key_uid,
                                                         Expiry expiry, const Secret& secret) override {
        sinks::Receipt wanted(0, std::move(rotation_id), std::move(key_uid), expiry);
        return locked<sinks::Receipt>(
            path_, [wanted, &secret](SinkFiles& files) { return files.stage(wanted, secret); });
    }
    boost::asio::awaitable<Result<Secret>> read_back(sinks::Receipt receipt) override {
        return locked<Secret>(path_, [receipt](SinkFiles& files) { return files.read_back(receipt); });
    }
    boost::asio::awaitable<Result<void>> promote(sinks::Receipt receipt,
                                                 std::optional<std::uint64_t> expected_current) override {
        return locked<void>(path_, [receipt, expected_current](SinkFiles& files) {
            return files.promote(receipt, expected_current);
        });
    }
    boost::asio::awaitable<Result<void>> discard(sinks::Receipt receipt) override {
        return locked<void>(path_, [receipt](SinkFiles& files) { return files.discard(receipt); });
    }
    boost::asio::awaitable<Result<sinks::SinkContents>> contents() override {
        return locked<sinks::SinkContents>(
            path_, [](SinkFiles& files) { return Result<sinks::SinkContents>(files.contents()); });
    }

private:
    // Does the work under the lock. Who holds it does so for milliseconds, so it is tried again soon.
    // Its arguments are values: the coroutine begins when the temporaries of its caller may be gone.
    template <class T>
    static boost::asio::awaitable<Result<T>> locked(std::string path,
                                                    std::function<Result<T>(SinkFiles&)> work) {
        namespace asio = boost::asio;
        asio::steady_timer timer(co_await asio::this_coro::executor);
        auto const end = std::chrono::steady_clock::now() + max_lock_wait;
        std::chrono::milliseconds wait{1};
        for (;;) {
            // Opened for each call: the directory may be another one by now, and another process may have
            // changed the files.
            auto opened = SinkFiles::open(path);
            if (opened) co_return work(*opened);
            if (opened.error().code() != errc::conflict) co_return std::move(opened).error();
            if (std::chrono::steady_clock::now() >= end) co_return lock_timeout(opened.error());
            // A cancellation ends the wait for the lock, and never the work, half of which helps nobody.
            auto const state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                co_return Error(errc::operation_aborted, std::move(opened).error().what());
            timer.expires_after(wait);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
            wait = std::min(2 * wait, std::chrono::milliseconds{50});
        }
    }

    std::string path_;
};

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::shared_ptr<SecretSink> file_sink(std::string path) {
    return std::make_shared<impl::lifecycle::FileSink>(std::move(path));
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
