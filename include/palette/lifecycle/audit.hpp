// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/call_options.hpp>
#include <palette/client.hpp>
#include <palette/detail/start.hpp>
#include <palette/lifecycle/audit_policy.hpp>
#include <palette/lifecycle/audit_report.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

class BlockingApiKeyClient;

namespace detail {

PALETTE_KEYS_DECL void start_audit(ApiKeyClient& client, Handler<lifecycle::AuditReport> handler,
                                   lifecycle::AuditPolicy policy, CallOptions options);

}  // namespace detail
namespace lifecycle {

/// Looks at every key that the caller may see, and reports those that are expired, about to expire, old,
/// orphaned, forgotten or idle, each with its evidence and how well that is founded. Changes nothing.
///
///     auto report = co_await lifecycle::async_audit(client, lifecycle::AuditPolicy());
///     if (!report) co_return log(report.error().message());
///     write("audit.html", report->to_html());
///     if (!report->complete()) log("something was not judged: see the report");
///
/// Reads the caller's identity, the users, the limit on keys, the audit log if AuditPolicy::read_events()
/// says so, and the keys: each list once. For each owner who is not in the list of users, which has to be
/// complete, that user is read; before, after every 20 of them and at the end, a user of the list other than
/// the caller is read as well, to see that reading one succeeds. Takes as many requests as there are pages
/// and absent owners, and these, at the rate limit of the service.
///
/// CallOptions::deadline() bounds the whole audit. Without it each list has 10 minutes, for a large one takes
/// longer than ClientOptions::timeouts.total, and every other request has the bounds of the client. The other
/// options are those of each request.
///
/// A key that is created, changed or deleted meanwhile is reported as it was read. Use a credential that sees
/// all of the tenant: a plain user sees only keys of their own, and the report is about these.
///
/// Completes with a report. What cannot be read, such as a list of users that is refused (403), is named in
/// AuditReport::not_judged, and the rules that need it say nothing; the report is then not complete(). So it
/// is with owners who were not asked for by the deadline. docs/audit.md describes each rule.
///
/// Errors:
/// - errc::invalid_argument, before anything is read: a time of the policy that is negative or longer than a
///   century, a share outside of 0 to 1, an empty roster.
/// - errc::timeout: the deadline passed before all keys were read.
/// - errc::too_large: there are more keys than AuditPolicy::max_keys().
/// - those of async_whoami() and of reading the keys: without them there is no report.
///
/// Precondition: `client` outlives the operation.
///
/// Memory: holds the users, the uids and names of the keys, and the findings with their keys; while it runs,
/// also whole keys of owners who are not in the list of users, and of each create that marked its keys the
/// key of the last attempt. AuditPolicy::max_keys() bounds their number. Not the list of keys.
///
/// Cancellation: ends the operation with errc::operation_aborted, as ApiKeyClient::cancel() does.
///
/// Threads: as an operation of the client. Runs on a strand of the client's executor.
template <palette::detail::TokenFor<AuditReport> Token = boost::asio::deferred_t>
auto async_audit(ApiKeyClient& client, AuditPolicy policy, CallOptions options,
                 Token&& token = Token()) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<AuditReport>)>(
        palette::detail::InitiationOn<&palette::detail::start_audit, AuditReport, ApiKeyClient>(
            client, client.get_executor()),
        token, std::move(policy), std::move(options));
}
/// Same, with default options.
template <palette::detail::TokenFor<AuditReport> Token = boost::asio::deferred_t>
auto async_audit(ApiKeyClient& client, AuditPolicy policy, Token&& token = Token()) {
    return async_audit(client, std::move(policy), CallOptions(), std::forward<Token>(token));
}
/// Same, with the default policy and default options.
template <palette::detail::TokenFor<AuditReport> Token = boost::asio::deferred_t>
auto async_audit(ApiKeyClient& client, Token&& token = Token()) {
    return async_audit(client, AuditPolicy(), CallOptions(), std::forward<Token>(token));
}

/// Does the same as async_audit(), and waits for the result; for programs without an event loop. Any thread
/// but the client's own.
PALETTE_KEYS_DECL Result<AuditReport> audit(BlockingApiKeyClient& client,
                                            const AuditPolicy& policy = AuditPolicy(),
                                            const CallOptions& options = CallOptions());

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/audit/audit.ipp>
#endif
