// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/audit_event.hpp>
#include <palette/key_limit.hpp>
#include <palette/visit.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

// Events of the audit log, and the small values beside them.

namespace audit_event_test {

using namespace palette;
using namespace std::chrono_literals;

// g++ 12 miscompiles aggregate temporaries in a co_await expression.
static_assert(!std::is_aggregate_v<AuditEvent> && !std::is_aggregate_v<AuditEventFilter>);
static_assert(!std::is_aggregate_v<KeyLimit> && !std::is_aggregate_v<Visit>);
static_assert(std::regular<AuditEvent> && std::regular<AuditEventFilter> && std::regular<AuditEventList>);
static_assert(std::regular<KeyLimit> && std::regular<Visit>);

constexpr Instant noon = Instant(std::chrono::sys_days{std::chrono::year{2026} / 5 / 1}) + 12h;

template <class T, class Member>
bool counts(Member T::* member, Member other) {
    T a;
    a.*member = std::move(other);
    return a == T(a) && a != T();
}

TEST_CASE("AuditEvent: every member counts when two are compared") {
    using Resource = AuditEvent::Resource;
    using Actor = AuditEvent::Actor;
    for (auto const member : {&AuditEvent::uid, &AuditEvent::action, &AuditEvent::action_message,
                              &AuditEvent::content_message, &AuditEvent::user_message})
        CHECK(counts(member, std::string("x")));
    CHECK(counts(&AuditEvent::created, {Instant{}}));
    for (auto const member : {&Resource::uid, &Resource::kind, &Resource::name, &Resource::label})
        CHECK(counts(member, std::string("x")));
    for (auto const member : {&Actor::type, &Actor::user_uid, &Actor::email, &Actor::first_name,
                              &Actor::last_name, &Actor::project, &Actor::service})
        CHECK(counts(member, std::string("x")));
    AuditEvent event;
    event.actor.email = "x";
    CHECK(event != AuditEvent());
    event = AuditEvent();
    event.resource.uid = "x";
    CHECK(event != AuditEvent());
}

TEST_CASE("AuditEvent: prints as one line, whoever has caused it") {
    AuditEvent event;
    event.uid = "e1";
    event.created = noon;
    event.action = "delete";
    event.resource.kind = "user";
    event.resource.uid = "u2";
    event.actor.type = "user";
    event.actor.email = "ada@acme.com";
    CHECK(printed(event) ==
          "AuditEvent e1 at 2026-05-01T12:00:00.000Z: user \"ada@acme.com\", delete of user u2");
    event.actor.type = "service";
    event.actor.email.clear();
    event.actor.service = "hubble";
    event.created.reset();
    CHECK(printed(event) == "AuditEvent e1: service \"hubble\", delete of user u2");
    event.uid = event.action = event.resource.kind = event.resource.uid = event.actor.type =
        event.actor.email = hostile_text;
    CHECK(is_one_plain_line(printed(event)));
    CHECK(printed(AuditEventList{{event, event}}) == "2 events");
    CHECK(printed(AuditEventList{{event}}) == "1 event");
}

TEST_CASE("AuditEventFilter: has the conditions that were set, by either kind of setter") {
    AuditEventFilter by_variable;
    CHECK_FALSE(by_variable.from());
    CHECK_FALSE(by_variable.user());
    by_variable.from(noon).until(noon + 1h).user("u").resource_kind("k").resource("r").action("a");
    auto const by_chain =
        AuditEventFilter().from(noon).until(noon + 1h).user("u").resource_kind("k").resource("r").action("a");
    CHECK(by_variable == by_chain);
    CHECK(by_chain.from() == noon);
    CHECK(by_chain.until() == noon + 1h);
    CHECK(by_chain.user() == "u");
    CHECK(by_chain.resource_kind() == "k");
    CHECK(by_chain.resource() == "r");
    CHECK(by_chain.action() == "a");
    CHECK(AuditEventFilter(by_chain).user() == "u");
    CHECK(printed(by_chain) ==
          "AuditEventFilter, from 2026-05-01T12:00:00.000Z, until 2026-05-01T13:00:00.000Z, user u, kind "
          "\"k\", resource r, action \"a\"");
    CHECK(is_one_plain_line(printed(AuditEventFilter()
                                        .user(hostile_text)
                                        .resource_kind(hostile_text)
                                        .resource(hostile_text)
                                        .action(hostile_text))));
    CHECK(by_chain != AuditEventFilter());
}

TEST_CASE("AuditEventFilter: what contradicts a condition does not match, and silence does not contradict") {
    AuditEvent event;
    event.created = noon;
    event.action = "create";
    event.actor.user_uid = "u";
    event.resource.uid = "r";
    event.resource.kind = "k";
    using Filter = AuditEventFilter;
    struct Row {
        Filter filter;
        bool matches;
        bool matches_silence = true;
    };
    for (auto const& row :
         {Row{Filter(), true}, Row{Filter().from(noon), true}, Row{Filter().from(noon + 1ms), false},
          Row{Filter().until(noon), true}, Row{Filter().until(noon - 1ms), false},
          Row{Filter().user("u"), true}, Row{Filter().user("U"), false}, Row{Filter().resource("r"), true},
          Row{Filter().resource("x"), false}, Row{Filter().resource_kind("k"), true},
          Row{Filter().resource_kind("x"), false}, Row{Filter().action("create"), true},
          Row{Filter().action("delete"), false}, Row{Filter().user("u").action("delete"), false}}) {
        CAPTURE(row.filter);
        CHECK(row.filter.matches(event) == row.matches);
        CHECK(row.filter.matches(AuditEvent()) == row.matches_silence);
    }
}

TEST_CASE("KeyLimit and Visit: every member counts, and they print as one line") {
    CHECK(counts(&KeyLimit::limit, std::size_t{1}));
    CHECK(counts(&KeyLimit::max_limit, std::size_t{1}));
    CHECK(counts(&KeyLimit::label, std::string("x")));
    KeyLimit limit;
    limit.limit = 20;
    limit.max_limit = 10'000;
    CHECK(printed(limit) == "at most 20 keys a user, may be raised to 10000");
    CHECK(counts(&Visit::count, std::size_t{1}));
    CHECK(counts(&Visit::as_of, Instant{1ms}));
    Visit visit;
    visit.count = 3;
    visit.as_of = noon;
    CHECK(printed(visit) == "3 visited, as of 2026-05-01T12:00:00.000Z");
}

}  // namespace audit_event_test
