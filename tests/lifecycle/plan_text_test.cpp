// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/plan_samples.hpp"
#include "support/random.hpp"

#include <palette/impl/lifecycle/plans/plan_text.hpp>
#include <palette/impl/lifecycle/record_envelope.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plan_text_test {

using namespace plan_samples;
using lifecycle::Action;
using lifecycle::Guard;
using lifecycle::Plan;
using lifecycle::PlanItem;

Plan sample() {
    auto plan = plan_of(2);
    plan.notes = {"no key has the uid \"x\""};
    plan.items[0].guards = {Guard::own_key, Guard::last_user_key};
    plan.items[1].modified.reset();
    plan.items[1].step = PlanItem::Step::already;
    return plan;
}

std::vector<Action> actions() {
    return {Action::revoke(),
            Action::reactivate(),
            Action::remove(),
            Action::extend(168h),
            Action::set_expiry(Expiry::never()),
            Action::set_expiry(Expiry::at(noon + 1h)),
            Action::edit(ApiKeyEdit().name("new").description("").expires(Expiry::at(noon + 2h)))};
}

// With the digest that belongs to it, as somebody would write it who wants to pass for us.
std::string resealed(std::string text) {
    auto const at = text.find("\"sha256\": \"") + 11;
    text.erase(at, 64);
    return text.insert(at, impl::lifecycle::digest_of(text));
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    auto const at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

TEST_CASE("plan text: what is written is read back, for every action, and is the same each time") {
    for (auto const& action : actions()) {
        auto plan = sample();
        plan.action = action;
        if (action.kind() == lifecycle::ActionKind::remove) plan.quarantine = 336h;
        if (action.kind() == lifecycle::ActionKind::extend) plan.items[0].target = Expiry::at(noon + 168h);
        auto const text = plan.to_text();
        CAPTURE(text);
        auto const read = Plan::parse(text);
        REQUIRE(read);
        CHECK(*read == plan);
        CHECK(read->to_text() == text);
        CHECK(text.find(plan.digest()) != std::string::npos);
    }
    CHECK(Plan::parse(Plan().to_text()).value() == Plan());
}

TEST_CASE("plan text: one changed key changes one line beside the checksum") {
    auto const before = sample();
    auto after = before;
    after.items[1].is_active = false;
    auto const lines = [](const std::string& text) {
        std::vector<std::string> found(1);
        for (char const c : text)
            if (c == '\n')
                found.emplace_back();
            else
                found.back() += c;
        return found;
    };
    auto const a = lines(before.to_text());
    auto const b = lines(after.to_text());
    REQUIRE(a.size() == b.size());
    std::size_t different = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        different += a[i] == b[i] ? 0U : 1U;
    CHECK(different == 2);
}

TEST_CASE("plan text: a text that is cut anywhere is an error") {
    auto const text = sample().to_text();
    for (std::size_t size = 0; size < text.size(); ++size) {
        auto const read = Plan::parse(std::string_view(text).substr(0, size));
        CAPTURE(size);
        REQUIRE_FALSE(read);
        CHECK(read.error().code() == errc::bad_value);
        CHECK(read.error().has_own_advice());
    }
}

TEST_CASE("plan text: a text with one byte changed anywhere is an error") {
    auto const text = sample().to_text();
    for (std::size_t at = 0; at < text.size(); ++at)
        for (char const c : {' ', '0', 'a', '"', '\n', '\xFF', static_cast<char>(text[at] ^ 1)}) {
            if (c == text[at]) continue;
            auto changed = text;
            changed[at] = c;
            CAPTURE(at);
            CAPTURE(c);
            auto const read = Plan::parse(changed);
            REQUIRE_FALSE(read);
            CHECK(read.error().code() == errc::bad_value);
        }
}

TEST_CASE("plan text: each way in which a text is wrong has its own sentence") {
    auto const text = sample().to_text();
    auto const sentence = [](const std::string& wrong) {
        auto const read = Plan::parse(wrong);
        REQUIRE_FALSE(read);
        return read.error().path() + ": " + read.error().what();
    };
    CHECK(sentence("") == ": the text is no plan, or a plan that was cut");
    CHECK(sentence("[]") == ": the text is no plan, or a plan that was cut");
    CHECK(sentence("{}") == "palette_plan: a field of the plan is missing");
    CHECK(sentence(replaced(text, "\"palette_plan\": 1", "\"palette_plan\": 2")) ==
          "palette_plan: the plan has schema 2, and this version of the library knows schema 1 alone");
    CHECK(sentence(replaced(text, "\"is_active\": true", "\"is_active\": false")) ==
          "sha256: the plan was changed: its checksum is another");
    CHECK(sentence(replaced(text, "\n", "\r\n")) ==
          ": the plan was reformatted: its text is not as it was written");
    CHECK(sentence(text + "\n") == ": the plan was reformatted: its text is not as it was written");
    // The same plan as far as JSON goes, which takes the last of two fields for the one that counts.
    CHECK(sentence(replaced(text, "  \"org_name\": \"acme\",\n",
                            "  \"org_name\": \"acme\",\n  \"org_name\": \"acme\",\n")) ==
          ": the plan was reformatted: its text is not as it was written");
}

TEST_CASE("plan text: a wrong field is named, whatever the checksum says") {
    auto const text = sample().to_text();
    auto const path = [&](std::string_view what, std::string_view by) {
        auto const read = Plan::parse(resealed(replaced(text, what, by)));
        REQUIRE_FALSE(read);
        return read.error().path();
    };
    CHECK(path("\"is_active\": true", "\"is_active\": 1") == "items[0].is_active");
    CHECK(path("\"step\": \"already\"", "\"step\": \"perhaps\"") == "items[1].step");
    CHECK(path("\"own_key\"", "\"any_key\"") == "items[0].guards");
    CHECK(path("\"kind\": \"revoke\"", "\"kind\": \"explode\"") == "action.kind");
    CHECK(path("\"kind\": \"revoke\"", "\"kind\": \"set_expiry\"") == "action.expiry");
    CHECK(path("\"time_to_live_ms\": ", "\"time_to_live_ms\": 1e") == "time_to_live_ms");
    CHECK(path("\"keys_in_tenant\": ", "\"keys_in_tenant\": -") == "keys_in_tenant");
    CHECK(path("\"as_of\": \"2026", "\"as_of\": \"20261") == "as_of");
    CHECK(path("  \"org_name\"", "  \"more\": 1,\n  \"org_name\"") == "");
    CHECK(path("\"reason\"", "\"why\"") == "items[0].reason");
}

TEST_CASE("plan text: names of any kind are shown without what acts on a reader, and read back") {
    std::vector<std::string> const names{
        std::string("\0\x01\x1B[31m\r\n\t\x7F", 12), "\u202Eevil\u2066\u200B\uFEFF\u00AD",
        "\U000E0041 tag \U0001F511 key", "<script>alert(1)</script> =cmd() \"\\", std::string(10'240, 'x')};
    for (auto const& name : names) {
        auto plan = sample();
        plan.items[0].name = name;
        plan.items[0].owner.first_name = name;
        plan.selection = name;
        auto const text = plan.to_text();
        for (std::string_view const acting :
             {"\x1B", "\u202E", "\u2066", "\u200B", "\uFEFF", "\x7F", "\r", "\u00AD", "\U000E0041"})
            CHECK(text.find(acting) == std::string::npos);
        auto const read = Plan::parse(text);
        REQUIRE(read);
        CHECK(*read == plan);
    }
    // What is no text at all, as a stand-in in a test may have it, is read back as a mark of that.
    auto plan = sample();
    plan.items[0].name = "a\xFF\xC0";
    CHECK(Plan::parse(plan.to_text()).value().items[0].name == "a\uFFFD\uFFFD");
}

TEST_CASE("plan text: random plans are read back") {
    sample::Random random(20'261'401);
    for (int i = 0; i < 200; ++i) {
        auto plan = sample();
        plan.action = actions()[random.below(actions().size())];
        plan.org_name = random.text(20);
        plan.selection = random.text(40);
        plan.as_of = random.instant();
        plan.notes = {random.text(30), random.text(3)};
        for (auto& item : plan.items) {
            item.name = random.text(30);
            item.reason = random.text(30);
            item.owner.last_name = random.text(10);
            item.expiry = random.one_in(4) ? Expiry::never() : Expiry::at(random.instant());
            if (random.one_in(2)) item.modified = random.instant();
        }
        auto const read = Plan::parse(plan.to_text());
        REQUIRE(read);
        CHECK(*read == plan);
    }
}

}  // namespace plan_text_test
