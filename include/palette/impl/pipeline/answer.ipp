// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/answer.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

PALETTE_KEYS_INLINE Error refusal_of(const HttpResponse& response, ServerWords words,
                                     const RequestKind& kind) {
    auto const code = code_of_status(response.status);
    std::string what;
    std::string advice;
    auto const is_create = kind.safety == Safety::once && !kind.names_one();
    if (response.status >= 300 && response.status < 400) {
        what = "the service redirects elsewhere, and credentials do not follow";
    } else if (response.header("Content-Type").find("html") != std::string_view::npos) {
        what = "something between here and the service answered with a page of HTML";
        advice = "check that the host is the Palette API and not a proxy or portal";
    } else if (code == errc::not_found && kind.names_one() && kind.subject != "key") {
        what.append("there is no such ").append(kind.subject);
        advice.append("check the uid; the ").append(kind.subject).append(" may have been removed");
    } else if (code == errc::not_found && !kind.names_one()) {
        // No uid was in the path; but the user of a new key is named in the body.
        what = "the service did not find what the request is about";
        advice = is_create ? "check the uid of the user, and that the host is the Palette API"
                           : "check the credential, and that the host is the Palette API";
    } else if (code == errc::conflict && is_create) {
        what = "the service does not accept the key beside those there are";
        advice = "change what the service names, and call again";
    } else if (code == errc::conflict && kind.changes()) {
        // It is the service that says so: what was read before has no part in it.
        what = "the service does not accept this in the state in which the key is";
        advice = "read the key, and decide anew";
    } else if (code == errc::conflict) {
        what = "the service reports a conflict over a read";
        advice = "check that the host is the Palette API and not a proxy or portal";
    }
    return Error(code, std::move(what))
        .advice(std::move(advice))
        .status(response.status)
        .server(std::move(words.code), std::move(words.message), std::move(words.ref));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
