// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/operations.hpp>
#include <palette/impl/client/core.hpp>
#include <palette/impl/pipeline/answer.hpp>

#include <functional>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Refuses what can be refused of an operation before anything is sent. Otherwise tells the request that it
// sends first, for whose turn it queues; null if that is not certain, or if there is none.
using FirstRequest = Result<const pipeline::RequestKind*>;
FirstRequest check(const Core& core, const detail::ListKeys& list);
FirstRequest check(const Core& core, const detail::GetKey& get);
FirstRequest check(const Core& core, const detail::CreateKey& create);
FirstRequest check(const Core& core, const detail::ReconcileCreate& reconcile);
FirstRequest check(const Core& core, const detail::UpdateKey& update);
FirstRequest check(const Core& core, const detail::FindKey& find);
FirstRequest check(const Core& core, const detail::RenewKey& renew);
FirstRequest check(const Core& core, const detail::RenewKeyUntil& renew);
FirstRequest check(const Core& core, const detail::RevokeKey& revoke);
FirstRequest check(const Core& core, const detail::ReactivateKey& reactivate);
FirstRequest check(const Core& core, const detail::SetKeyActive& set);
FirstRequest check(const Core& core, const detail::RemoveKey& remove);
FirstRequest check(const Core& core, const detail::WhoAmI& whoami);
FirstRequest check(const Core& core, const detail::DescribeCaller& describe);
FirstRequest check(const Core& core, const detail::FindUser& find);
FirstRequest check(const Core& core, const detail::ListUsers& list);
FirstRequest check(const Core& core, const detail::GetUser& get);
FirstRequest check(const Core& core, const detail::ListAuditEvents& list);
FirstRequest check(const Core& core, const detail::TellKeyLimit& tell);
FirstRequest check(const Core& core, const detail::VisitKeys& visit);
FirstRequest check(const Core& core, const detail::VisitUsers& visit);
FirstRequest check(const Core& core, const detail::TellServiceTime& tell);
FirstRequest check(const Core& core, const detail::Wait& wait);
FirstRequest check(const Core& core, const detail::WaitForEnd& wait);
FirstRequest check(const Core& core, const detail::CloseClient& close);

// What each operation does, as a coroutine on the client's strand, once it has been checked and the turn of
// its first request has come. The core and the call outlive it.
asio::awaitable<Result<KeyList>> perform(Core& core, pipeline::Call& call, detail::ListKeys list);
// Which keys of a list are wanted; null: all. The time is that of the service when it gave the list.
using Wanted = std::function<bool(const ApiKey& key, Instant as_of)>;
Wanted wanted_by(ListFilter filter);
asio::awaitable<Result<KeyList>> list_wanted(Core& core, pipeline::Call& call, Wanted wanted);
asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call, detail::FindKey find);
asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call, detail::GetKey get);
// The same, with the service's time when it answered; this machine's if the answer does not tell.
asio::awaitable<Result<ApiKey>> get_as_of(Core& core, pipeline::Call& call, std::string uid, Instant* as_of);
asio::awaitable<Result<CreatedApiKey>> perform(Core& core, pipeline::Call& call, detail::CreateKey create);
asio::awaitable<Result<Reconciliation>> perform(Core& core, pipeline::Call& call,
                                                detail::ReconcileCreate reconcile);
asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call, detail::UpdateKey update);
asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call, detail::RenewKey renew);
asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call, detail::RenewKeyUntil renew);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::RevokeKey revoke);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::ReactivateKey reactivate);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::SetKeyActive set);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::RemoveKey remove);
asio::awaitable<Result<Identity>> perform(Core& core, pipeline::Call& call, detail::WhoAmI whoami);
asio::awaitable<Result<Caller>> perform(Core& core, pipeline::Call& call, detail::DescribeCaller describe);
asio::awaitable<Result<User>> perform(Core& core, pipeline::Call& call, detail::FindUser find);
asio::awaitable<Result<UserList>> perform(Core& core, pipeline::Call& call, detail::ListUsers list);
asio::awaitable<Result<User>> perform(Core& core, pipeline::Call& call, detail::GetUser get);
asio::awaitable<Result<AuditEventList>> perform(Core& core, pipeline::Call& call,
                                                detail::ListAuditEvents list);
asio::awaitable<Result<KeyLimit>> perform(Core& core, pipeline::Call& call, detail::TellKeyLimit tell);
asio::awaitable<Result<Visit>> perform(Core& core, pipeline::Call& call, detail::VisitKeys visit);
asio::awaitable<Result<Visit>> perform(Core& core, pipeline::Call& call, detail::VisitUsers visit);
asio::awaitable<Result<Instant>> perform(Core& core, pipeline::Call& call, detail::TellServiceTime tell);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::Wait wait);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::WaitForEnd wait);
asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call, detail::CloseClient close);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/changing.ipp>
#    include <palette/impl/client/creating.ipp>
#    include <palette/impl/client/reading.ipp>
#    include <palette/impl/client/reading_audit.ipp>
#    include <palette/impl/client/reading_users.ipp>
#    include <palette/impl/client/reconciling.ipp>
#    include <palette/impl/client/visits.ipp>
#endif
