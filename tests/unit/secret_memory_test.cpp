// SPDX-License-Identifier: BSL-1.0
#include <palette/secret.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace secret_memory_test {

using palette::Secret;

bool all_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

TEST_CASE("Secret: clearing wipes the bytes") {
    Secret secret{"hunter2 and some more"};
    std::string_view const old = secret.expose();
    secret.clear();
    CHECK(all_zero(old));
    CHECK(old.size() == 21);
}

TEST_CASE("Secret: take wipes the string it takes from whatever its length") {
    for (std::size_t const size : {0u, 1u, 15u, 16u, 1'000u, 100'000u}) {
        CAPTURE(size);
        std::string source(size, 'x');
        auto const capacity = source.capacity();
        auto const secret = Secret::take(source);
        CHECK(secret.expose() == std::string(size, 'x'));
        CHECK(source.empty());
        REQUIRE(source.capacity() == capacity);
        CHECK(all_zero({source.data(), capacity}));
    }
}

TEST_CASE("Secret: take wipes what a string has behind its end as well") {
    std::string source = "a password that was typed and then shortened";
    auto const capacity = source.capacity();
    source.resize(3);
    auto const secret = Secret::take(source);
    CHECK(secret.expose() == "a p");
    REQUIRE(source.capacity() == capacity);
    CHECK(all_zero({source.data(), capacity}));
}

std::size_t page_size() {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool is_mapped(const void* at) {
    unsigned char resident = 0;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): mincore and vmsplice do not write to it
    return ::mincore(const_cast<void*>(at), page_size(), &resident) == 0 || errno != ENOMEM;
}

// Keeps hold of the memory behind a page, so that it can be looked at after the page was unmapped: a
// pipe to which a page was spliced shares it, and shows what it holds when the pipe is read.
class PageWitness {
public:
    explicit PageWitness(const char* page) {
        if (::pipe2(ends_, O_CLOEXEC) != 0) return;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
        iovec part{const_cast<char*>(page), page_size()};
        works_ = ::vmsplice(ends_[1], &part, 1, SPLICE_F_NONBLOCK) == static_cast<ssize_t>(part.iov_len);
    }
    PageWitness(const PageWitness&) = delete;
    PageWitness& operator=(const PageWitness&) = delete;
    ~PageWitness() {
        for (int const end : ends_)
            if (end != -1) ::close(end);
    }

    [[nodiscard]] std::string content() const {
        if (!works_) return "this kernel has no vmsplice";
        std::string bytes(page_size(), '?');
        return ::read(ends_[0], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) ? bytes
                                                                                                  : "no page";
    }

    // Whether a witness sees what happens after it was called.
    static bool can_be_trusted() {
        Secret secret{"before"};
        PageWitness const witness(secret.expose().data());
        secret.append(" and after");
        return witness.content().starts_with("before and after");
    }

private:
    int ends_[2] = {-1, -1};
    bool works_ = false;
};

// The flags that the kernel keeps for the mapping of an address; nothing where it does not tell.
std::optional<std::string> mapping_flags(const void* address) {
    auto const wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream smaps("/proc/self/smaps");
    bool here = false;
    for (std::string line; std::getline(smaps, line);) {
        std::istringstream words(line);
        std::uintptr_t begin = 0, end = 0;
        char dash = 0;
        if (words >> std::hex >> begin >> dash >> end && dash == '-') here = begin <= wanted && wanted < end;
        if (here && line.starts_with("VmFlags:")) return line.substr(8) + ' ';
    }
    return std::nullopt;
}

TEST_CASE("Secret: its pages are left out of core dumps") {
    Secret const small{"hunter2"};
    auto const flags = mapping_flags(small.expose().data());
    if (!flags) {
        MESSAGE("not tested: this system has no VmFlags in /proc/self/smaps");
        return;
    }
    CHECK(flags->find(" dd ") != std::string::npos);
    static char ordinary = 0;
    CHECK(mapping_flags(&ordinary).value().find(" dd ") == std::string::npos);

    Secret grown;
    for (int i = 0; i < 1'000; ++i)
        grown.append("0123456789abcdef");
    for (std::size_t at = 0; at < grown.size(); at += page_size())
        CHECK(mapping_flags(grown.expose().data() + at).value().find(" dd ") != std::string::npos);
}

TEST_CASE("Secret: its memory is its own and is given back") {
    std::vector<const char*> pages;
    {
        std::vector<Secret> secrets;
        for (int i = 0; i < 3; ++i)
            pages.push_back(secrets.emplace_back("hunter2").expose().data());
        for (auto const* page : pages) {
            CHECK(reinterpret_cast<std::uintptr_t>(page) % page_size() == 0);
            CHECK(is_mapped(page));
        }
        CHECK(pages[0] != pages[1]);
        CHECK(pages[1] != pages[2]);
    }
    for (auto const* page : pages)
        CHECK_FALSE(is_mapped(page));
}

TEST_CASE("Secret: growing gives the old pages back") {
    Secret secret{std::string(page_size(), 'x')};
    auto const* const old = secret.expose().data();
    secret.append("y");
    CHECK(secret.expose().data() != old);
    CHECK_FALSE(is_mapped(old));
}

TEST_CASE("Secret: assigning gives the pages of the overwritten text back") {
    Secret secret{"first"};
    auto const* const old = secret.expose().data();
    secret = Secret("second");
    CHECK_FALSE(is_mapped(old));
}

TEST_CASE("Secret: whatever ends a text wipes it before its memory is given back") {
    if (!PageWitness::can_be_trusted()) {
        MESSAGE("not tested: this system has no vmsplice that shares pages");
        return;
    }
    auto const wiped_by = [](auto&& end_of_text) {
        std::optional<Secret> secret(std::string(page_size(), 'x'));
        PageWitness const witness(secret->expose().data());
        end_of_text(secret);
        return all_zero(witness.content());
    };
    CHECK_FALSE(wiped_by([](auto&) {}));
    CHECK(wiped_by([](auto& s) { s.reset(); }));
    CHECK(wiped_by([](auto& s) { s->clear(); }));
    CHECK(wiped_by([](auto& s) { s->append("y"); }));
    CHECK(wiped_by([](auto& s) { s->append(s->expose()); }));
    CHECK(wiped_by([](auto& s) { *s = Secret("other"); }));
    CHECK(wiped_by([](auto& s) { *s = Secret(); }));
    CHECK(wiped_by([](auto& s) { Secret const elsewhere(std::move(*s)); }));
}

TEST_CASE("Secret: text written after clearing is wiped too") {
    if (!PageWitness::can_be_trusted()) {
        MESSAGE("not tested: this system has no vmsplice that shares pages");
        return;
    }
    std::optional<Secret> secret(std::string(page_size(), 'x'));
    PageWitness const witness(secret->expose().data());
    secret->clear();
    secret->append("shorter");
    secret.reset();
    CHECK(all_zero(witness.content()));
}

}  // namespace secret_memory_test
