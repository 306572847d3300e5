// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

// Providers of credentials, asked as a client asks them.
namespace asking {

using Reason = palette::CredentialRequest::Reason;
using CredentialPtr = std::shared_ptr<const palette::Credential>;

inline constexpr palette::Instant noon =
    std::chrono::sys_days{std::chrono::year{2027} / 1 / 31} + std::chrono::hours{12};

inline boost::asio::awaitable<void> keep_answer(std::shared_ptr<palette::AuthProvider> provider,
                                                palette::CredentialRequest request,
                                                std::optional<palette::Result<CredentialPtr>>& answer) {
    answer = co_await provider->credential(std::move(request));
}

inline palette::Result<CredentialPtr> ask(const std::shared_ptr<palette::AuthProvider>& provider,
                                          palette::Transport& transport, Reason reason = Reason::first,
                                          CredentialPtr previous = nullptr) {
    boost::asio::io_context context;
    std::optional<palette::Result<CredentialPtr>> answer;
    palette::CredentialRequest request(reason, std::move(previous), transport, noon);
    boost::asio::co_spawn(context, keep_answer(provider, std::move(request), answer),
                          [](const std::exception_ptr& thrown) {
                              if (thrown) std::rethrow_exception(thrown);
                          });
    context.run();
    return std::move(answer).value();
}

}  // namespace asking
