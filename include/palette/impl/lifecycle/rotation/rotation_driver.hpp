// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/impl/lifecycle/rotation/rotation_machine.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/lifecycle/rotation.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Names the slot of a key that a rotation has created.
inline constexpr auto slot_annotation = "palette-keys-slot";

// Does what the machine decides, with the client, the sink and the store: one run of a rotation.
class RotationDriver {
public:
    using Report = palette::lifecycle::Rotation;

    // The client outlives the driver.
    RotationDriver(ApiKeyClient& client, palette::lifecycle::Slot slot,
                   palette::lifecycle::RotateOptions options, std::shared_ptr<const RunEnd> end)
        : client_(client),
          slot_(std::move(slot)),
          options_(std::move(options)),
          end_(std::move(end)) {}

    boost::asio::awaitable<Result<Report>> run();

private:
    template <class T>
    using Awaitable = boost::asio::awaitable<Result<T>>;
    using Step = RotationStep;

    Awaitable<Report> run_steps();
    boost::asio::awaitable<void> perform(Step step);
    boost::asio::awaitable<void> perform_with_key(Step step);
    boost::asio::awaitable<void> perform_with_sink(Step step);

    Awaitable<std::optional<RotationRecord>> load();
    Awaitable<void> identify();
    Awaitable<void> save();
    Awaitable<std::string> create();
    boost::asio::awaitable<Expiry> new_expiry();
    Awaitable<palette::lifecycle::Receipt> stage(Expiry expiry);
    Awaitable<ApiKey> prove();
    Awaitable<ApiKey> try_new_key(const Secret& value);
    Awaitable<Secret> new_value();
    Awaitable<void> call_hook();
    boost::asio::awaitable<void> revoke_old();
    Awaitable<void> retire_old(Step step, ApiKeyClient& by);
    Awaitable<void> clean();
    boost::asio::awaitable<bool> sees_keys_of(std::string owner_uid);
    boost::asio::awaitable<void> look_for_suspects(Leftover left);
    void note_deleted(const std::string& uid);
    void name_suspects(const KeyList& keys, const Leftover& left);
    Awaitable<std::optional<ApiKey>> read(std::string uid);
    // A client that may change the keys of the slot's owner: the given one, or one that uses the new key.
    Awaitable<std::shared_ptr<ApiKeyClient>> owner();

    // Tells the machine how the step has ended.
    void conclude(const Result<void>& result, std::string_view done);
    void conclude_failure(const Error& error, StepFailure why, const std::string& uid = {});
    void note(std::string text) { done_.push_back(std::move(text)); }
    // What is done between the requests of a step is not done after the end.
    [[nodiscard]] bool has_ended() const noexcept { return end_->has_come() || is_closed_; }
    // Why this run ends early.
    [[nodiscard]] Error ended() const;
    Result<Report> report();
    Result<Report> interrupted();
    Report report_of_record();

    ApiKeyClient& client_;
    palette::lifecycle::Slot slot_;
    const palette::lifecycle::RotateOptions options_;
    std::shared_ptr<const RunEnd> end_;
    std::optional<RotationMachine> machine_;
    std::uint64_t version_ = 0;
    Identity caller_;
    Instant now_{};
    std::optional<ApiKey> old_key_;
    Secret value_;  // of the key that was created in this run
    std::string create_failed_uid_;
    std::string created_uid_;  // in this run
    bool has_acted_ = false;
    bool is_closed_ = false;  // the client, which waits for this run meanwhile
    std::vector<std::string> done_;
    std::vector<std::string> left_;  // besides what the machine says
    std::optional<Error> problem_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/rotation/rotation_cleaning.ipp>
#    include <palette/impl/lifecycle/rotation/rotation_driver.ipp>
#    include <palette/impl/lifecycle/rotation/rotation_proof.ipp>
#endif
