// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/record_envelope.hpp>
#include <palette/impl/lifecycle/stores/lock_wait.hpp>
#include <palette/impl/lifecycle/stores/slot_check.hpp>
#include <palette/impl/system/atomic_file.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/lifecycle/rotation_store.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

inline std::string to_file(const palette::lifecycle::StoredRecord& record) {
    return seal("version", {static_cast<std::int64_t>(record.version), record.text}) + '\n';
}

inline Result<palette::lifecycle::StoredRecord> from_file(const std::string& path, std::string_view text) {
    RecordPlace const place{
        "the record in " + files::shown(path),
        "restore the file from a backup, or look which keys of the slot exist, and then remove the file"};
    auto sealed = unseal("version", text, place);
    if (!sealed) return std::move(sealed.error());
    // Version 0 says that there is no record, so that none is stored with it.
    if (!sealed->mark.is_int64() || sealed->mark.get_int64() <= 0) return place.damaged("is no record");
    return palette::lifecycle::StoredRecord(static_cast<std::uint64_t>(sealed->mark.get_int64()),
                                            std::move(sealed->text));
}

class LockedSlot final : public palette::lifecycle::SlotLock {
public:
    explicit LockedSlot(files::FileLock lock) noexcept : lock_(std::move(lock)) {}

private:
    files::FileLock lock_;
};

class FileStore final : public palette::lifecycle::RotationStore {
public:
    explicit FileStore(std::string directory) : directory_(std::move(directory)) {}

    asio::awaitable<Result<std::shared_ptr<palette::lifecycle::SlotLock>>> lock(std::string slot) override {
        auto const directory = open(slot);
        if (!directory) co_return directory.error();
        auto lock = files::FileLock::try_lock(*directory, slot + ".lock");
        if (!lock) co_return std::move(lock.error());
        std::shared_ptr<palette::lifecycle::SlotLock> held = std::make_shared<LockedSlot>(std::move(*lock));
        co_return held;
    }

    asio::awaitable<Result<palette::lifecycle::StoredRecord>> load(std::string slot) override {
        auto const directory = open(slot);
        if (!directory) co_return directory.error();
        co_return load_from(*directory, slot + ".json");
    }

    asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                std::uint64_t expected_version) override {
        auto const directory = open(slot);
        if (!directory) co_return directory.error();
        // The lock of the slot is held by whoever rotates. This one is for two who do not know of each other,
        // between the look at the version and the change.
        auto const guard = co_await lock_for_a_save(*directory, slot + ".save");
        if (!guard) co_return guard.error();
        auto const name = slot + ".json";
        auto const stored = load_from(*directory, name);
        if (!stored) co_return stored.error();
        // Whoever comes second has the record of a slot that has gone on: what it decided is not true any
        // more.
        if (stored->version != expected_version)
            co_return Error(errc::conflict, "another rotation has changed the record of the slot").path(slot);
        palette::lifecycle::StoredRecord const next(expected_version + 1, std::move(text));
        auto const written = files::replace_file(*directory, name, to_file(next));
        // A record that is in place and may be lost in a crash of the machine counts as stored: an error
        // would have the caller expect the old version.
        if (!written && written.error().effect() != Effect::applied) co_return written.error();
        co_return next.version;
    }

private:
    [[nodiscard]] Result<files::Directory> open(const std::string& slot) const {
        if (!is_slot_name(slot))
            return Error(errc::invalid_argument, "this cannot be the name of a slot").path("slot");
        return files::open_private_directory(directory_);
    }

    // Whoever holds it does so for milliseconds, and it says nothing about the version.
    static asio::awaitable<Result<files::FileLock>> lock_for_a_save(const files::Directory& directory,
                                                                    std::string name) {
        using namespace std::chrono_literals;
        asio::steady_timer timer(co_await asio::this_coro::executor);
        auto const end = std::chrono::steady_clock::now() + max_lock_wait;
        for (std::chrono::milliseconds wait = 1ms;;
             wait = std::min<std::chrono::milliseconds>(2 * wait, 50ms)) {
            auto lock = files::FileLock::try_lock(directory, name);
            if (lock || lock.error().code() != errc::conflict) co_return lock;
            if (std::chrono::steady_clock::now() >= end) co_return lock_timeout(lock.error());
            timer.expires_after(wait);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    static Result<palette::lifecycle::StoredRecord> load_from(const files::Directory& directory,
                                                              const std::string& name) {
        // A record has some kilobytes, and one leftover adds a few hundred bytes: what is larger is no
        // record.
        constexpr auto max_size = std::size_t{1} << 20;
        auto const text = files::read_file(directory, name, max_size);
        if (!text) return text.error();
        if (!*text) return palette::lifecycle::StoredRecord();
        return from_file(directory.path_of(name), (*text)->expose());
    }

    std::string directory_;
};

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::shared_ptr<RotationStore> file_store(std::string directory) {
    return std::make_shared<impl::lifecycle::FileStore>(std::move(directory));
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
