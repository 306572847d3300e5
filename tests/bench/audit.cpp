// SPDX-License-Identifier: BSL-1.0

// An audit, and visits of the same elements, against reading the same lists into a KeyList and a UserList:
// the time of the client's thread, and the most memory that is taken from operator new at a time. A program
// of its own, since it replaces operator new.

#include "bench/canned_service.hpp"
#include "bench/measure.hpp"
#include "bench/our_client.hpp"
#include "support/counting_allocator.hpp"

#include <palette/lifecycle/audit.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace {

using namespace bench;
using palette::lifecycle::AuditPolicy;

class AuditContenders {
public:
    AuditContenders(std::size_t keys, std::size_t users)
        : keys_(keys),
          users_(users),
          service_(keys, users),
          client_(context_, options(service_.port())) {
        by_audit(few_findings());
    }

    // The keys of the sample live for two years, and most were created a year ago.
    static AuditPolicy few_findings() { return AuditPolicy().max_life(std::chrono::days{4'000}); }

    void by_audit(const AuditPolicy& policy) { run(context_, audit(policy)); }
    void by_lists() { run(context_, read()); }
    void by_visits() { run(context_, visit()); }
    [[nodiscard]] std::size_t findings() const noexcept { return findings_; }

private:
    static palette::ClientOptions options(std::uint16_t port) {
        auto options = options_for(port);
        options.list_limits.max_items = 10'000'000;
        options.list_limits.max_bytes = std::size_t{1} << 30;
        return options;
    }

    boost::asio::awaitable<void> audit(AuditPolicy policy) {
        auto const report = co_await palette::lifecycle::async_audit(client_, policy);
        require(report && report->keys == keys_ && report->users == users_);
        findings_ = report->findings.size();
    }

    boost::asio::awaitable<void> read() {
        auto const users = co_await client_.async_list_users();
        auto const keys = co_await client_.async_list();
        require(users && users->size() == users_ && keys && keys->size() == keys_);
    }

    boost::asio::awaitable<void> visit() {
        std::size_t expired = 0;
        palette::UserVisitor on_user = [](palette::User&&) { return palette::Result<void>(); };
        palette::KeyVisitor on_key = [&expired](palette::ApiKey&& key) {
            expired += key.is_active ? 0U : 1U;
            return palette::Result<void>();
        };
        auto const users = co_await client_.async_visit_users(std::move(on_user));
        auto const keys = co_await client_.async_visit(palette::ListFilter(), std::move(on_key));
        require(users && users->count == users_ && keys && keys->count == keys_);
    }

    std::size_t keys_;
    std::size_t users_;
    std::size_t findings_ = 0;
    CannedService service_;
    boost::asio::io_context context_{1};
    palette::ApiKeyClient client_;
};

void compare_all(Table& table, std::size_t keys, int rounds) {
    AuditContenders contenders(keys, keys / 10);
    auto const name = std::to_string(keys) + " keys, " + std::to_string(keys / 10) + " users: the same lists";
    auto const policy = AuditContenders::few_findings();
    auto const time = compare(
        rounds, [&] { return cpu_time([&] { contenders.by_audit(policy); }); },
        [&] { return cpu_time([&] { contenders.by_lists(); }); });
    // Of a thousand keys the lists take so little that an audit's other requests show.
    if (keys > 1'000)
        table.at_most(1.25, name + ", time", milliseconds, time);
    else
        table.show(name + ", time", milliseconds, time);
    table.at_most(
        1.25, name + ", most memory", megabytes,
        compare(
            3, [&] { return static_cast<double>(counting::peak_of([&] { contenders.by_audit(policy); })); },
            [&] { return static_cast<double>(counting::peak_of([&] { contenders.by_lists(); })); }));
    // However many there are.
    contenders.by_visits();
    auto const held = counting::peak_of([&] { contenders.by_visits(); });
    table.at_most(64, std::to_string(keys) + " keys: one by one, kB held at most",
                  static_cast<double>(held) / 1e3);
    // Each with its key, its evidence and its advice.
    AuditPolicy const strict;
    table.show(name + ", time with findings for two keys of three", milliseconds,
               compare(
                   rounds, [&] { return cpu_time([&] { contenders.by_audit(strict); }); },
                   [&] { return cpu_time([&] { contenders.by_lists(); }); }));
    require(contenders.findings() > keys / 2);
}

}  // namespace

int main() {
    Table table("audit");
    compare_all(table, 1'000, 31);
    compare_all(table, 10'000, 15);
    compare_all(table, 100'000, 7);
    return table.status();
}
