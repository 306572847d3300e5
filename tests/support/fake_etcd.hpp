// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/endpoint.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The part of etcd that stores of rotations use, in memory, behind the JSON gateway of its v3 API in the
// clear; and what no etcd does when it is asked to. It owes nothing to the library.
class FakeEtcd {
public:
    enum class What {
        drop_before,   // the connection, before anything is done
        drop_after,    // the connection, once it is done
        hang,          // no answer, and nothing done; the connection stays
        answer,        // `status` and `body`, and nothing done
        answer_after,  // the same, once it is done
    };
    struct Fault {
        What what = What::drop_before;
        int status = 0;
        std::string body{};
    };
    struct Request {
        std::string path;
        std::string body;
        std::string authorization;
    };
    struct Entry {
        std::string value;
        std::uint64_t create_revision = 0;
        std::uint64_t mod_revision = 0;
        std::uint64_t lease = 0;
    };

    // `port`: 0: one that is free.
    explicit FakeEtcd(std::uint16_t port = 0);
    FakeEtcd(const FakeEtcd&) = delete;
    FakeEtcd& operator=(const FakeEtcd&) = delete;
    ~FakeEtcd();

    [[nodiscard]] palette::Endpoint endpoint() const;
    [[nodiscard]] std::uint16_t port() const noexcept;

    // For the next request to `path`, after `skip` that go well. Several may be set.
    void inject(const std::string& path, Fault fault, int skip = 0);
    // How an error of etcd's looks.
    static Fault refusal(int status, const std::string& words);

    // From now on nobody is served without a token.
    void require_login(std::string user, std::string password);
    // All that were given so far.
    void end_tokens();

    [[nodiscard]] std::optional<Entry> entry(const std::string& key) const;
    void put(const std::string& key, const std::string& value);
    // With the keys that it holds.
    void end_lease(std::uint64_t lease);
    [[nodiscard]] std::size_t leases() const;

    [[nodiscard]] std::vector<Request> requests() const;
    // How many of them went to `path`.
    [[nodiscard]] std::size_t count(const std::string& path) const;
    [[nodiscard]] std::size_t connections() const;
    // Those that are open are closed, as a restart does.
    void close_connections();

private:
    class Machine;
    std::unique_ptr<Machine> machine_;
};
