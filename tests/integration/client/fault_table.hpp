// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/fault_expectations.hpp"

#include <palette/error.hpp>

#include <chrono>

// What a client does about every way in which the emulator misbehaves: the rules, one line each, for the
// three classes of requests. An operation follows from them by what is said in fault_expectations.hpp; the
// few that do not are exceptions, and have their reason.
//
// Read a line so: the fault as FaultRule has it; whether the request that meets it is applied all the same;
// what becomes of a read (list, find, get, whoami, users, events, limits), of a change (revoke, reactivate,
// set_active, remove, and the PUT of update and renew), and of a create; why.

namespace matrix {

using palette::errc;
using namespace std::chrono_literals;

// Met by the operation's principal request once, or, if it is of the service's behaviour, by every request.
inline const Row once[] = {
    // Delivery: what becomes of the answer.
    {"delay:50 x1", true, as_usual(), as_usual(), as_usual(), "late, and in time"},
    {"delay:2000 x1", true, refused(errc::timeout), in_doubt(errc::timeout), cut_short(errc::timeout),
     "W7: a create keeps a part of its time for looking what became of it"},
    {"drop-before x1", false, again(), again(), unseen(errc::transport),
     "W7, W18: sent, and no answer: a create is looked for and never sent again"},
    {"drop-after x1", true, again(), again(), remade(), "W7: found, removed, made anew"},
    {"apply-late:60 x1", true, again(), again(), remade(2), "W7: seen when it is looked for again"},
    {"apply-late:400 x1", true, again(), again(), unseen(errc::transport),
     "W7: not found proves nothing: it comes to be when nobody looks any more"},
    {"truncate x1", true, again(), again(), remade(), "half an answer is none"},
    {"reset x1", false, again(), again(), unseen(errc::transport), "as drop-before"},
    {"stall x1", false, refused(errc::timeout), in_doubt(errc::timeout), unseen(errc::timeout),
     "nothing can be sent again in no time"},
    {"drip:1 x1", true, as_usual(), as_usual(), as_usual(), "slow, and in time", 20s},
    {"drip:50 x1", true, refused(errc::timeout), in_doubt(errc::timeout), cut_short(errc::timeout),
     "a deadline is for the whole answer"},
    {"close-idle x1", true, as_usual(), as_usual(), as_usual(), "W18: the next request has a new connection"},

    // Answers that prove a refusal: final.
    {"status:400 x1", false, refused(errc::rejected), refused(errc::rejected), refused(errc::rejected), "W7"},
    {"status:401 x1", false, refused(errc::unauthorized), refused(errc::unauthorized),
     refused(errc::unauthorized), "W13: the provider has no other credential"},
    {"status:403 x1", false, refused(errc::forbidden), refused(errc::forbidden), refused(errc::forbidden),
     "W7"},
    {"status:404 x1", false, refused(errc::not_found), refused(errc::not_found), refused(errc::not_found),
     "W12: the first answer to a delete, too"},
    {"status:409 x1", false, refused(errc::conflict), refused(errc::conflict), refused(errc::conflict), "W7"},
    {"status:422 x1", false, refused(errc::rejected), refused(errc::rejected), refused(errc::rejected), "W7"},
    {"echo-credential x1", false, refused(errc::not_found), refused(errc::not_found),
     refused(errc::not_found), "W12: a 404; the credential in its text is seen nowhere"},
    {"html:403 x1", false, refused(errc::forbidden), refused(errc::forbidden), refused(errc::forbidden),
     "the status counts, whoever says it"},

    // 429 proves that nothing was done: again, after the time that it names.
    {"status:429 x1", false, held_back(), held_back(), held_back(), "W14"},
    {"retry-after:0 x1", false, held_back(), held_back(), held_back(), "W14: at once"},
    {"retry-after:1 x1", false, refused(errc::rate_limited), refused(errc::rate_limited),
     refused(errc::rate_limited), "W14: what does not fit into the deadline is not waited for"},
    {"retry-after:date x1", false, refused(errc::rate_limited), refused(errc::rate_limited),
     refused(errc::rate_limited), "W14: the date is two seconds ahead"},
    {"retry-after:99999999999999999999 x1", false, refused(errc::rate_limited), refused(errc::rate_limited),
     refused(errc::rate_limited), "W14: gigantic does not fit"},
    {"retry-after:banana x1", false, held_back(), held_back(), held_back(), "W14: as if it were not there"},
    {"retry-after:-5 x1", false, held_back(), held_back(), held_back(), "W14: as if it were not there"},

    // Answers that prove nothing.
    {"status:500 x1", false, again(), in_doubt(errc::server_error), unseen(errc::server_error),
     "W15: a read once more, a write never"},
    {"status:502 x1", false, again(), again(), unseen(errc::unavailable), "passing, but no proof"},
    {"status:503 x1", false, again(), again(), unseen(errc::unavailable), "passing, but no proof"},
    {"status:504 x1", false, again(), again(), unseen(errc::unavailable), "passing, but no proof"},
    {"html:502 x1", false, again(), again(), unseen(errc::unavailable), "a proxy's page"},
    {"status:418 x1", false, refused(errc::unexpected_status), in_doubt(errc::unexpected_status),
     unseen(errc::unexpected_status), "nobody knows what it means"},
    {"redirect:http://127.0.0.1:1/ x1", false, refused(errc::unexpected_status),
     in_doubt(errc::unexpected_status), unseen(errc::unexpected_status), "W17: not followed"},

    // A success that cannot be read. A change is a success with 204 alone.
    {"html:200 x1", false, refused(errc::not_json), in_doubt(errc::unexpected_status), unseen(errc::not_json),
     "W23: a portal's page"},
    {"garbage x1", true, refused(errc::not_json), in_doubt(errc::unexpected_status), remade(), "W23"},
    {"trailing x1", true, refused(errc::trailing_data), in_doubt(errc::unexpected_status), remade(),
     "W23: a body that is not sound gives no value"},
    {"wrong-type x1", true, refused(errc::wrong_type), in_doubt(errc::unexpected_status), remade(), "W23"},
    {"huge:10000 x1", true, refused(errc::wrong_type), in_doubt(errc::unexpected_status), remade(),
     "W23: a text, and nothing else"},
    {"huge:100000 x1", true, refused(errc::wrong_type), in_doubt(errc::unexpected_status), remade(),
     "W23: beyond what is read of a created key"},
    {"deep:100 x1", true, refused(errc::wrong_type), in_doubt(errc::unexpected_status), remade(),
     "W23: a list where the service documents none"},

    // Behaviour: see the exceptions for those whom it concerns.
    {"legacy-create", true, as_usual(), as_usual(), as_usual(), "no business of any other operation"},
    {"uid-is-user", true, as_usual(), as_usual(), as_usual(), "the same"},
    {"page:2", true, as_usual(), as_usual(), as_usual(), "only lists have pages"},
    {"list-lag:60000", true, as_usual(), as_usual(), as_usual(), "a list that lacks keys is a list"},
    {"strip-annotations", true, as_usual(), as_usual(), as_usual(), "a create has lost its nonce, no more"},
    {"deny-delete", true, as_usual(), as_usual(), as_usual(), "only remove deletes when all goes well"},
    {"late-activation:60000", true, as_usual(), as_usual(), as_usual(), "W16: nobody uses the new key"},
};

inline const Exception once_exceptions[] = {
    {"remove", "drop-after x1", success(3), "W12: the second meets 404, and whoami proves the credential"},
    {"remove", "truncate x1", success(3), "W12: the same"},
    {"remove", "apply-late:60 x1", success(2, 3), "W12: the same, if the first was quicker than the second"},
    {"update", "apply-late:60 x1", success(3, 5), "W6: as drop-before, or as drop-after if it was quick"},
    {"renew", "apply-late:60 x1", success(3, 5), "W6: the same"},
    {"update", "apply-late:400 x1", success(5), "W6: the look sees the key as before"},
    {"renew", "apply-late:400 x1", success(5), "W6: the same"},
    {"create", "apply-late:60 x1", success(5, 6), "W7: or seen at once, if that look was slow"},

    {"whoami", "huge:100000 x1", failure(errc::too_large, Effect::not_applied, 1),
     "W23: beyond what is read of somebody"},
    {"create", "legacy-create", failure(errc::missing_key_value, Effect::applied, 1),
     "W8: made without a value; the uid may be a user's, so nothing is done to it"},
    {"create", "uid-is-user", success(3), "W8: the read meets 404, and a list has the nonce"},
    {"list", "page:2", success(3), "W11: five keys"},
    {"find", "page:2", success(3), "W11: five keys"},
    {"find_user", "page:2", success(2), "W11: the fourth of four users"},
    {"list_users", "page:2", success(2), "W11: four users"},
    {"list_audit_events", "page:2", success(2), "W11: three events"},
    {"visit", "page:2", success(3), "W11: five keys"},
    {"visit_users", "page:2", success(2), "W11: four users"},
    {"update", "strip-annotations", failure(errc::conflict, Effect::applied, 3),
     "W6: what is read back lacks an annotation that was written"},
    {"renew", "strip-annotations", failure(errc::conflict, Effect::applied, 3), "W6: the same"},
    {"remove", "deny-delete", failure(errc::forbidden, Effect::not_applied, 1), "a 403"},
};

// Met by every principal request, of a client that makes three attempts. xN: by so many.
inline const Row lasting[] = {
    {"drop-before", false, given_up_unanswered(errc::transport), given_up_unanswered(errc::transport),
     unseen(errc::transport), "W18: on a reused connection once more, beyond the attempts"},
    {"drop-after", true, given_up_unanswered(errc::transport), given_up_unanswered(errc::transport),
     unmade(errc::transport), "W7: found and removed each time, so that nothing is left"},
    {"reset", false, given_up_unanswered(errc::transport), given_up_unanswered(errc::transport),
     unseen(errc::transport), "W18"},
    {"truncate", true, given_up(errc::truncated), given_up(errc::truncated), unmade(errc::truncated),
     "a part of the answer came: the connection was no stale one"},
    {"status:503", false, given_up(errc::unavailable), given_up(errc::unavailable), unseen(errc::unavailable),
     "three attempts"},
    {"html:502", false, given_up(errc::unavailable), given_up(errc::unavailable), unseen(errc::unavailable),
     "three attempts"},
    {"status:500", false, given_up_soon(errc::server_error), in_doubt(errc::server_error),
     unseen(errc::server_error), "W15: a read at most once more"},
    {"status:429 x6", false, held_back(6), held_back(6), held_back(6),
     "W14: bounded by the deadline, not by the attempts"},
    {"retry-after:0 x6", false, held_back(6), held_back(6), held_back(6), "W14: the same"},
    {"retry-after:1", false, refused(errc::rate_limited), refused(errc::rate_limited),
     refused(errc::rate_limited), "W14: does not fit"},
    {"status:401", false, refused(errc::unauthorized), refused(errc::unauthorized),
     refused(errc::unauthorized), "W13"},
    {"garbage", true, refused(errc::not_json), in_doubt(errc::unexpected_status), unmade(errc::not_json),
     "W7, W23"},
    {"stall", false, refused(errc::timeout), in_doubt(errc::timeout), unseen(errc::timeout),
     "one attempt has all the time there is"},
};

}  // namespace matrix
