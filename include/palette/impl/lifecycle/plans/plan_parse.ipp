// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/json_fields.hpp>
#include <palette/impl/lifecycle/plans/plan_text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

using palette::lifecycle::Action;
using palette::lifecycle::ActionKind;
using palette::lifecycle::PlanItem;

inline constexpr auto plan_field = "a field of the plan";

inline void read_time(JsonFields& fields, std::string_view name, Instant& to) {
    Expiry time;
    fields.read(name, time);
    if (fields.fault()) return;
    if (time.is_never()) return fields.fail(name, "is no time");
    to = *time.instant();
}

struct ActionFields {
    ActionKind kind = ActionKind::revoke;
    std::chrono::milliseconds duration{0};
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<Expiry> expiry;
};

inline void read_action_fields(JsonFields& fields, ActionFields& to) {
    // Each field is there for every kind of action, null where it has no meaning: there is one way to write a
    // plan.
    fields.read_name("kind", to.kind);
    fields.read("duration_ms", to.duration);
    fields.read("name", to.name);
    fields.read("description", to.description);
    fields.read("expiry", to.expiry);
    // The expiry is taken below without another look.
    if (to.kind == ActionKind::set_expiry && !to.expiry) fields.fail("expiry", "is missing");
    fields.end();
}

inline void read_action(JsonFields& fields, Action& to) {
    auto const* const value = fields.value("action");
    if (value == nullptr) return;
    ActionFields action;
    fields.read_object("action", *value, [&action](JsonFields& inner) { read_action_fields(inner, action); });
    if (fields.fault()) return;
    auto& [kind, duration, name, description, expiry] = action;
    ApiKeyEdit edit;
    if (name) edit.name(*std::move(name));
    if (description) edit.description(*std::move(description));
    if (expiry) edit.expires(*expiry);
    switch (kind) {
        case ActionKind::revoke:
            to = Action::revoke();
            break;
        case ActionKind::reactivate:
            to = Action::reactivate();
            break;
        case ActionKind::remove:
            to = Action::remove();
            break;
        case ActionKind::extend:
            to = Action::extend(duration);
            break;
        case ActionKind::set_expiry:
            to = Action::set_expiry(*expiry);
            break;
        case ActionKind::edit:
            to = Action::edit(std::move(edit));
            break;
    }
}

inline void read_guards(JsonFields& fields, std::vector<palette::lifecycle::Guard>& to) {
    fields.read_list("guards", [&](const std::string& /*place*/, const boost::json::value& element) {
        auto const* const text = element.if_string();
        auto const guard = text == nullptr
                               ? std::nullopt
                               : value_named<palette::lifecycle::Guard>({text->data(), text->size()});
        // A guard of a later version must not be lost in silence.
        if (!guard) return fields.fail("guards", "holds what is no guard");
        to.push_back(*guard);
    });
}

inline void read_item(JsonFields& fields, PlanItem& item) {
    fields.read("uid", item.uid);
    fields.read("name", item.name);
    fields.read("owner_uid", item.owner.uid);
    fields.read("owner_first_name", item.owner.first_name);
    fields.read("owner_last_name", item.owner.last_name);
    fields.read("is_active", item.is_active);
    fields.read("expiry", item.expiry);
    std::optional<Expiry> modified;
    fields.read("modified", modified);
    if (modified && modified->is_never()) fields.fail("modified", "is no time");
    if (modified) item.modified = modified->instant();
    fields.read_name("step", item.step);
    fields.read("target", item.target);
    fields.read("reason", item.reason);
    read_guards(fields, item.guards);
    fields.end();
}

inline void read_items(JsonFields& fields, std::vector<PlanItem>& to) {
    fields.read_list("items", [&](const std::string& place, const boost::json::value& element) {
        fields.read_object(place, element, [&to](JsonFields& inner) { read_item(inner, to.emplace_back()); });
    });
}

inline void read_notes(JsonFields& fields, std::vector<std::string>& to) {
    fields.read_list("notes", [&](const std::string& place, const boost::json::value& element) {
        auto const* const text = element.if_string();
        if (text == nullptr) return fields.fail(place, "is no text");
        to.emplace_back(text->data(), text->size());
    });
}

inline std::optional<Error> read_plan(const boost::json::object& object, Plan& plan, std::string& digest) {
    JsonFields fields(object, plan_field);
    std::size_t schema = 0;
    fields.read("palette_plan", schema);
    // The schema before all else, since a later one may name its fields in another way.
    if (fields.fault()) return fields.fault();
    if (schema != plan_schema)
        return Error(errc::bad_value, "the plan has schema " + std::to_string(schema) +
                                          ", and this version of the library knows schema 1 alone")
            .path("palette_plan")
            .advice("use the version of the library that wrote it, or make a new plan");
    fields.read("sha256", digest);
    fields.read("tenant_uid", plan.tenant_uid);
    fields.read("org_name", plan.org_name);
    fields.read("actor_uid", plan.actor_uid);
    read_time(fields, "as_of", plan.as_of);
    fields.read("time_to_live_ms", plan.time_to_live);
    read_action(fields, plan.action);
    fields.read("quarantine_ms", plan.quarantine);
    fields.read("selection", plan.selection);
    fields.read("keys_in_tenant", plan.keys_in_tenant);
    read_notes(fields, plan.notes);
    read_items(fields, plan.items);
    // A field that nobody knows would be reviewed, and not applied.
    fields.end();
    return fields.fault();
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE Result<Plan> Plan::parse(std::string_view text) {
    constexpr auto advice = "take the text as it was written, or make a new plan";
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({text.data(), text.size()}, ec);
    auto const* const object = ec ? nullptr : parsed.if_object();
    if (object == nullptr)
        return Error(errc::bad_value, "the text is no plan, or a plan that was cut").advice(advice);
    Plan plan;
    std::string digest;
    if (auto fault = impl::lifecycle::read_plan(*object, plan, digest)) {
        if (!fault->has_own_advice()) fault->advice(advice);
        return *std::move(fault);
    }
    if (digest != plan.digest())
        return Error(errc::bad_value, "the plan was changed: its checksum is another")
            .path("sha256")
            .advice(advice);
    // The checksum covers the content. That the text says the same in other bytes, such as other ends of
    // lines or a field that comes twice, is not what was reviewed.
    if (impl::lifecycle::text_of(plan, digest) != text)
        return Error(errc::bad_value, "the plan was reformatted: its text is not as it was written")
            .advice(advice);
    return plan;
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
