// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/api_key.hpp>
#include <palette/client.hpp>
#include <palette/http_transport.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/crash_seams.ipp>
#include <palette/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

// One process that owns a slot: a clock, a client, a sink and a store of its own. What it waits for on its
// clock comes at once.
class Process {
public:
    using Rotation = lifecycle::Rotation;

    Process(Emulator& emulator, std::shared_ptr<ManualClock> clock, const lifecycle::Slot& slot,
            Interruption interruption, std::shared_ptr<Testimony> testimony)
        : clock_(std::move(clock)),
          interrupter_(std::make_shared<Interrupter>(
              std::move(interruption), emulator,
              Witness(std::move(testimony), slot.sink()->capabilities().readable))),
          real_sink_(slot.sink()),
          options_(options_for(emulator)),
          slot_(slot.name(), std::make_shared<ExploredSink>(slot.sink(), interrupter_),
                std::make_shared<ExploredStore>(slot.store(), interrupter_)) {}

    [[nodiscard]] const Interrupter& interrupter() const noexcept { return *interrupter_; }
    [[nodiscard]] bool was_told(const std::string& uid) const { return interrupter_->witness.was_told(uid); }

    Result<Rotation> rotate(lifecycle::RotateOptions options) {
        options.hook([interrupter = interrupter_](const lifecycle::Promotion& promotion) {
            return call_hook(interrupter, promotion.new_uid);
        });
        // The client is gone before the context runs on, so that only the store has anything left to do.
        auto result = [&] {
            ApiKeyClient client(context_, options_);
            asio::cancellation_signal signal;
            interrupter_->on_cancel([&] { signal.emit(asio::cancellation_type::terminal); });
            return await<Rotation>([&](auto done) {
                lifecycle::async_rotate(client, slot_, std::move(options),
                                        asio::bind_cancellation_slot(signal.slot(), std::move(done)));
            });
        }();
        interrupter_->on_cancel(nullptr);
        // A store may still be giving its lock back.
        context_.restart();
        context_.run_for(std::chrono::seconds(5));
        if (result && result->outcome != Rotation::Outcome::failed) interrupter_->witness.ended_well();
        return result;
    }

    Result<Secret> value(const lifecycle::Receipt& of) {
        return await<Secret>([&](const auto& done) {
            asio::co_spawn(context_, slot_.sink()->read_back(of),
                           [done](const std::exception_ptr& thrown, Result<Secret> read) mutable {
                               done(thrown ? Error(errc::system, "the sink threw") : std::move(read));
                           });
        });
    }

    Result<lifecycle::SinkContents> contents() {
        return await<lifecycle::SinkContents>([&](const auto& done) {
            asio::co_spawn(
                context_, slot_.sink()->contents(),
                [done](const std::exception_ptr& thrown, Result<lifecycle::SinkContents> read) mutable {
                    done(thrown ? Error(errc::system, "the sink threw") : std::move(read));
                });
        });
    }

    Result<lifecycle::StoredRecord> record() {
        return await<lifecycle::StoredRecord>([&](const auto& done) {
            asio::co_spawn(
                context_, slot_.store()->load(slot_.name()),
                [done](const std::exception_ptr& thrown, Result<lifecycle::StoredRecord> read) mutable {
                    done(thrown ? Error(errc::system, "the store threw") : std::move(read));
                });
        });
    }

    // Whether the service accepts the value.
    bool works(const Secret& value) {
        auto options = options_;
        // Without the uid, by which the transport would take this for a proof.
        options.auth = auth::api_key(Secret(value.expose()));
        ApiKeyClient client(context_, options);
        return await<Identity>([&](auto done) { client.async_whoami(std::move(done)); }).has_value();
    }

    // What somebody does by hand.
    Result<void> set_active(const std::string& uid, bool is_active) {
        auto options = options_;
        // Past the interrupter and the witness: what a person does is no effect of the run.
        options.transport = nullptr;
        ApiKeyClient client(context_, options);
        std::optional<Result<void>> result;
        auto const ended = [&](Result<void> r) { result.emplace(std::move(r)); };
        auto const even_own = ChangeOptions().allow_own_key();
        if (is_active)
            client.async_reactivate(uid, even_own, ended);
        else
            client.async_revoke(uid, even_own, ended);
        if (context_.stopped()) context_.restart();
        while (!result)
            context_.run_one();
        return *std::move(result);
    }

    // What another rotation has done, of which nothing else is known.
    Result<lifecycle::Receipt> stage(const CreatedApiKey& key, Expiry expiry) {
        return await<lifecycle::Receipt>([&](const auto& done) {
            asio::co_spawn(
                context_, real_sink_->stage("lost-record", key.uid(), expiry, key.secret()),
                [done](const std::exception_ptr& thrown, Result<lifecycle::Receipt> staged) mutable {
                    done(thrown ? Error(errc::system, "the sink threw") : std::move(staged));
                });
        });
    }

private:
    // Each request is sent once: what an interruption does is what the rotation sees.
    ClientOptions options_for(Emulator& emulator) const {
        auto options = emulator.client_options(Role::tenant_admin);
        options.clock = clock_;
        options.retry.max_attempts = 1;
        options.transport =
            std::make_shared<ExploredTransport>(make_http_transport(options).value(), interrupter_,
                                                emulator.user(Role::tenant_admin).api_key_uid);
        return options;
    }

    static asio::awaitable<Result<void>> call_hook(std::shared_ptr<Interrupter> interrupter,
                                                   std::string new_uid) {
        Interrupter::UnderWay const under_way(*interrupter);
        interrupter->begin("hook");
        interrupter->done();
        interrupter->witness.hook_succeeded(new_uid);
        interrupter->heard();
        co_return Result<void>();
    }

    // The result of what `start` begins. The clock goes on as soon as nothing else does.
    template <class T, class Start>
    Result<T> await(Start start) {
        auto const result = std::make_shared<std::optional<Result<T>>>();
        start([result](Result<T> r) { result->emplace(std::move(r)); });
        for (;;) {
            if (context_.stopped()) context_.restart();
            // A real request or program takes real time, in which the virtual clock stands: otherwise a
            // deadline would pass first.
            while (context_.poll() > 0 || interrupter_->under_way() > 0)
                if (interrupter_->under_way() > 0) context_.run_one();
            if (*result) return std::move(**result);
            // Nothing is ready and no timer is set, so that waiting would never end.
            if (!clock_->advance_to_next()) throw std::logic_error("the rotation waits for nothing");
        }
    }

    asio::io_context context_{1};
    std::shared_ptr<ManualClock> clock_;
    std::shared_ptr<Interrupter> interrupter_;
    std::shared_ptr<lifecycle::SecretSink> real_sink_;
    ClientOptions options_;
    lifecycle::Slot slot_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
