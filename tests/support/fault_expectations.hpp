// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/sanitized.hpp"

#include <palette/error.hpp>

#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

// From what a client does about one request that meets a fault to how an operation ends, and after how many
// requests.
namespace matrix {

using palette::Effect;
using palette::errc;

// What becomes of the request.
struct Fate {
    enum Kind {
        as_usual,             // it is answered, and the answer is good
        again,                // once more, though it may have been applied
        held_back,            // once more, or `times` more: 429, so nothing was done
        refused,              // final, and nothing was done
        in_doubt,             // final, and nobody knows
        given_up,             // three attempts
        given_up_unanswered,  // three attempts, and one more where the first had a reused connection
        given_up_soon,        // two attempts
        // Of a create alone:
        remade,     // found by a list, removed, and made anew
        unseen,     // looked for and not found: perhaps there is a key
        unmade,     // three times found and removed: there is none
        cut_short,  // found and removed, and made anew if the deadline leaves time for that
    };
    Kind kind;
    errc code = errc::invalid_argument;  // of the error, where there is one
    int times = 1;                       // 429s, or lists until it is found
};

constexpr Fate as_usual() {
    return {Fate::as_usual};
}
constexpr Fate again() {
    return {Fate::again};
}
constexpr Fate held_back(int times = 1) {
    return {Fate::held_back, {}, times};
}
constexpr Fate refused(errc code) {
    return {Fate::refused, code};
}
constexpr Fate in_doubt(errc code) {
    return {Fate::in_doubt, code};
}
constexpr Fate given_up(errc code) {
    return {Fate::given_up, code};
}
constexpr Fate given_up_unanswered(errc code) {
    return {Fate::given_up_unanswered, code};
}
constexpr Fate given_up_soon(errc code) {
    return {Fate::given_up_soon, code};
}
constexpr Fate remade(int lists = 1) {
    return {Fate::remade, {}, lists};
}
constexpr Fate unseen(errc code) {
    return {Fate::unseen, code};
}
constexpr Fate unmade(errc code) {
    return {Fate::unmade, code};
}
constexpr Fate cut_short(errc code) {
    return {Fate::cut_short, code};
}

// How an operation ends. Some counts are a matter of time: how often a list is asked for while it settles.
struct Ending {
    std::optional<errc> code;  // none: success
    Effect effect = Effect::not_applied;
    int least = 0;  // requests
    int most = 0;

    [[nodiscard]] bool admits(const Ending& seen) const {
        return code == seen.code && (!code || effect == seen.effect) && least <= seen.least &&
               seen.most <= most;
    }
    [[nodiscard]] Ending plus(int requests) const {
        return {code, effect, least + requests, most + requests};
    }
    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        if (code)
            out << *code << ", " << effect;
        else
            out << "success";
        out << " after " << least;
        if (most != least) out << " to " << most;
        out << " requests";
        return out.str();
    }
};

constexpr Ending success(int least, int most = 0) {
    return {std::nullopt, Effect::not_applied, least, most == 0 ? least : most};
}
constexpr Ending failure(errc code, Effect effect, int least, int most = 0) {
    return {code, effect, least, most == 0 ? least : most};
}

struct Row {
    std::string_view fault;
    bool is_applied;  // the request that meets it
    Fate read;
    Fate change;
    Fate create;
    std::string_view why;
    std::chrono::milliseconds deadline = std::chrono::milliseconds{500};
};

// What does not follow from the class. Requests are counted without whoami for a create.
struct Exception {
    std::string_view operation;
    std::string_view fault;
    Ending ending;
    std::string_view why;
};

enum class Class { read, change, create };

// An operation: its class, its principal request, which is the one that meets the fault, and how many others
// come before and after it when all is well.
struct Shape {
    std::string_view name;
    Class kind;
    std::string_view method;
    std::string_view path;  // {uid}: of the key that is touched; {user}: of somebody; {tenant}
    int before = 0;
    int after = 0;
};

inline constexpr Shape shapes[] = {
    {"list", Class::read, "GET", "/v1/apiKeys"},
    {"find", Class::read, "GET", "/v1/apiKeys"},
    {"get", Class::read, "GET", "/v1/apiKeys/{uid}"},
    {"create", Class::create, "POST", "/v1/apiKeys", 0, 1},       // is read: W8
    {"update", Class::change, "PUT", "/v1/apiKeys/{uid}", 1, 1},  // is read before and after: W6
    {"renew", Class::change, "PUT", "/v1/apiKeys/{uid}", 1, 1},   // the same
    {"revoke", Class::change, "PUT", "/v1/apiKeys/{uid}/state"},
    {"reactivate", Class::change, "PUT", "/v1/apiKeys/{uid}/state"},
    {"set_active", Class::change, "PATCH", "/v1/apiKeys/{uid}"},
    {"remove", Class::change, "DELETE", "/v1/apiKeys/{uid}"},
    {"whoami", Class::read, "GET", "/v1/users/info"},
    {"find_user", Class::read, "GET", "/v1/users"},
    {"list_users", Class::read, "GET", "/v1/users"},
    {"get_user", Class::read, "GET", "/v1/users/{user}"},
    {"list_audit_events", Class::read, "GET", "/v1/audits"},
    {"key_limit", Class::read, "GET", "/v1/tenants/{tenant}/resourceLimits"},
    {"visit", Class::read, "GET", "/v1/apiKeys"},
    {"visit_users", Class::read, "GET", "/v1/users"},
};

constexpr Fate fate(const Row& row, Class kind) {
    return kind == Class::read ? row.read : kind == Class::change ? row.change : row.create;
}

// The two operations that read, write, and read: a write that may have been applied is looked for before
// it is written again (W6), so that nobody else's change is overwritten by the second.
constexpr bool looks_first(const Shape& shape) {
    return shape.kind == Class::change && shape.before > 0;
}

constexpr Ending ending(const Shape& shape, const Row& row, bool is_reused) {
    auto const [kind, code, times] = fate(row, shape.kind);
    auto const usual = shape.before + 1 + shape.after;
    auto const until_fault = shape.before + 1;
    auto const doubtful = shape.kind == Class::read ? Effect::not_applied : Effect::unknown;
    // A create is looked for at once, after 100 ms, and perhaps when the 150 ms are over that are set for it.
    constexpr int min_lists = sanitized ? 1 : 2;
    constexpr int max_lists = 3;

    switch (kind) {
        case Fate::as_usual:
            return success(usual);
        case Fate::again:
            // The look that finds it written is the reading back.
            return success(!looks_first(shape) ? usual + 1 : row.is_applied ? usual : usual + 2);
        case Fate::held_back:
            return success(usual + times);
        case Fate::refused:
            return failure(code, Effect::not_applied, until_fault);
        case Fate::in_doubt:
            return failure(code, Effect::unknown, until_fault);
        case Fate::given_up:
        case Fate::given_up_unanswered:
            if (looks_first(shape))
                return row.is_applied ? success(usual) : failure(code, doubtful, shape.before + 3 * 2);
            return failure(code, doubtful, kind == Fate::given_up_unanswered && is_reused ? 4 : 3);
        case Fate::given_up_soon:
            return failure(code, doubtful, until_fault + 1);
        case Fate::remade:
            return success(usual + 2 + times);  // POST, lists, DELETE
        case Fate::unseen:
            return failure(code, Effect::unknown, 1 + min_lists, 1 + max_lists);
        case Fate::unmade:
            return failure(code, Effect::not_applied, 3 * 3);
        case Fate::cut_short:
            return failure(code, Effect::not_applied, 3);
    }
    return {};
}

}  // namespace matrix
