// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace sample {

// The body of a list of `count` keys as the service sends them: six annotations a key.
inline std::string key_list(std::size_t count) {
    std::string body = R"({"items":[)";
    for (std::size_t i = 0; i < count; ++i) {
        char uid[32];
        std::snprintf(uid, sizeof uid, "65f1c0de%016zx", i * 2654435761u);
        char owner[32];
        std::snprintf(owner, sizeof owner, "65e0beef%016zx", i % 97);
        auto const stamp = [i](std::size_t year) {
            char text[32];
            std::snprintf(text, sizeof text, "%zu-%02zu-%02zuT%02zu:%02zu:%02zu.%03zuZ", year,
                          (i + year) % 12 + 1, i % 28 + 1, i % 24, i % 60, (i * 7 + year) % 60,
                          (i * 13 + year * 11) % 1000);
            return std::string(text);
        };
        auto const number = std::to_string(i);
        if (i != 0) body += ',';
        body +=
            R"({"metadata":{"annotations":{"description":"nightly build )" + number + R"(","ownerUid":")" +
            owner + R"(","permissions":"apiKey.read,apiKey.write","scope":"tenant","scopeVisibility":"20",)" +
            R"("tenantUid":"65aa00112233445566778899"},"creationTimestamp":")" + stamp(2025) +
            R"(","deletionTimestamp":"0001-01-01T00:00:00.000Z","lastModifiedTimestamp":")" + stamp(2026) +
            R"(","name":"ci-)" + number + R"(","uid":")" + uid + R"("},"spec":{"expiry":")" + stamp(2027) +
            R"(","user":{"firstName":"Ada","lastName":"Lovelace","uid":")" + owner +
            R"("}},"status":{"isActive":)" + (i % 3 == 0 ? "false" : "true") + "}}";
    }
    return body + "]}";
}

}  // namespace sample
