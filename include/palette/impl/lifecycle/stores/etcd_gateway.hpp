// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/endpoint.hpp>
#include <palette/impl/lifecycle/stores/etcd_messages.hpp>
#include <palette/lifecycle/rotation_store.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd {

namespace asio = boost::asio;

// How to reach etcd, and the login: what all gateways of a store share. For any thread.
class Access {
public:
    Access(std::vector<Endpoint> endpoints, palette::lifecycle::EtcdOptions options)
        : endpoints_(std::move(endpoints)),
          options_(std::move(options)) {}

    [[nodiscard]] const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
    [[nodiscard]] const palette::lifecycle::EtcdOptions& options() const noexcept { return options_; }
    [[nodiscard]] ClientOptions transport_options(const Endpoint& endpoint) const;

    // The endpoint that has answered last.
    [[nodiscard]] std::size_t preferred() const;
    void prefer(std::size_t endpoint);

    // Null: nobody has logged in yet.
    [[nodiscard]] std::shared_ptr<const Credential> token() const;
    void keep_token(std::shared_ptr<const Credential> token);
    // Unless somebody has logged in again meanwhile.
    void drop_token(const std::shared_ptr<const Credential>& token);

private:
    const std::vector<Endpoint> endpoints_;
    const palette::lifecycle::EtcdOptions options_;
    mutable std::mutex mutex_;
    std::size_t preferred_ = 0;
    std::shared_ptr<const Credential> token_;
};

// Connections to etcd, for the coroutines of one strand.
class Gateway {
public:
    explicit Gateway(std::shared_ptr<Access> access)
        : access_(std::move(access)),
          transports_(access_->endpoints().size()) {}

    // Sends a request that may be sent twice, to each endpoint in turn and to the first once more, until one
    // answers. Completes with the object of a good answer.
    //
    // Errors: Effect::unknown if etcd may have done it all the same.
    asio::awaitable<Result<Object>> call(std::string path, std::string body);

    // The same, to one endpoint alone: for what nobody waits for.
    asio::awaitable<Result<Object>> call_once(std::string path, std::string body);

private:
    class Answer;

    asio::awaitable<Result<Object>> ask(std::size_t endpoint, std::string path, std::string body);
    asio::awaitable<Result<Object>> ask_as(std::size_t endpoint, std::string path, std::string body,
                                           std::shared_ptr<const Credential> credential);
    asio::awaitable<Result<std::shared_ptr<const Credential>>> log_in(std::size_t endpoint);
    asio::awaitable<Result<void>> send(std::size_t endpoint, const HttpRequest& request, Answer& answer);
    asio::awaitable<Result<void>> send_in_time(std::shared_ptr<Transport> transport,
                                               const HttpRequest& request, Answer& answer);
    Result<std::shared_ptr<Transport>> transport_to(std::size_t endpoint);
    [[nodiscard]] Error named(std::size_t endpoint, const Error& error) const;

    std::shared_ptr<Access> access_;
    std::vector<std::shared_ptr<Transport>> transports_;  // null: not used yet
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/stores/etcd_gateway.ipp>
#endif
