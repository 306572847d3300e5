// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/creation.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/valueless_keys.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/impl/values/create_mark.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/impl/wire/encode.hpp>

#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

inline CreateMachine::Settings settings_of(Core& core, const pipeline::Call& call) {
    auto const& retry = core.options().retry;
    CreateMachine::Settings settings;
    settings.max_posts = retry.max_attempts;
    settings.settle_time = timing::bounded(retry.settle_time);
    settings.retry_when_unseen = call.options().retry_when_unseen;
    // A nonce of the caller's own may have been used before this process was started.
    settings.look_first = call.options().nonce.has_value();
    settings.marks_persist = core.creates().marks_persist;
    return settings;
}

PALETTE_KEYS_INLINE Creation::Creation(Core& core, pipeline::Call& call, NewApiKey key, std::string nonce)
    : core_(core),
      call_(call),
      key_(std::move(key)),
      nonce_(std::move(nonce)),
      started_at_(core.now()),
      machine_(settings_of(core, call)),
      next_(machine_.begin()),
      progress_(call.track_create()) {}

PALETTE_KEYS_INLINE asio::awaitable<Result<CreatedApiKey>> Creation::run() {
    while (next_.what != Machine::Do::deliver && next_.what != Machine::Do::fail) {
        // What was received is delivered, even if memory runs out over what comes after.
        try {
            co_await step();
            progress_.set_pending(pending(machine_.pending()));
        } catch (const std::exception&) {
            if (!progress_.has_received()) throw;
            // The exception may have come before the machine was told of the value.
            if (!machine_.has_value())
                machine_.posted(Machine::Posted::value, progress_.received().uid(), now());
            next_ = next_.what == Machine::Do::revoke ? machine_.revoked()
                                                      : machine_.read(Machine::Read::failed, now());
        }
    }
    if (next_.what == Machine::Do::deliver) co_return delivery();
    co_return failure();
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::step() {
    switch (next_.what) {
        case Machine::Do::identify:
            return identify_owner();
        case Machine::Do::post:
            return post(next_.suffix, next_.time);
        case Machine::Do::list:
            return list_marked();
        case Machine::Do::wait:
            return wait(next_.time);
        case Machine::Do::remove:
            return remove(next_.uid);
        case Machine::Do::read:
            return read(next_.uid);
        default:
            return revoke(next_.uid);
    }
}

PALETTE_KEYS_INLINE CreateMachine::Now Creation::now() const {
    Machine::Now now;
    now.left = std::max(call_.time_left(), Machine::Time::zero());
    now.stopped = call_.is_stopped();
    return now;
}

PALETTE_KEYS_INLINE Instant Creation::service_now() const noexcept {
    return service_time_.now(core_.pipeline().time().steady());
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::identify_owner() {
    Result<Identity> caller = Identity();
    // The expiry is judged by the service's clock (W19): if the last Date is too old, a fresh answer is
    // requested.
    if (knows_service_time(core_))
        caller = co_await identify(core_, call_);
    else
        caller = co_await ask_identity(core_, call_, nullptr);
    auto checked = Result<void>();
    if (caller) {
        service_time_ = core_.creates().service_time;
        checked = check_expiry(key_.expiry_at(service_now()), service_now(), call_.options());
    } else {
        checked = std::move(caller.error());
    }
    if (checked) {
        caller_ = std::move(*caller);
        // From here on, no request of this create is sent as another user.
        pin_caller(core_, call_, caller_);
        // The owner is sent explicitly, so that a key that is found later can be told to be this one's.
        owner_ = key_.names_user() ? key_.user_uid() : caller_.user_uid;
        key_.for_user(owner_);
    } else {
        step_error_ = std::move(checked.error());
    }
    next_ = machine_.identified(!owner_.empty(), now());
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::post(int suffix, Machine::Time reserved) {
    suffix_ = suffix;
    // The rest of the time is for the search, should the answer be lost.
    call_.limit(reserved);
    DecodedAnswer<CreatedApiKey> answer;
    Result<void> sent;
    key_.annotate(detail::create_annotation, detail::create_mark(nonce_, suffix));
    auto body = wire::encode_create(key_, service_now());
    if (body) {
        // From here on until the machine knows better, a key may come to exist.
        auto attempts = machine_.pending();
        attempts.push_back(suffix);
        progress_.set_pending(pending(std::move(attempts)));
        HttpRequest request("POST", std::string(create_key.path_template));
        request.body = std::move(*body);
        sent = co_await send(core_, call_, create_key, request, answer);
        posted_with_ = request.credential;
    } else {
        sent = std::move(body.error());
    }
    if (sent) {
        progress_.receive(std::move(answer.value()));
        // Before anything else can fail: from here on, no error and no event shows the value.
        core_.pipeline().hide(detail::KnownSecrets::Kind::created, progress_.received().secret());
    }
    // The limit ended the request by a cancellation, which must not end the search as well.
    if (call_.lift_limit()) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        auto const is_cut_off =
            !sent && !call_.is_stopped() &&
            (sent.error().code() == errc::transport || sent.error().code() == errc::operation_aborted);
        // The caller cancelled nothing: to them this is a time-out.
        if (is_cut_off)
            sent = Error(errc::timeout, "no answer came in the time that a create has for its request")
                       .effect(sent.error().effect())
                       .attempts(call_.attempts());
    }

    auto outcome = Machine::Posted::value;
    std::string uid;
    if (sent) {
        uid = progress_.received().uid();
    } else {
        auto const& error = sent.error();
        outcome = error.code() == errc::missing_key_value ? Machine::Posted::no_value
                  : error.effect() == Effect::not_applied ? Machine::Posted::refused
                                                          : Machine::Posted::unknown;
        uid = error.path();
        step_error_ = error;
        post_error_ = error;
    }
    next_ = machine_.posted(outcome, std::move(uid), now());
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::list_marked() {
    Wanted bears_mark = [this](const ApiKey& key, Instant /*as_of*/) {
        return detail::attempt_of(key.annotations[detail::create_annotation], nonce_) != 0;
    };
    auto keys = co_await list_wanted(core_, call_, std::move(bears_mark));
    std::vector<Machine::Match> matches;
    if (keys) {
        for (auto const& key : *keys) {
            auto const suffix = detail::attempt_of(key.annotations[detail::create_annotation], nonce_);
            // The key whose value is here is not looked for under what cannot be its uid.
            if (progress_.has_received() && detail::fault_of_uid(key.uid) != nullptr) continue;
            if (suffix_ == 0) bearing_.push_back(key.uid);
            // Where no owner is told, none is wrong; but only what is surely one's own is deleted.
            auto const is_untold = key.owner.uid.empty() && progress_.has_received();
            Machine::Match match;
            match.uid = key.uid;
            match.suffix = suffix;
            match.owned = is_untold || key.owner.uid == owner_;
            matches.push_back(std::move(match));
        }
    }
    if (!keys) step_error_ = keys.error();
    // Neither a refusal nor another user's credential changes while one waits.
    auto const is_over = !keys && (is_refusal(keys.error()) || keys.error().code() == errc::auth_provider);
    auto const outcome = keys      ? Machine::Listed::complete
                         : is_over ? Machine::Listed::refused
                                   : Machine::Listed::failed;
    next_ = machine_.listed(outcome, std::move(matches), now());
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::wait(Machine::Time time) {
    call_.set_waits_for("the key to be seen");
    co_await timing::sleep(core_.pipeline().time(), time);
    next_ = machine_.waited(now());
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::remove(std::string uid) {
    auto deleted = co_await delete_valueless(core_, call_, std::move(uid));
    auto outcome = Machine::Removed::gone;
    if (!deleted) {
        auto const& error = deleted.error();
        outcome = is_not_found(error.code())              ? Machine::Removed::not_there
                  : error.effect() == Effect::not_applied ? Machine::Removed::refused
                                                          : Machine::Removed::unknown;
        step_error_ = error;
    }
    next_ = machine_.removed(outcome, now());
}

PALETTE_KEYS_INLINE CreateMachine::Read Creation::what_is(const ApiKey& read) const {
    auto const mark = read.annotations[detail::create_annotation];
    // A service that drops annotations leaves only the name to go by.
    auto const is_ours =
        mark.empty() ? read.name == key_.name() : mark == detail::create_mark(nonce_, suffix_);
    if (!is_ours) return Machine::Read::not_it;
    if (!read.owner.uid.empty() && read.owner.uid != owner_) return Machine::Read::others;
    return mark.empty() ? Machine::Read::ours_unmarked : Machine::Read::ours;
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::read(std::string uid) {
    auto key = co_await perform(core_, call_, detail::GetKey(std::move(uid)));
    // bad_value: the answer was about another key, so that this uid is not that of a key.
    auto const is_known_not_to_be =
        !key && (is_refusal(key.error()) || key.error().code() == errc::bad_value);
    auto const outcome = key                  ? what_is(*key)
                         : is_known_not_to_be ? Machine::Read::not_it
                                              : Machine::Read::failed;
    // Whoever it is for, it is not the key that this client uses, and may be revoked.
    if (outcome != Machine::Read::not_it && outcome != Machine::Read::failed)
        core_.creates().remember_made(posted_with_, key->uid);
    next_ = machine_.read(outcome, now());
    // Later creates of this client need not find out again whether marks persist.
    if (outcome == Machine::Read::ours || outcome == Machine::Read::ours_unmarked)
        core_.creates().marks_persist = machine_.marks_persist();
}

PALETTE_KEYS_INLINE asio::awaitable<void> Creation::revoke(std::string uid) {
    auto revoked = co_await perform(core_, call_, detail::RevokeKey(std::move(uid)));
    is_revoked_ = revoked.has_value();
    next_ = machine_.revoked();
}

PALETTE_KEYS_INLINE std::shared_ptr<const PendingCreate> Creation::pending(std::vector<int> attempts) const {
    if (attempts.empty()) return nullptr;
    return std::make_shared<const PendingCreate>(nonce_, key_.name(), owner_, caller_, started_at_,
                                                 std::move(attempts));
}

PALETTE_KEYS_INLINE Result<CreatedApiKey> Creation::delivery() {
    auto uid = next_.uid;
    auto left = pending(machine_.pending());
    if (next_.confirmed) core_.creates().remember_made(posted_with_, uid);
    // Nothing fails from here on, for want of memory or otherwise.
    return CreatedApiKey(std::move(uid), progress_.take_received().secret(), next_.confirmed,
                         std::move(left));
}

inline Error used_nonce(const std::vector<std::string>& uids) {
    constexpr std::size_t most = 5;  // a service that lies names no more
    std::string names;
    for (std::size_t i = 0; i < std::min(uids.size(), most); ++i)
        names.append(i == 0 ? "" : ", ").append(detail::printable(uids[i]));
    if (uids.size() > most) names += ", ...";
    return Error(errc::conflict, "the nonce has been used by another create, which made " + names)
        .key_uid(detail::printable(uids.front()))
        .advice("make a new nonce for this create, and delete that key only if nobody has its value");
}

PALETTE_KEYS_INLINE Error Creation::failure() const {
    // The words of the service may repeat a credential.
    return core_.pipeline()
        .safe(blamed(), call_)
        .effect(next_.effect)
        .attempts(call_.attempts())
        .pending(pending(machine_.pending()));
}

PALETTE_KEYS_INLINE Error Creation::blamed() const {
    auto const uid = detail::printable(next_.uid);
    switch (next_.blame) {
        case Machine::Blame::owner:
            return Error(errc::conflict, "the key " + uid + " was made for another user than was asked for" +
                                             (is_revoked_ ? "; it is revoked" : "; it could not be revoked"))
                .key_uid(uid)
                .advice(is_revoked_ ? "delete that key" : "revoke and delete that key");
        case Machine::Blame::nonce:
            return used_nonce(bearing_);
        case Machine::Blame::post:
            return *post_error_;
        case Machine::Blame::stop: {
            // The deadline of a search says less than what it is that made one necessary.
            auto stopped = call_.stopped(next_.effect);
            return stopped.code() == errc::timeout && post_error_ ? *post_error_ : stopped;
        }
        case Machine::Blame::step:
            break;
    }
    auto const& error = *step_error_;
    if (next_.uid.empty() || error.code() == errc::missing_key_value) return error;
    // The failed deletion is what the user can act on; the lost answer alone would hide the key.
    return Error(error.code(), "the answer to the create was lost, and its key " + uid +
                                   " could not be deleted: " + error.what())
        .key_uid(uid)
        .status(error.status())
        .server(error.server_code(), error.server_message(), error.ref());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
