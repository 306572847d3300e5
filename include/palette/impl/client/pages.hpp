// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/core.hpp>
#include <palette/impl/client/paging.hpp>
#include <palette/impl/client/requests.hpp>

#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Reads the pages of one list, within the client's limits, one request after another.
//
//     Pages<wire::UserPage> pages(core, call, list_users, "/v1/users?limit=50");
//     for (;;) {
//         auto more = co_await pages.next();
//         if (!more) co_return std::move(more.error());
//         ... use pages.items() ...
//         if (!*more) break;
//     }
template <class Page>
class Pages {
public:
    Pages(Core& core, pipeline::Call& call, const pipeline::RequestKind& kind, std::string first)
        : core_(core),
          call_(call),
          kind_(kind),
          paging_(std::move(first), core.options().list_limits) {}

    // Reads the next page. Whether another one follows it.
    asio::awaitable<Result<bool>> next() {
        answer_.emplace(core_.base(), paging_.bytes_left(), paging_.too_many_bytes());
        HttpRequest request("GET", paging_.path());
        auto sent = co_await send(core_, call_, kind_, request, *answer_);
        if (!sent) co_return std::move(sent.error());
        // The Date of the first page: no element of the list was read earlier.
        if (!as_of_) as_of_ = time_of(core_, answer_->response());
        auto more = paging_.advance(std::move(page().next), answer_->received(), items().size());
        if (!more) co_return std::move(more.error()).attempts(call_.attempts());
        co_return more;
    }

    // Of the page that was read last.
    [[nodiscard]] Page& page() noexcept { return answer_->value(); }
    [[nodiscard]] auto& items() noexcept { return page().items; }

    // The service's time when it gave the first page; see time_of().
    [[nodiscard]] Instant as_of() const noexcept { return *as_of_; }

private:
    Core& core_;
    pipeline::Call& call_;
    const pipeline::RequestKind& kind_;
    Paging paging_;
    std::optional<DecodedAnswer<Page>> answer_;
    std::optional<Instant> as_of_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
