// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/awaited.hpp"

#include <palette/endpoint.hpp>
#include <palette/impl/lifecycle/stores/etcd_gateway.hpp>
#include <palette/impl/lifecycle/stores/etcd_messages.hpp>
#include <palette/lifecycle/rotation_store.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

// Where run.sh has put the instances of etcd.
namespace real_etcd {

using Store = std::shared_ptr<palette::lifecycle::RotationStore>;
namespace etcd = palette::impl::lifecycle::etcd;

inline std::string text(const std::string& name) {
    auto const* const value = std::getenv(("REAL_ETCD_" + name).c_str());
    if (value == nullptr)
        throw std::runtime_error("REAL_ETCD_" + name + " is not set: these tests are run by run.sh");
    return value;
}

inline palette::Endpoint endpoint(const std::string& name) {
    return palette::Endpoint::parse(text(name)).value();
}

// How to be let in.
inline palette::lifecycle::EtcdOptions options_for(const std::string& name) {
    palette::lifecycle::EtcdOptions options;
    if (name == "LOGIN") options.user(text("USER"), palette::Secret(text("PASSWORD")));
    if (name == "TLS") {
        palette::TlsOptions tls;
        tls.ca_file = text("CA_FILE");
        tls.client_certificate_file = text("CLIENT") + ".pem";
        tls.client_key_file = text("CLIENT") + ".key";
        options.tls(std::move(tls));
    }
    return options;
}

inline constexpr auto prefix = "/fleet/";

inline Store store_in(const std::string& name, std::optional<palette::lifecycle::EtcdOptions> options = {}) {
    return palette::lifecycle::etcd_store({endpoint(name)}, prefix,
                                          options ? *std::move(options) : options_for(name));
}

namespace detail {

// The connection ends with the coroutine, and so before its event loop.
inline boost::asio::awaitable<palette::Result<etcd::Object>> ask(std::shared_ptr<etcd::Access> access,
                                                                 std::string path, std::string body) {
    etcd::Gateway gateway(std::move(access));
    co_return co_await gateway.call(std::move(path), std::move(body));
}

}  // namespace detail

// Somebody beside the store.
inline palette::Result<etcd::Object> ask(const std::string& name, std::string path, std::string body,
                                         palette::lifecycle::EtcdOptions options) {
    std::vector<palette::Endpoint> endpoints{endpoint(name)};
    return awaited(detail::ask(std::make_shared<etcd::Access>(std::move(endpoints), std::move(options)),
                               std::move(path), std::move(body)));
}

inline std::optional<etcd::KeyValue> read(const std::string& name, const std::string& key) {
    auto const answer = ask(name, "/v3/kv/range", etcd::range_body(prefix + key), options_for(name));
    return etcd::read_range(answer.value()).value();
}

inline void put(const std::string& name, const std::string& key, const std::string& value) {
    auto const body = etcd::Transaction().then_put(prefix + key, value).body();
    REQUIRE(ask(name, "/v3/kv/txn", body, options_for(name)));
}

inline void end_lease(const std::string& name, std::uint64_t lease) {
    REQUIRE(ask(name, "/v3/lease/revoke", etcd::lease_body(lease), options_for(name)));
}

namespace detail {

inline boost::asio::awaitable<palette::Result<void>> lock_and_release(Store store, std::string slot) {
    auto const lock = co_await store->lock(std::move(slot));
    if (!lock) co_return lock.error();
    co_return palette::Result<void>();
}

}  // namespace detail

// While a lock is held, its event loop does not run out of work.
inline palette::Result<void> lock_and_release(Store store, std::string slot) {
    return awaited(detail::lock_and_release(std::move(store), std::move(slot)));
}

template <class T>
std::string words(const palette::Result<T>& result) {
    return result ? std::string("fine") : result.error().message();
}

}  // namespace real_etcd
