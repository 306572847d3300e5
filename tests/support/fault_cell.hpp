// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/fault_expectations.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace matrix {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using palette::ApiKey;
using palette::Error;
using palette::testing::Role;
using Time = std::chrono::steady_clock::time_point;

// One operation of one client on a service of its own, which has five keys and four users.
class Cell {
public:
    Cell(const Shape& shape, const Row& row, bool is_reused)
        : shape_(shape),
          row_(row),
          is_reused_(is_reused),
          emulator_({.plain_http = true, .rate_limit = palette::testing::RateLimit::off()}) {
        for (int i = 0; i < 3; ++i)
            emulator_.audit(palette::AuditEvent());
        uid_ = emulator_.seed_key(palette::NewApiKey("target").annotate("team", "infra")).uid();
        before_ = target().value();
        keys_before_ = emulator_.keys().size();
    }

    [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
    [[nodiscard]] bool is_reused() const noexcept { return is_reused_; }
    [[nodiscard]] bool has_ended() const noexcept { return elapsed_.has_value(); }
    [[nodiscard]] bool is_prepared() const noexcept { return steps_left_ == 0; }

    // The service is as the operation needs it, and the client has a connection if it is to have one.
    void prepare(asio::io_context& context, const palette::RetryOptions& retry) {
        auto options = emulator_.client_options(Role::tenant_admin);
        options.rate_limit = palette::RateLimitOptions::off();
        helper_.emplace(context, options);
        options.retry = retry;
        client_.emplace(context, std::move(options));
        auto const step_done = [this](auto const& result) { steps_left_ -= result.has_value() ? 1 : 0; };
        steps_left_ = (is_reused_ ? 1 : 0) + (shape_.name == "reactivate" ? 1 : 0);
        if (is_reused_) client_->async_whoami(step_done);
        if (shape_.name == "reactivate") helper_->async_revoke(uid_, step_done);
    }

    void start() {
        auto const rule = palette::testing::FaultRule::parse("* / " + std::string(row_.fault)).value();
        auto const is_behaviour = rule.kind() >= palette::testing::FaultKind::legacy_create;
        emulator_.faults().add(is_behaviour ? rule.to_string() : principal() + ' ' + std::string(row_.fault));
        requests_before_ = emulator_.request_count();
        started_ = std::chrono::steady_clock::now();
        auto const keep = [this](auto const& result) {
            elapsed_ = std::chrono::steady_clock::now() - started_;
            if (!result) error_ = result.error();
        };
        call(palette::CallOptions().deadline(row_.deadline), keep);
    }

    void end_client() {
        client_.reset();
        helper_.reset();
    }

    // What is wrong with how it has ended: nothing.
    [[nodiscard]] std::string fault(const Ending& expected, const std::optional<Ending>& or_else = {}) const {
        auto const seen = this->seen();
        if (!expected.admits(seen) && !(or_else && or_else->admits(seen)))
            return told("expected " + expected.text() + (or_else ? " or " + or_else->text() : "") + "; got " +
                        seen.text());
        if (auto const state = this->state(); !state.empty()) return told(state);
        if (error_ && shape_.kind != Class::create && error_->attempts() != seen.least)
            return told("expected the error to count " + std::to_string(seen.least) + " requests; got " +
                        std::to_string(error_->attempts()));
        auto const most = row_.deadline + (sanitized ? 1'000ms : 100ms);
        if (*elapsed_ > most)
            return told("expected the end within " + std::to_string(most.count()) + " ms; took " +
                        std::to_string(std::chrono::ceil<std::chrono::milliseconds>(*elapsed_).count()));
        return false_claim();
    }

    // What is wrong that no slowness of the machine excuses: nothing. That is a credential in an error, or an
    // operation which says what it has done, and has not done that.
    [[nodiscard]] std::string false_claim() const {
        if (error_ &&
            error_->message().find(emulator_.user(Role::tenant_admin).api_key.expose()) != std::string::npos)
            return told("the credential is in the error");
        if (error_ && error_->effect() != Effect::not_applied) return {};
        auto const state = this->state();
        return state.empty() ? state : told(state);
    }

    // What is wrong with the keys that are there afterwards: nothing.
    [[nodiscard]] std::string state() const {
        auto const done = !error_ || (row_.is_applied && error_->effect() != Effect::not_applied);
        auto const keys = static_cast<long>(emulator_.keys().size()) - static_cast<long>(keys_before_);
        auto const more = shape_.name == "create" ? 1L : shape_.name == "remove" ? -1L : 0L;
        auto const difference = [](auto expected, auto got) {
            return " to be " + std::to_string(expected) + "; got " + std::to_string(got);
        };
        if (keys != (done ? more : 0))
            return "expected the number of further keys" + difference(done ? more : 0, keys);
        if (shape_.kind == Class::change && is_changed() != done)
            return "expected the key's being changed" + difference(done, is_changed());
        // Each of them once, however often the list was read.
        auto const keys_shown = row_.fault.starts_with("list-lag") ? 0 : keys_before_;
        auto const all = shape_.name == "visit" ? keys_shown : shape_.name == "visit_users" ? 4U : 0U;
        if (!error_ && visited_ != all) return "expected the number of visits" + difference(all, visited_);
        if (shape_.name == "create" && !error_ && !find(created_))
            return "the key that was delivered is not there: expected one of the keys; got " + created_;
        return {};
    }

private:
    using Options = palette::CallOptions;

    template <class Handler>
    void call(const Options& options, const Handler& keep) {
        auto& c = *client_;
        auto const name = shape_.name;
        if (name == "list") c.async_list(palette::ListFilter(), options, keep);
        if (name == "find") c.async_find("target", options, keep);
        if (name == "get") c.async_get(uid_, options, keep);
        if (name == "create")
            c.async_create(palette::NewApiKey("made"), options,
                           [this, keep](const palette::Result<palette::CreatedApiKey>& result) {
                               if (result) created_ = result->uid();
                               keep(result);
                           });
        if (name == "update") c.async_update(uid_, palette::ApiKeyEdit().name("renamed"), options, keep);
        if (name == "renew") c.async_renew(uid_, std::chrono::days{90}, options, keep);
        if (name == "revoke") c.async_revoke(uid_, options, keep);
        if (name == "reactivate") c.async_reactivate(uid_, options, keep);
        if (name == "set_active") c.async_set_active(uid_, false, options, keep);
        if (name == "remove") c.async_remove(uid_, options, keep);
        if (name == "whoami") c.async_whoami(options, keep);
        if (name == "find_user") c.async_find_user(emulator_.user(Role::user).email, options, keep);
        if (name == "list_users") c.async_list_users(options, keep);
        if (name == "get_user") c.async_get_user(emulator_.user(Role::user).uid, options, keep);
        if (name == "list_audit_events")
            c.async_list_audit_events(palette::AuditEventFilter(), options, keep);
        if (name == "key_limit") c.async_key_limit(options, keep);
        if (name == "visit") c.async_visit(palette::ListFilter(), count<ApiKey>(), options, keep);
        if (name == "visit_users") c.async_visit_users(count<palette::User>(), options, keep);
    }

    // A visitor that counts.
    template <class T>
    std::function<palette::Result<void>(T&&)> count() {
        return [this](T&& /*element*/) { return ++visited_, palette::Result<void>(); };
    }

    [[nodiscard]] bool is_changed() const {
        auto const key = target();
        if (shape_.name == "remove" || !key) return !key;
        if (shape_.name == "update") return key->name == "renamed";
        if (shape_.name == "renew") return key->expiry != before_.expiry;
        return key->is_active == (shape_.name == "reactivate");
    }

    [[nodiscard]] std::optional<ApiKey> find(std::string_view uid) const {
        for (auto const& key : emulator_.keys())
            if (key.uid == uid) return key;
        return std::nullopt;
    }
    [[nodiscard]] std::optional<ApiKey> target() const { return find(uid_); }

    [[nodiscard]] std::string principal() const {
        auto path = std::string(shape_.path);
        auto const fill_in = [&](std::string_view place, const std::string& uid) {
            if (auto const at = path.find(place); at != std::string::npos)
                path.replace(at, place.size(), uid);
        };
        fill_in("{uid}", uid_);
        fill_in("{user}", emulator_.user(Role::user).uid);
        fill_in("{tenant}", emulator_.tenant_uid());
        return std::string(shape_.method) + ' ' + path;
    }

    [[nodiscard]] Ending seen() const {
        auto const requests = static_cast<int>(emulator_.request_count() - requests_before_);
        return error_ ? failure(error_->code(), error_->effect(), requests) : success(requests);
    }

    [[nodiscard]] std::string told(const std::string& what) const {
        std::ostringstream out;
        out << row_.fault << " x " << shape_.name << " x " << (is_reused_ ? "reused" : "fresh") << ": "
            << what << " (" << row_.why << "). Seen:";
        for (auto const& request : emulator_.requests())
            if (request.number > requests_before_)
                out << ' ' << request.method << ' ' << request.path << ' ' << request.status << ' '
                    << request.faults << ';';
        if (error_) out << ' ' << error_->message();
        return out.str();
    }

    const Shape& shape_;
    const Row& row_;
    bool is_reused_;
    palette::testing::Emulator emulator_;
    std::optional<palette::ApiKeyClient> helper_, client_;
    std::string uid_;
    ApiKey before_;
    std::size_t keys_before_ = 0;
    std::uint64_t requests_before_ = 0;
    int steps_left_ = 0;
    Time started_;
    std::optional<Time::duration> elapsed_;
    std::optional<Error> error_;
    std::string created_;
    std::size_t visited_ = 0;
};

}  // namespace matrix
