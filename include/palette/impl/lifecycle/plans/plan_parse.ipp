// SPDX-License-Identifier: BSL-1.0
#pragma once

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

// Reads the fields of an object, each of which has to be there, and no other. The first fault is kept.
class PlanFields {
public:
    PlanFields(const boost::json::object& object, std::string place)
        : object_(object),
          place_(std::move(place)) {}

    const boost::json::value* value(std::string_view name) {
        ++read_;
        auto const* const found = object_.if_contains(name);
        if (found == nullptr) fail(name, "is missing");
        return found;
    }
    void read(std::string_view name, std::string& to) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        auto const* const text = found->if_string();
        if (text == nullptr) return fail(name, "is no text");
        to.assign(text->data(), text->size());
    }
    void read(std::string_view name, bool& to) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        if (!found->is_bool()) return fail(name, "is neither true nor false");
        to = found->get_bool();
    }
    void read(std::string_view name, std::chrono::milliseconds& to) {
        auto const* const found = value(name);
        if (found == nullptr) return;
        if (!found->is_int64()) return fail(name, "is no number");
        to = std::chrono::milliseconds(found->get_int64());
    }
    void read(std::string_view name, std::size_t& to) {
        std::chrono::milliseconds number{0};
        read(name, number);
        if (number.count() < 0) return fail(name, "is negative");
        to = static_cast<std::size_t>(number.count());
    }
    void read(std::string_view name, Expiry& to) {
        std::string text;
        read(name, text);
        if (fault_) return;
        auto const parsed = Expiry::parse(text);
        if (!parsed) return fail(name, "is no time");
        to = *parsed;
    }
    void read(std::string_view name, Instant& to) {
        Expiry time;
        read(name, time);
        if (fault_) return;
        if (time.is_never()) return fail(name, "is no time");
        to = *time.instant();
    }
    template <class T>
    void read(std::string_view name, std::optional<T>& to) {
        auto const* const found = object_.if_contains(name);
        if (found == nullptr || !found->is_null()) return read(name, to.emplace());
        ++read_;
        to.reset();
    }
    // One of the names that to_string() gives to 0 and the next numbers.
    template <class Enum>
    void read_name(std::string_view name, Enum& to) {
        std::string text;
        read(name, text);
        if (!fault_ && !named(text, to)) fail(name, "is no name that is known");
    }
    template <class Enum>
    static bool named(std::string_view text, Enum& to) {
        for (int i = 0;; ++i) {
            auto const candidate = to_string(static_cast<Enum>(i));
            if (candidate.empty()) return false;
            if (candidate != text) continue;
            to = static_cast<Enum>(i);
            return true;
        }
    }

    void fail(std::string_view name, const char* what) {
        if (!fault_)
            fault_ = Error(errc::bad_value, std::string("a field of the plan ") + what)
                         .path(place_ + std::string(name));
    }
    void take_fault_of(const PlanFields& inner) {
        if (!fault_) fault_ = inner.fault_;
    }
    // After everything was read.
    void end() {
        if (object_.size() != read_ && !fault_)
            fault_ = Error(errc::bad_value, "the plan has a field that is not known").path(place_);
    }
    [[nodiscard]] const std::optional<Error>& fault() const noexcept { return fault_; }

private:
    const boost::json::object& object_;
    std::string place_;
    std::size_t read_ = 0;
    std::optional<Error> fault_;
};

inline void read_action(PlanFields& fields, Action& to) {
    auto const* const value = fields.value("action");
    if (value == nullptr) return;
    auto const* const object = value->if_object();
    if (object == nullptr) return fields.fail("action", "is no object");
    PlanFields inner(*object, "action.");
    auto kind = ActionKind::revoke;
    std::chrono::milliseconds duration{0};
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<Expiry> expiry;
    inner.read_name("kind", kind);
    inner.read("duration_ms", duration);
    inner.read("name", name);
    inner.read("description", description);
    inner.read("expiry", expiry);
    if (kind == ActionKind::set_expiry && !expiry) inner.fail("expiry", "is missing");
    inner.end();
    fields.take_fault_of(inner);
    if (inner.fault()) return;
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

inline void read_guards(PlanFields& fields, std::vector<palette::lifecycle::Guard>& to) {
    auto const* const value = fields.value("guards");
    if (value == nullptr) return;
    auto const* const array = value->if_array();
    if (array == nullptr) return fields.fail("guards", "is no list");
    for (auto const& element : *array) {
        auto const* const text = element.if_string();
        auto& guard = to.emplace_back();
        if (text == nullptr || !PlanFields::named({text->data(), text->size()}, guard))
            return fields.fail("guards", "holds what is no guard");
    }
}

inline void read_item(PlanFields& fields, PlanItem& item) {
    fields.read("uid", item.uid);
    fields.read("name", item.name);
    fields.read("owner_uid", item.owner.uid);
    fields.read("owner_first_name", item.owner.first_name);
    fields.read("owner_last_name", item.owner.last_name);
    fields.read("is_active", item.is_active);
    fields.read("expiry", item.expiry);
    fields.read("modified", item.modified);
    fields.read_name("step", item.step);
    fields.read("target", item.target);
    fields.read("reason", item.reason);
    read_guards(fields, item.guards);
    fields.end();
}

inline void read_items(PlanFields& fields, std::vector<PlanItem>& to) {
    auto const* const value = fields.value("items");
    if (value == nullptr) return;
    auto const* const array = value->if_array();
    if (array == nullptr) return fields.fail("items", "is no list");
    for (auto const& element : *array) {
        auto const* const object = element.if_object();
        if (object == nullptr) return fields.fail("items", "holds what is no object");
        PlanFields inner(*object, "items[" + std::to_string(to.size()) + "].");
        read_item(inner, to.emplace_back());
        fields.take_fault_of(inner);
        if (fields.fault()) return;
    }
}

inline void read_notes(PlanFields& fields, std::vector<std::string>& to) {
    auto const* const value = fields.value("notes");
    if (value == nullptr) return;
    auto const* const array = value->if_array();
    if (array == nullptr) return fields.fail("notes", "is no list");
    for (auto const& element : *array) {
        auto const* const text = element.if_string();
        if (text == nullptr) return fields.fail("notes", "holds what is no text");
        to.emplace_back(text->data(), text->size());
    }
}

inline std::optional<Error> read_plan(const boost::json::object& object, Plan& plan, std::string& digest) {
    PlanFields fields(object, "");
    std::size_t schema = 0;
    fields.read("palette_plan", schema);
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
    fields.read("as_of", plan.as_of);
    fields.read("time_to_live_ms", plan.time_to_live);
    read_action(fields, plan.action);
    fields.read("quarantine_ms", plan.quarantine);
    fields.read("selection", plan.selection);
    fields.read("keys_in_tenant", plan.keys_in_tenant);
    read_notes(fields, plan.notes);
    read_items(fields, plan.items);
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
