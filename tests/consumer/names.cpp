// SPDX-License-Identifier: BSL-1.0
// A program of somebody else's, with names of its own that the library uses inside: none of them is
// ambiguous, although the program uses the whole namespace palette. It links what the lifecycle layer
// declares.
#include <palette/api_keys.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/lifecycle/watch.hpp>
#include <palette/testing/memory_sink.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace net = boost::asio;

namespace client {
struct Session {
    palette::ApiKey key;
};
}  // namespace client

// The rooms of include/palette/impl/, and what their namespaces are called.
namespace emulation {
struct Mine {};
}  // namespace emulation
namespace emulator {
struct Mine {};
}  // namespace emulator
namespace files {
struct Mine {};
}  // namespace files
namespace observing {
struct Mine {};
}  // namespace observing
namespace pipeline {
struct Mine {};
}  // namespace pipeline
namespace processes {
struct Mine {};
}  // namespace processes
namespace redaction {
struct Mine {};
}  // namespace redaction
namespace seams {
struct Mine {};
}  // namespace seams
namespace timing {
struct Mine {};
}  // namespace timing
namespace values {
struct Mine {};
}  // namespace values
namespace wire {
struct Mine {};
}  // namespace wire

using namespace palette;

struct Names {
    emulation::Mine emulation;
    emulator::Mine emulator;
    files::Mine files;
    observing::Mine observing;
    pipeline::Mine pipeline;
    processes::Mine processes;
    redaction::Mine redaction;
    seams::Mine seams;
    timing::Mine timing;
    values::Mine values;
    wire::Mine wire;
};

net::awaitable<Result<client::Session>> open_session(ApiKeyClient& keys, std::string uid) {
    auto key = co_await keys.async_get(std::move(uid));
    if (!key) co_return key.error();
    client::Session session;
    session.key = std::move(*key);
    co_return session;
}

class Slots {
public:
    explicit Slots(ApiKeyClient& keys) : rotator_(keys, in_files_, lifecycle::RotateOptions()) {}

    net::awaitable<Result<lifecycle::Rotation>> rotate(ApiKeyClient& keys) {
        rotator_.on_rotation([](const Result<lifecycle::Rotation>&) {});
        rotator_.longest_pause(std::chrono::hours{1});
        auto ended = co_await rotator_.async_run();
        if (ended) co_return co_await lifecycle::async_rotate(keys, by_program_);
        co_return co_await lifecycle::async_rotate(keys, in_memory_, lifecycle::RotateOptions().force());
    }
    // Refused before anything is done.
    static bool rotate_nothing(BlockingApiKeyClient& keys) {
        return lifecycle::rotate(keys, lifecycle::Slot("/", nullptr, nullptr)).has_value();
    }
    [[nodiscard]] bool has_providers() const {
        return rotator_.provider() != nullptr && lifecycle::sink_provider(in_files_.sink()) != nullptr;
    }
    [[nodiscard]] static bool has_fleet() {
        auto const endpoint = Endpoint::parse("http://127.0.0.1:2379").value();
        return lifecycle::etcd_store({endpoint}, "/names/", lifecycle::EtcdOptions()) != nullptr;
    }
    [[nodiscard]] static std::string text() {
        std::ostringstream out;
        out << lifecycle::Rotation() << lifecycle::RotationState::staged << lifecycle::Rotation::Outcome::busy
            << lifecycle::Receipt() << lifecycle::SinkContents()
            << lifecycle::to_string(lifecycle::RotationState::idle)
            << lifecycle::to_string(lifecycle::Rotation::Outcome::failed);
        return out.str();
    }

private:
    std::shared_ptr<lifecycle::RotationStore> store_ = lifecycle::file_store(".");
    lifecycle::Slot in_files_{"a", lifecycle::file_sink("names.key"), store_};
    lifecycle::Slot by_program_{
        "b", lifecycle::command_sink({"true"}, lifecycle::CommandOptions().write_only()), store_};
    lifecycle::Slot in_memory_{"c", std::make_shared<testing::MemorySink>(), store_};
    lifecycle::Rotator rotator_;
};

class Plans {
public:
    static net::awaitable<Result<lifecycle::BulkReport>> sweep(ApiKeyClient& keys) {
        auto const who = co_await keys.async_describe_caller();
        if (!who) co_return who.error();
        auto const selection = lifecycle::Selection::owner("u");
        auto plan = co_await lifecycle::async_plan(keys, selection, lifecycle::Action::revoke());
        if (!plan) co_return plan.error();
        auto reviewed = lifecycle::Plan::parse(plan->to_text());
        if (!reviewed) co_return reviewed.error();
        auto options = lifecycle::ApplyOptions("names.journal").include(lifecycle::Guard::last_user_key);
        co_return co_await lifecycle::async_apply(keys, *std::move(reviewed), std::move(options));
    }
    // Refused before anything is done.
    static bool sweep_nothing(BlockingApiKeyClient& keys) {
        auto const selection = lifecycle::Selection::matching(ListFilter());
        auto const action = lifecycle::Action::extend(std::chrono::hours{0});
        auto const options = lifecycle::ApplyOptions::without_journal().stop_after(0);
        return lifecycle::plan(keys, selection, action).has_value() ||
               lifecycle::apply(keys, lifecycle::Plan(), options).has_value();
    }
    [[nodiscard]] static std::string text() {
        std::ostringstream out;
        out << lifecycle::Plan() << lifecycle::Action::remove() << lifecycle::ActionKind::edit
            << lifecycle::Guard::own_key << lifecycle::BulkReport() << lifecycle::BulkOutcome::done
            << lifecycle::Selection::of({lifecycle::Selected("a", "why")}, "words")
            << lifecycle::to_string(lifecycle::PlanItem::Step::skip);
        return out.str() + lifecycle::Plan().digest();
    }
};

// What looks at keys, and what it says of them.
class Looks {
public:
    explicit Looks(ApiKeyClient& keys) : watch_(keys, lifecycle::WatchOptions()) {}

    net::awaitable<Result<lifecycle::AuditReport>> look(ApiKeyClient& keys) {
        auto const people = lifecycle::Roster::parse("email\na@x.test\n").value();
        auto report = co_await lifecycle::async_audit(
            keys, lifecycle::AuditPolicy().roster(people).without(lifecycle::AuditRule::idle));
        auto const event = co_await watch_.async_next();
        if (event) text_ << *event;
        auto ended = co_await watch_.async_run(
            [](lifecycle::ExpiryEvent) -> net::awaitable<Result<void>> { co_return Result<void>(); });
        if (ended) co_return ended.error();
        co_return report;
    }
    // Refused before anything is done.
    static bool look_at_nothing(BlockingApiKeyClient& keys) {
        return lifecycle::audit(keys, lifecycle::AuditPolicy().quota_share(2)).has_value();
    }
    [[nodiscard]] std::string text() {
        lifecycle::AuditReport const report;
        text_ << report << report.to_text() << report.to_json() << report.to_csv() << report.to_sarif()
              << report.to_html() << report.count(lifecycle::AuditRule::orphaned)
              << report.count(lifecycle::Severity::error) << lifecycle::Finding()
              << lifecycle::AuditRule::expired << lifecycle::Severity::note << lifecycle::Grade::proven;
        return text_.str();
    }

private:
    lifecycle::ExpiryWatch watch_;
    std::ostringstream text_;
};

// What an audit of keys reads.
struct Reads {
    static bool all(BlockingApiKeyClient& keys) {
        KeyVisitor const on_key = [](ApiKey&&) { return Result<void>(); };
        UserVisitor const on_user = [](User&&) { return Result<void>(); };
        std::ostringstream out;
        if (auto users = keys.list_users()) out << *users;
        if (auto events = keys.list_audit_events(AuditEventFilter().user("u"))) out << *events;
        if (auto limit = keys.key_limit()) out << *limit;
        if (auto visit = keys.visit(ListFilter(), on_key)) out << *visit;
        return keys.get_user("u").has_value() || keys.visit_users(on_user).has_value();
    }
};

int main() {
    net::io_context context;
    ClientOptions options;
    options.auth = auth::api_key(Secret("a value"));
    ApiKeyClient keys(context, options);
    auto const session = open_session(keys, "5f1b2c3d4e5f6a7b8c9d0e1f");
    auto const time = keys.now();
    auto const other = keys.with_auth(auth::api_key(Secret("another value")));
    Slots slots(keys);
    Looks looks(keys);
    BlockingApiKeyClient blocking(options);
    auto const reads = &Reads::all;
    return session.valid() && sizeof(Names) > 0 && time > Instant() && other.valid() &&
                   slots.has_providers() && Slots::has_fleet() && slots.rotate(keys).valid() &&
                   !Slots::text().empty() && !Slots::rotate_nothing(blocking) && Plans::sweep(keys).valid() &&
                   !Plans::sweep_nothing(blocking) && !Plans::text().empty() && sizeof reads > 0 &&
                   looks.look(keys).valid() && !looks.text().empty() && !Looks::look_at_nothing(blocking)
               ? 0
               : 1;
}
