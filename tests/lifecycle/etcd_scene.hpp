// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/awaited.hpp"
#include "support/fake_etcd.hpp"

#include <palette/lifecycle/rotation_store.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Stores in one or more etcds that are fakes. Each function runs until all that it has begun is done, the
// release of a lock included.
class EtcdScene {
public:
    using Store = std::shared_ptr<palette::lifecycle::RotationStore>;
    using Options = palette::lifecycle::EtcdOptions;
    template <class T>
    using Result = palette::Result<T>;

    [[nodiscard]] Store make_store(Options options = Options()) const {
        return palette::lifecycle::etcd_store({etcd.endpoint()}, "/p/", std::move(options));
    }

    static Store make_store(std::initializer_list<const FakeEtcd*> etcds, Options options = Options()) {
        std::vector<palette::Endpoint> endpoints;
        for (auto const* const each : etcds)
            endpoints.push_back(each->endpoint());
        return palette::lifecycle::etcd_store(std::move(endpoints), "/p/", std::move(options));
    }

    static Result<palette::lifecycle::StoredRecord> load(const Store& store, const std::string& slot = "ci") {
        return awaited(store->load(slot));
    }

    static Result<std::uint64_t> save(const Store& store, const std::string& text, std::uint64_t version,
                                      const std::string& slot = "ci") {
        return awaited(store->save(slot, text, version));
    }

    // Takes the lock and releases it.
    static Result<void> lock(const Store& store, const std::string& slot = "ci") {
        return awaited(lock_and_release(store, slot));
    }

    [[nodiscard]] std::string stored() const {
        auto const entry = etcd.entry("/p/ci");
        return entry ? entry->value : std::string();
    }

    FakeEtcd etcd;
    Store store = make_store();

private:
    static boost::asio::awaitable<Result<void>> lock_and_release(Store store, std::string slot) {
        auto const lock = co_await store->lock(std::move(slot));
        if (!lock) co_return lock.error();
        co_return Result<void>();
    }
};

namespace etcd_paths {

inline const std::string range = "/v3/kv/range";
inline const std::string txn = "/v3/kv/txn";
inline const std::string grant = "/v3/lease/grant";
inline const std::string keepalive = "/v3/lease/keepalive";
inline const std::string revoke = "/v3/lease/revoke";
inline const std::string authenticate = "/v3/auth/authenticate";

}  // namespace etcd_paths
