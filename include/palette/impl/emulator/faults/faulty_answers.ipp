// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/faults/faulty_answers.hpp>
#include <palette/impl/emulator/service/bodies.hpp>
#include <palette/impl/emulator/service/refusal.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline Response answer_with_status(int status) {
    if (status < 400) return {.status = status, .body = "{}"};
    // With the code that the service itself gives for the status: clients tell errors apart by it.
    std::string const code = status == 429   ? "TooManyRequests"
                             : status == 404 ? "ResourceNotFound"
                                             : "OperationalError";
    return Refusal(status, code, "a fault that was asked for").response();
}

inline std::string seconds_or_date(const std::string& value, Instant now) {
    if (value != "date") return value;
    // A date has whole seconds: rounded up, at least two seconds are left to wait.
    auto const then = std::chrono::ceil<std::chrono::seconds>(now) + std::chrono::seconds{2};
    return http_date(then.time_since_epoch().count());
}

inline Response html_page(int status) {
    auto const title = std::to_string(status) + ' ' + std::string(reason_phrase(status));
    return {.status = status,
            .body = "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title +
                    "</h1></body></html>\n",
            .content_type = "text/html"};
}

// As careless servers do.
inline Response echo(const Request& request, std::string_view parameter) {
    std::string message = "no resource is found for";
    auto const add = [&](std::string_view credential) {
        if (credential.empty()) return;
        // In two spellings, for a client that redacts the raw one alone leaks the other.
        message += " '" + std::string(credential) + "' (" + percent_encoded(credential) + ')';
    };
    add(request.header("ApiKey").value_or(""));
    add(request.header("Authorization").value_or(""));
    add(parameter);
    try {
        add(read_log_in_body(request.body).password);
    } catch (const Refusal&) {  // not the body of a login
    }
    return not_found(message).response();
}

PALETTE_KEYS_INLINE std::optional<Response> answer_in_place(const testing::FaultRule& fault,
                                                            const Request& request,
                                                            std::string_view parameter, Instant now) {
    using Kind = testing::FaultRule::Kind;
    switch (fault.kind()) {
        case Kind::status:
            return answer_with_status(static_cast<int>(fault.number()));
        case Kind::retry_after: {
            auto response = answer_with_status(429);
            response.headers.emplace_back("Retry-After", seconds_or_date(fault.text(), now));
            return response;
        }
        case Kind::html:
            return html_page(static_cast<int>(fault.number()));
        case Kind::redirect:
            return Response{.status = 307, .headers = {{"Location", fault.text()}}};
        case Kind::echo_credential:
            return echo(request, parameter);
        default:
            return std::nullopt;
    }
}

PALETTE_KEYS_INLINE void spoil(Response& response, const testing::FaultRule& fault) {
    using Kind = testing::FaultRule::Kind;
    auto const replace = [&](std::string body) {
        // A 204 cannot carry the bad body, and the client would see a success.
        if (!response.has_body()) response.status = 200;
        response.body = std::move(body);
    };
    switch (fault.kind()) {
        case Kind::garbage:
            response.status = 200;
            // Not UTF-8 either: a client that quotes it in an error has to escape it.
            response.body = "%PDF-1.4 \xFF\xFE this is not JSON";
            break;
        case Kind::trailing:
            replace((response.body.empty() ? "{}" : response.body) + "\n{\"junk\":true}");
            break;
        case Kind::wrong_type:
            replace(
                // The members of all answers in one, so that the fault fits whatever was asked for.
                R"({"items":7,"listmeta":[],"metadata":"text","spec":[1],"status":"on","apiKey":17,)"
                R"("uid":{},"code":4,"message":{},"ref":[],"Authorization":false,"isMfa":"no","userUid":1,"tenantUid":2,"orgName":3,"resources":5})");
            break;
        case Kind::huge:
            replace("\"");
            // One string of JSON, so that its size is all that a client can object to. Two bytes are its
            // quotes.
            response.rest = {{"x", fault.number() - 2}, {"\"", 1}};
            break;
        case Kind::deep:
            replace({});
            response.rest = {{"[", fault.number()}, {"]", fault.number()}};
            break;
        default:
            break;
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
