// SPDX-License-Identifier: BSL-1.0
#include "support/fake_etcd.hpp"

#include <openssl/evp.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

std::string decoded(const json::value& text) {
    auto const& digits = text.as_string();
    std::string bytes(digits.size() / 4 * 3 + 1, '\0');
    auto const size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(digits.data()),
                                      static_cast<int>(digits.size()));
    auto const padding = std::ranges::count(digits, '=');
    bytes.resize(static_cast<std::size_t>(std::max<std::ptrdiff_t>(size - padding, 0)));
    return bytes;
}

std::string encoded(const std::string& bytes) {
    std::string digits((bytes.size() + 2) / 3 * 4 + 1, '\0');
    auto const size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(digits.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    digits.resize(static_cast<std::size_t>(size));
    return digits;
}

// A number as it may be sent: left out, or as a text.
std::uint64_t number(const json::object& object, const char* field) {
    auto const* const found = object.if_contains(field);
    return found == nullptr ? 0 : std::strtoull(found->as_string().c_str(), nullptr, 10);
}

std::string http(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Answer\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string header_of(const std::string& head, const std::string& name) {
    auto const at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    auto const begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

class FakeEtcd::Machine {
public:
    explicit Machine(std::uint16_t port) : acceptor_(context_) {
        tcp::endpoint const address(asio::ip::address_v4::loopback(), port);
        acceptor_.open(address.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(address);
        acceptor_.listen();
        port_ = acceptor_.local_endpoint().port();
        asio::co_spawn(context_, accept(), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine() {
        context_.stop();
        thread_.join();
    }

    // --- the server ---

    asio::awaitable<void> accept() {
        for (;;) {
            auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
            asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
        }
    }

    asio::awaitable<void> serve(tcp::socket accepted) {
        auto const place = sockets_.insert(sockets_.end(), &accepted);
        {
            std::lock_guard const lock(mutex_);
            ++connections_;
        }
        std::string text;
        for (;;) {
            auto const [no_head, head_size] =
                co_await asio::async_read_until(accepted, asio::dynamic_buffer(text), "\r\n\r\n", as_tuple);
            if (no_head) break;
            auto const head = text.substr(0, head_size);
            auto const body_size = std::strtoull(header_of(head, "Content-Length").c_str(), nullptr, 10);
            auto const whole = head_size + body_size;
            if (text.size() < whole) {
                auto const missing = whole - text.size();
                auto const [no_body, got] = co_await asio::async_read(
                    accepted, asio::dynamic_buffer(text), asio::transfer_exactly(missing), as_tuple);
                if (no_body) break;
            }
            Request request;
            request.path = head.substr(5, head.find(' ', 5) - 5);  // after "POST "
            request.body = text.substr(head_size, body_size);
            request.authorization = header_of(head, "Authorization");
            text.erase(0, whole);
            auto const answer = answer_to(request);
            if (!answer) {  // hangs, until the peer goes
                char byte = 0;
                co_await accepted.async_read_some(asio::buffer(&byte, 1), as_tuple);
                break;
            }
            if (answer->empty()) break;
            auto const [broken, sent] = co_await asio::async_write(accepted, asio::buffer(*answer), as_tuple);
            if (broken) break;
        }
        sockets_.erase(place);
    }

    // Nothing: there is none. Empty: the connection is closed.
    std::optional<std::string> answer_to(const Request& request) {
        std::lock_guard const lock(mutex_);
        requests_.push_back(request);
        auto const fault = take_fault(request.path);
        if (!fault) return done(request);
        switch (fault->what) {
            case What::hang:
                return std::nullopt;
            case What::drop_after:
                static_cast<void>(done(request));
                return std::string();
            case What::answer_after:
                static_cast<void>(done(request));
                return http(fault->status, fault->body);
            case What::answer:
                return http(fault->status, fault->body);
            case What::drop_before:
                break;
        }
        return std::string();
    }

    std::optional<Fault> take_fault(const std::string& path) {
        for (auto it = faults_.begin(); it != faults_.end(); ++it) {
            if (it->path != path) continue;
            if (it->skip-- > 0) return std::nullopt;
            auto fault = it->fault;
            faults_.erase(it);
            return fault;
        }
        return std::nullopt;
    }

    // --- what etcd does ---

    std::string done(const Request& request) {
        auto const body = json::parse(request.body).as_object();
        auto const refused = [](int status, const std::string& words) {
            return http(status, refusal(status, words).body);
        };
        if (request.path == "/v3/auth/authenticate") {
            if (user_.empty()) return refused(412, "etcdserver: authentication is not enabled");
            if (body.at("name").as_string() != user_ || body.at("password").as_string() != password_)
                return refused(400, "etcdserver: authentication failed, invalid user ID or password");
            auto const token = "token-" + std::to_string(++last_token_) + ".7";
            tokens_.insert(token);
            return http(200, json::serialize(json::object{{"header", header()}, {"token", token}}));
        }
        if (!user_.empty()) {
            if (request.authorization.empty()) return refused(400, "etcdserver: user name is empty");
            if (!tokens_.contains(request.authorization))
                return refused(401, "etcdserver: invalid auth token");
        }
        json::object answer{{"header", header()}};
        if (request.path == "/v3/kv/range") {
            answer = range(body);
        } else if (request.path == "/v3/kv/txn") {
            answer = transact(body);
        } else if (request.path == "/v3/lease/grant") {
            leases_.insert(++last_lease_);
            answer["ID"] = std::to_string(last_lease_);
            answer["TTL"] = body.at("TTL");
        } else if (request.path == "/v3/lease/keepalive") {
            json::object result{{"header", header()}, {"ID", body.at("ID")}};
            if (leases_.contains(number(body, "ID"))) result["TTL"] = "60";
            answer = {{"result", std::move(result)}};
        } else if (request.path == "/v3/lease/revoke") {
            auto const lease = number(body, "ID");
            if (!leases_.contains(lease)) return refused(404, "etcdserver: requested lease not found");
            end_lease(lease);
        } else {
            return "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nNot "
                   "Found\n";
        }
        return http(200, json::serialize(answer));
    }

    [[nodiscard]] json::object header() const {
        return {{"cluster_id", "3586811377195397337"}, {"revision", std::to_string(revision_)}};
    }

    [[nodiscard]] json::object range(const json::object& body) const {
        json::object answer{{"header", header()}};
        auto const found = entries_.find(decoded(body.at("key")));
        if (found == entries_.end()) return answer;
        auto const& [key, entry] = *found;
        json::object kv{{"key", encoded(key)},
                        {"create_revision", std::to_string(entry.create_revision)},
                        {"mod_revision", std::to_string(entry.mod_revision)}};
        if (!entry.value.empty()) kv["value"] = encoded(entry.value);
        if (entry.lease != 0) kv["lease"] = std::to_string(entry.lease);
        answer["kvs"] = json::array{std::move(kv)};
        answer["count"] = "1";
        return answer;
    }

    json::object transact(const json::object& body) {
        bool is_met = true;
        for (auto const& each : body.at("compare").as_array()) {
            auto const& compare = each.as_object();
            auto const found = entries_.find(decoded(compare.at("key")));
            auto const entry = found == entries_.end() ? Entry() : found->second;
            auto const is_mod = compare.at("target").as_string() == "MOD";
            auto const actual = is_mod ? entry.mod_revision : entry.create_revision;
            is_met = is_met && actual == number(compare, is_mod ? "mod_revision" : "create_revision");
        }
        json::array responses;
        if (is_met) ++revision_;
        for (auto const& each : body.at(is_met ? "success" : "failure").as_array()) {
            auto const& step = each.as_object();
            if (auto const* const put = step.if_contains("request_put")) {
                store(decoded(put->at("key")), decoded(put->at("value")), number(put->as_object(), "lease"));
                responses.push_back(json::object{{"response_put", json::object{{"header", header()}}}});
            } else {
                responses.push_back(
                    json::object{{"response_range", range(step.at("request_range").as_object())}});
            }
        }
        json::object answer{{"header", header()}, {"responses", std::move(responses)}};
        if (is_met) answer["succeeded"] = true;
        return answer;
    }

    void store(const std::string& key, std::string value, std::uint64_t lease) {
        auto& entry = entries_[key];
        entry.value = std::move(value);
        entry.mod_revision = revision_;
        if (entry.create_revision == 0) entry.create_revision = revision_;
        entry.lease = lease;
    }

    void end_lease(std::uint64_t lease) {
        leases_.erase(lease);
        std::erase_if(entries_, [&](auto const& each) { return each.second.lease == lease; });
        ++revision_;
    }

    void close_connections() {
        std::promise<void> closed;
        asio::post(context_, [&] {
            for (auto* const socket : sockets_)
                socket->close();
            closed.set_value();
        });
        closed.get_future().wait();
    }

    struct Injected {
        std::string path;
        Fault fault;
        int skip;
    };

    asio::io_context context_{1};
    tcp::acceptor acceptor_;
    std::list<tcp::socket*> sockets_;  // in the server's thread
    std::uint16_t port_ = 0;
    std::thread thread_;

    mutable std::mutex mutex_;  // for all that follows
    std::list<Injected> faults_;
    std::vector<Request> requests_;
    std::size_t connections_ = 0;
    std::map<std::string, Entry> entries_;
    std::uint64_t revision_ = 1;
    std::set<std::uint64_t> leases_;
    std::uint64_t last_lease_ = 7'533'856'021'407'184'900;  // beyond what a double holds
    std::string user_, password_;
    std::set<std::string> tokens_;
    int last_token_ = 0;
};

FakeEtcd::FakeEtcd(std::uint16_t port) : machine_(std::make_unique<Machine>(port)) {}
FakeEtcd::~FakeEtcd() = default;

palette::Endpoint FakeEtcd::endpoint() const {
    return palette::Endpoint::parse("http://127.0.0.1:" + std::to_string(port())).value();
}

std::uint16_t FakeEtcd::port() const noexcept {
    return machine_->port_;
}

void FakeEtcd::inject(const std::string& path, Fault fault, int skip) {
    std::lock_guard const lock(machine_->mutex_);
    machine_->faults_.push_back({path, std::move(fault), skip});
}

FakeEtcd::Fault FakeEtcd::refusal(int status, const std::string& words) {
    return {What::answer, status, json::serialize(json::object{{"error", words}, {"message", words}})};
}

void FakeEtcd::require_login(std::string user, std::string password) {
    std::lock_guard const lock(machine_->mutex_);
    machine_->user_ = std::move(user);
    machine_->password_ = std::move(password);
}

void FakeEtcd::end_tokens() {
    std::lock_guard const lock(machine_->mutex_);
    machine_->tokens_.clear();
}

std::optional<FakeEtcd::Entry> FakeEtcd::entry(const std::string& key) const {
    std::lock_guard const lock(machine_->mutex_);
    auto const found = machine_->entries_.find(key);
    return found == machine_->entries_.end() ? std::nullopt : std::optional(found->second);
}

void FakeEtcd::put(const std::string& key, const std::string& value) {
    std::lock_guard const lock(machine_->mutex_);
    ++machine_->revision_;
    machine_->store(key, value, 0);
}

void FakeEtcd::end_lease(std::uint64_t lease) {
    std::lock_guard const lock(machine_->mutex_);
    machine_->end_lease(lease);
}

std::size_t FakeEtcd::leases() const {
    std::lock_guard const lock(machine_->mutex_);
    return machine_->leases_.size();
}

std::vector<FakeEtcd::Request> FakeEtcd::requests() const {
    std::lock_guard const lock(machine_->mutex_);
    return machine_->requests_;
}

std::size_t FakeEtcd::count(const std::string& path) const {
    std::lock_guard const lock(machine_->mutex_);
    return static_cast<std::size_t>(std::ranges::count(machine_->requests_, path, &Request::path));
}

std::size_t FakeEtcd::connections() const {
    std::lock_guard const lock(machine_->mutex_);
    return machine_->connections_;
}

void FakeEtcd::close_connections() {
    machine_->close_connections();
}
