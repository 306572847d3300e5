// SPDX-License-Identifier: BSL-1.0
#include "support/sanitized.hpp"
#include "support/seeds.hpp"
#include "support/tls_server.hpp"

#include <palette/auth_provider.hpp>
#include <palette/blocking_client.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Nothing of a key is left in the memory of this process once its Secret is gone. The service that sends and
// gets the keys is another process; and nothing here, the test included, has a key in one piece.

namespace secret_scan_test {

using namespace palette;

// A random key, in a form that is not itself.
class Needle {
public:
    static constexpr std::size_t size = 48;
    // Also a part of it must not be found. One is long enough not to be there by chance.
    static constexpr std::size_t part = 12;
    static constexpr std::size_t parts = size / part;

    Needle() {
        static constexpr std::string_view letters =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        // Each needle has another one, and the same in each run.
        static std::uint64_t needles = 0;
        std::mt19937 random(seeds::short_seed(++needles));
        for (std::size_t i = 0; i < size; ++i) {
            mask_[i] = static_cast<unsigned char>(random());
            masked_[i] = static_cast<unsigned char>(mask_[i] ^ letters[random() % letters.size()]);
        }
    }

    // By itself, so that no compiler puts many letters together in one register.
    [[nodiscard, gnu::noinline]] char operator[](std::size_t i) const noexcept {
        return static_cast<char>(static_cast<unsigned char>(masked_[i] ^ mask_[i]));
    }

    [[nodiscard]] bool is(std::string_view text) const noexcept {
        return text.size() == size && is_at(text.data(), 0, size);
    }

    [[nodiscard]] bool is_at(const char* text, std::size_t begin, std::size_t end) const noexcept {
        for (auto i = begin; i < end; ++i)
            if (text[i - begin] != (*this)[i]) return false;
        return true;
    }

    // For the other process.
    [[nodiscard]] std::string in_clear() const {
        std::string text;
        for (std::size_t i = 0; i < size; ++i)
            text += (*this)[i];
        return text;
    }

    [[nodiscard]] Secret secret() const {
        Secret secret;
        for (std::size_t i = 0; i < size; ++i) {
            char const letter = (*this)[i];
            secret.append({&letter, 1});
        }
        return secret;
    }

private:
    std::array<unsigned char, size> mask_{};
    std::array<unsigned char, size> masked_{};
};

// Looks at all memory of this process that can be read, with a window that is no part of it.
class MemoryScan {
public:
    MemoryScan()
        : memory_(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC)),
          window_(static_cast<char*>(
              ::mmap(nullptr, window_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        REQUIRE(memory_ >= 0);
        REQUIRE(window_ != MAP_FAILED);
    }
    MemoryScan(const MemoryScan&) = delete;
    MemoryScan& operator=(const MemoryScan&) = delete;
    ~MemoryScan() {
        ::munmap(window_, window_size);
        ::close(memory_);
    }

    // Where each part of it is, with what the mapping is called.
    [[nodiscard]] std::vector<std::string> find(const Needle& needle) {
        std::vector<std::string> found;
        std::ifstream maps("/proc/self/maps");
        bytes_ = 0;
        for (std::string line; std::getline(maps, line);) {
            std::uintptr_t begin = 0;
            std::uintptr_t end = 0;
            char dash = 0;
            std::string rights;
            std::istringstream(line) >> std::hex >> begin >> dash >> end >> rights;
            if (!rights.starts_with('r')) continue;
            auto const own = reinterpret_cast<std::uintptr_t>(window_);
            search(needle, begin, std::min(end, own), line, found);
            search(needle, std::max(begin, own + window_size), end, line, found);
        }
        return found;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t window_size = 1024 * 1024;
    static constexpr std::size_t part = Needle::part;

    void search(const Needle& needle, std::uintptr_t at, std::uintptr_t end, const std::string& mapping,
                std::vector<std::string>& found) {
        while (at + part <= end) {
            auto const got = ::pread(memory_, window_, std::min<std::size_t>(window_size, end - at),
                                     static_cast<off_t>(at));
            if (got < static_cast<ssize_t>(part)) return;  // of the kernel's own
            auto const size = static_cast<std::size_t>(got);
            search_window(needle, size, at, mapping, found);
            bytes_ += size;
            at += size - (part - 1);
        }
    }

    void search_window(const Needle& needle, std::size_t length, std::uintptr_t address,
                       const std::string& mapping, std::vector<std::string>& found) const {
        for (std::size_t first = 0; first + part <= Needle::size; first += part)
            for (const char* at = window_; at + part <= window_ + length; ++at) {
                auto const left = static_cast<std::size_t>(window_ + length - at) - (part - 1);
                at = static_cast<const char*>(std::memchr(at, needle[first], left));
                if (at == nullptr) break;
                if (!needle.is_at(at, first, first + part)) continue;
                std::ostringstream place;
                place << std::hex << address + static_cast<std::size_t>(at - window_) << " has letters "
                      << std::dec << first << " to " << first + part << ": " << mapping;
                found.push_back(place.str());
            }
    }

    int memory_;
    char* window_;
    std::size_t bytes_ = 0;
};

void check_copies(std::size_t count, const std::vector<std::string>& found) {
    std::string places;
    for (auto const& place : found)
        places += '\n' + place;
    CHECK_MESSAGE(found.size() == count * Needle::parts, places);
}

constexpr std::string_view uid = "5f1b2c3d4e5f6a7b8c9d0e1f";

// Where the service repeats the key that it was sent.
enum class Repeated { nowhere, refusal, name_of_label, time, unknown_name };

// What the two processes have in common.
struct Shared {
    std::atomic<std::uint16_t> port;
    std::atomic<Repeated> repeated;
    std::atomic<int> accepted;  // 0: the key that is searched for; otherwise the one of that number
    std::atomic<int> requests_with_key;
    std::atomic<int> connections;
    std::atomic<int> values;
    char authority[8192];
};

std::string numbered_key(int number) {
    return "another key, number " + std::to_string(number);
}

// The service, in a process of its own: it must be started while there is one thread only.
class Service {
public:
    Service(int version, const Needle& key, const std::vector<Needle>& values)
        : shared_(static_cast<Shared*>(
              ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
        int ready[2];
        REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
        id_ = ::fork();
        REQUIRE(id_ >= 0);
        if (id_ == 0) {
            serve(version, key, values, ready[1]);
            ::_exit(1);
        }
        ::close(ready[1]);
        char byte;
        auto const got = ::read(ready[0], &byte, 1);
        ::close(ready[0]);
        REQUIRE(got == 1);
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service() {
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
        ::munmap(shared_, sizeof(Shared));
    }

    [[nodiscard]] Shared& shared() const noexcept { return *shared_; }

private:
    void serve(int version, const Needle& key, const std::vector<Needle>& values, int ready) noexcept {
        tls::Authority const authority;
        std::strncpy(shared_->authority, authority.pem().c_str(), sizeof shared_->authority - 1);
        std::optional<tls::Server> server;
        auto const with_key = header_with(key.in_clear());
        std::string last;
        tls::ServerOptions options;
        options.identity = authority.issue();
        options.oldest = options.newest = version;
        options.answer = [&](std::string_view request) {
            shared_->connections = static_cast<int>(server->seen().size());
            shared_->requests_with_key += request.find(with_key) != std::string_view::npos;
            auto const accepted =
                shared_->accepted == 0 ? with_key : header_with(numbered_key(shared_->accepted));
            if (request.find(accepted) == std::string_view::npos)
                return tls::Answer{{tls::http_answer(401, "{}")}};
            if (shared_->repeated != Repeated::nowhere)
                return tls::Answer{{answer_that_repeats(shared_->repeated, key.in_clear())}};
            if (request.starts_with("GET /v1/users/info"))
                return tls::Answer{{tls::http_answer(200, R"({"userUid":"u","tenantUid":"t"})")}};
            if (!request.starts_with("POST")) return tls::Answer{{tls::http_answer(200, key_with(last))}};
            last = values[static_cast<std::size_t>(shared_->values++)].in_clear();
            auto const shown = shared_->values == 2 ? with_escape(last) : last;
            return in_two_records(
                tls::http_answer(201, R"({"uid":")" + std::string(uid) + R"(","apiKey":")" + shown + "\"}"));
        };
        server.emplace(options);
        shared_->port = server->port();
        if (::write(ready, "r", 1) == 1) ::pause();
    }

    static std::string header_with(const std::string& key) { return "ApiKey: " + key + "\r\n"; }

    static std::string answer_that_repeats(Repeated where, const std::string& key) {
        switch (where) {
            case Repeated::nowhere:
                break;
            case Repeated::refusal: {
                auto answer = tls::http_answer(403, R"({"code":")" + key + R"(","message":"not with )" + key +
                                                        R"( as it is","ref":")" + key + "\"}");
                std::string headers;
                // More than usual, so that what holds them has to grow.
                for (int i = 0; i < 40; ++i)
                    headers += "X-Part-" + std::to_string(i) + ": " + key.substr(0, 14) + "\r\n";
                headers += "Set-Cookie: key=" + key + "; Secure\r\nX-" + key + ": " + key + "\r\n";
                return answer.insert(answer.find("\r\n") + 2, headers);
            }
            case Repeated::name_of_label:
                return tls::http_answer(200, R"({"items":[{"metadata":{"labels":{")" + key + R"(":5}}}]})");
            case Repeated::time:
                return tls::http_answer(200, R"({"items":[{"spec":{"expiry":")" + key + R"("}}]})");
            case Repeated::unknown_name:
                return tls::http_answer(200, R"({")" + key + R"(":1,"items":?)");
        }
        return {};
    }

    // As the service shows keys, which may have their value with them.
    static std::string key_with(const std::string& value) {
        return R"({"metadata":{"name":"ci","uid":")" + std::string(uid) + R"("},"spec":{"key":")" + value +
               "\"}}";
    }

    // What JSON allows, and a parser has to put together.
    static std::string with_escape(const std::string& value) {
        char first[8];
        std::snprintf(first, sizeof first, "\\u%04x", static_cast<unsigned>(value.front()));
        return first + value.substr(1);
    }

    // Of TLS; the value is in both.
    static tls::Answer in_two_records(const std::string& answer) {
        auto const middle = answer.size() - Needle::size / 2;
        return {{answer.substr(0, middle), answer.substr(middle)}};
    }

    Shared* shared_;
    pid_t id_;
};

// The key that is searched for, and another whenever one was rejected. It keeps none of them.
class ManyKeys final : public AuthProvider {
public:
    explicit ManyKeys(const Needle& first) : first_(first) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        if (request.reason() == CredentialRequest::Reason::rejected)
            co_return Credential::api_key(Secret(numbered_key(++given_)));
        co_return Credential::api_key(first_.secret());
    }

private:
    Needle first_;
    int given_ = 0;
};

bool is_skipped() {
    if (sanitized)
        MESSAGE("skipped: sanitizers keep what was freed, and have terabytes of memory of their own");
    return sanitized;
}

ClientOptions options_for(const Shared& shared, const Needle& key) {
    ClientOptions options;
    options.endpoint = Endpoint::parse("127.0.0.1:" + std::to_string(shared.port)).value();
    options.tls.ca_pem = shared.authority;
    options.auth = std::make_shared<ManyKeys>(key);
    return options;
}

// Creates keys over one connection, the first of them while it is fresh. Then all are dropped, the one that
// was sent as well; the client lives on.
void use_keys(int version, int creates) {
    CAPTURE(version);
    CAPTURE(creates);
    Needle const key;
    std::vector<Needle> const values(static_cast<std::size_t>(creates));
    Service const service(version, key, values);
    auto& shared = service.shared();
    MemoryScan scan;

    BlockingApiKeyClient client(options_for(shared, key));
    for (auto const& value : values) {
        auto created = std::make_unique<Result<CreatedApiKey>>(client.create(NewApiKey("ci")));
        REQUIRE_MESSAGE(*created, created->error());
        CHECK(value.is((*created)->secret().expose()));
        CHECK((*created)->confirmed());
        check_copies(1, scan.find(value));
        created.reset();
        check_copies(0, scan.find(value));
        check_copies(1, scan.find(key));
    }
    // What was quoted at it would still be known, but not from a copy.
    shared.accepted = 1;
    CHECK(client.get(std::string(uid)));
    CHECK(shared.requests_with_key == 2 * creates + 2);
    check_copies(0, scan.find(key));
    CHECK(scan.bytes() > 1024 * 1024);
    CHECK(client.get(std::string(uid)));
    CHECK(shared.connections == 1);
}

TEST_CASE("memory: nothing is left of the keys that were sent and received, while the connection lives") {
    if (is_skipped()) return;
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION})
        for (int const creates : {1, 3})
            use_keys(version, creates);
}

TEST_CASE("memory: of a credential that the service repeats there is the client's own copy alone") {
    if (is_skipped()) return;
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION})
        for (auto const repeated :
             {Repeated::refusal, Repeated::name_of_label, Repeated::time, Repeated::unknown_name}) {
            CAPTURE(version);
            CAPTURE(static_cast<int>(repeated));
            Needle const key;
            Service const service(version, key, {});
            auto& shared = service.shared();
            shared.repeated = repeated;
            MemoryScan scan;
            BlockingApiKeyClient client(options_for(shared, key));
            for (int i = 0; i < 2; ++i) {
                auto const listed = client.list();
                REQUIRE_FALSE(listed);
                CHECK(listed.error().code() == (repeated == Repeated::refusal         ? errc::forbidden
                                                : repeated == Repeated::time          ? errc::bad_value
                                                : repeated == Repeated::name_of_label ? errc::wrong_type
                                                                                      : errc::not_json));
                check_copies(1, scan.find(key));
            }
        }
}

TEST_CASE("memory: the scan finds a copy, and a part of one, until it is wiped") {
    if (is_skipped()) return;
    Needle const needle;
    MemoryScan scan;
    check_copies(0, scan.find(needle));
    for (std::size_t const size : {Needle::size, Needle::size / 2}) {
        auto copy = needle.in_clear().substr(Needle::size - size);
        CHECK(scan.find(needle).size() >= size / Needle::part);
        OPENSSL_cleanse(copy.data(), copy.size());
    }
}

}  // namespace secret_scan_test
