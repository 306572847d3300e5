// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/secret_sink.hpp>

#include <sys/mman.h>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// A sink in memory that forked processes share: what one of them has stored, the others find. At most one of
// them runs at a time.
class SharedSink final : public palette::lifecycle::SecretSink {
    using Receipt = palette::lifecycle::Receipt;
    template <class T>
    using Awaitable = boost::asio::awaitable<palette::Result<T>>;

public:
    SharedSink() : places_(map()) {}

    Awaitable<Receipt> stage(std::string rotation_id, std::string key_uid, palette::Expiry expiry,
                             const palette::Secret& secret) override {
        auto& pending = places_->pending;
        auto const is_repeated = pending.is_used && pending.rotation_id.text() == rotation_id;
        if (!is_repeated) pending.generation = ++places_->last_generation;
        pending.rotation_id = rotation_id;
        pending.key_uid = key_uid;
        pending.expiry = expiry.to_string();
        pending.value = secret.expose();
        pending.is_used = true;
        co_return pending.receipt();
    }
    Awaitable<palette::Secret> read_back(Receipt receipt) override {
        for (auto const* const place : {&places_->current, &places_->pending, &places_->previous})
            if (place->is_used && place->generation == receipt.generation)
                co_return palette::Secret(place->value.text());
        co_return palette::Error(palette::errc::not_found, "the sink does not hold the value");
    }
    Awaitable<void> promote(Receipt receipt, std::optional<std::uint64_t> expected) override {
        auto& current = places_->current;
        if (current.is_used && current.generation == receipt.generation) co_return palette::Result<void>();
        auto const found = current.is_used ? std::optional(current.generation) : std::nullopt;
        if (found != expected) co_return palette::Error(palette::errc::conflict, "another value is current");
        if (!places_->pending.is_used || places_->pending.generation != receipt.generation)
            co_return palette::Error(palette::errc::not_found, "the value is not pending");
        places_->previous = current;
        current = places_->pending;
        places_->pending.is_used = false;
        co_return palette::Result<void>();
    }
    Awaitable<void> discard(Receipt receipt) override {
        for (auto* const place : {&places_->pending, &places_->previous})
            if (place->generation == receipt.generation) place->is_used = false;
        co_return palette::Result<void>();
    }
    Awaitable<palette::lifecycle::SinkContents> contents() override {
        palette::lifecycle::SinkContents contents;
        if (places_->current.is_used) contents.current = places_->current.receipt();
        if (places_->pending.is_used) contents.pending = places_->pending.receipt();
        if (places_->previous.is_used) contents.previous = places_->previous.receipt();
        co_return contents;
    }

private:
    class Text {
    public:
        Text& operator=(std::string_view text) {
            size_ = text.copy(bytes_.data(), bytes_.size());
            return *this;
        }
        [[nodiscard]] std::string text() const { return {bytes_.data(), size_}; }

    private:
        std::array<char, 256> bytes_;
        std::size_t size_;
    };
    struct Place {
        [[nodiscard]] Receipt receipt() const {
            return {generation, rotation_id.text(), key_uid.text(),
                    palette::Expiry::parse(expiry.text()).value()};
        }
        bool is_used;
        std::uint64_t generation;
        Text rotation_id;
        Text key_uid;
        Text expiry;
        Text value;
    };
    // All zero at first.
    struct Places {
        Place current;
        Place pending;
        Place previous;
        std::uint64_t last_generation;
    };

    static std::shared_ptr<Places> map() {
        auto* const memory =
            ::mmap(nullptr, sizeof(Places), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        return {static_cast<Places*>(memory), [](Places* places) { ::munmap(places, sizeof(Places)); }};
    }

    std::shared_ptr<Places> places_;
};
