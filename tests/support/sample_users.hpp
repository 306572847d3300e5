// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace sample {

inline std::string user_uid(std::size_t number) {
    char uid[32];
    std::snprintf(uid, sizeof uid, "65e0beef%016zx", number);
    return uid;
}

// Who reads sample::user_list(), and is in it.
inline std::string identity() {
    return R"({"userUid":")" + user_uid(0) + R"(","tenantUid":"65aa00112233445566778899","orgName":"acme"})";
}

// The body of a list of `count` users as the service sends them, on one page. The owners of
// sample::key_list() are the first of them.
inline std::string user_list(std::size_t count) {
    std::string body = R"({"items":[)";
    for (std::size_t i = 0; i < count; ++i) {
        auto const number = std::to_string(i);
        if (i != 0) body += ',';
        body +=
            R"({"metadata":{"uid":")" + user_uid(i) + R"(","name":"ada-)" + number +
            R"(","creationTimestamp":"2025-01-01T09:30:00.000Z"},"spec":{"emailId":"ada-)" + number +
            R"(@acme.test","firstName":"Ada","lastName":"Lovelace","roles":["65b0000000000000000000aa"]},)" +
            R"("status":{"isActive":true,"isPasswordResetting":false,"activationLink":"",)" +
            R"("lastSignIn":"2025-06-05T08:00:00.000Z"}})";
    }
    return body + R"(],"listmeta":{"continue":"","count":)" + std::to_string(count) +
           R"(,"limit":50,"offset":0}})";
}

}  // namespace sample
