// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/slot_check.hpp>
#include <palette/impl/system/atomic_file.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/lifecycle/rotation_store.hpp>

#include <openssl/evp.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// The SHA-256 of a text, in hexadecimal digits.
inline std::string digest_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    if (::EVP_Digest(text.data(), text.size(), bytes.data(), &size, ::EVP_sha256(), nullptr) != 1)
        throw Exception(Error(errc::system, "OpenSSL has no SHA-256"));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15U];
    }
    return out;
}

// A record as it lies in its file: a line of JSON with a checksum over all that can change.
inline std::string to_file(const palette::lifecycle::StoredRecord& record) {
    boost::json::object const file{
        {"schema", 1},
        {"version", static_cast<std::int64_t>(record.version)},
        {"sha256", digest_of(std::to_string(record.version) + '\n' + record.text)},
        {"record", record.text},
    };
    return boost::json::serialize(file) + '\n';
}

inline Error damaged(const std::string& path, const std::string& what) {
    return Error(errc::bad_value, "the record in " + files::shown(path) + ' ' + what)
        .advice(
            "restore the file from a backup, or look which keys of the slot exist, and then remove the file");
}

inline Result<palette::lifecycle::StoredRecord> from_file(const std::string& path, std::string_view text) {
    if (text.empty()) return damaged(path, "is empty");
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({text.data(), text.size()}, ec);
    auto const* const file = ec ? nullptr : parsed.if_object();
    if (file == nullptr) return damaged(path, "is torn, or is no record");
    auto const* const schema = file->if_contains("schema");
    if (schema != nullptr && schema->is_int64() && schema->get_int64() > 1)
        return Error(errc::bad_value, "the record in " + files::shown(path) + " has a newer schema, " +
                                          std::to_string(schema->get_int64()))
            .path("schema")
            .advice("use the version of the library that wrote it, or a newer one");
    auto const* const version = file->if_contains("version");
    auto const* const digest = file->if_contains("sha256");
    auto const* const record = file->if_contains("record");
    if (schema == nullptr || version == nullptr || digest == nullptr || record == nullptr ||
        !version->is_int64() || version->get_int64() <= 0 || !digest->is_string() || !record->is_string())
        return damaged(path, "is no record");
    palette::lifecycle::StoredRecord stored(static_cast<std::uint64_t>(version->get_int64()),
                                            std::string(record->get_string()));
    if (digest->get_string() != digest_of(std::to_string(stored.version) + '\n' + stored.text))
        return damaged(path, "was changed: its checksum is another");
    return stored;
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
        auto guard = files::FileLock::try_lock(*directory, slot + ".save");
        if (!guard) co_return std::move(guard.error());
        auto const name = slot + ".json";
        auto const stored = load_from(*directory, name);
        if (!stored) co_return stored.error();
        if (stored->version != expected_version)
            co_return Error(errc::conflict, "another rotation has changed the record of the slot").path(slot);
        palette::lifecycle::StoredRecord const next(expected_version + 1, std::move(text));
        auto const written = files::replace_file(*directory, name, to_file(next));
        if (!written && written.error().effect() != Effect::applied) co_return written.error();
        co_return next.version;
    }

private:
    [[nodiscard]] Result<files::Directory> open(const std::string& slot) const {
        if (!is_slot_name(slot))
            return Error(errc::invalid_argument, "this cannot be the name of a slot").path("slot");
        return files::open_private_directory(directory_);
    }

    static Result<palette::lifecycle::StoredRecord> load_from(const files::Directory& directory,
                                                              const std::string& name) {
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
