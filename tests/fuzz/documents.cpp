// SPDX-License-Identifier: BSL-1.0

// What an audit reads, whatever the bytes are: no crash, no hang, the same outcome however they are cut, and
// a page that is handed on element by element has those of the page that is held.

#include "support/decoding.hpp"

#include <palette/impl/wire/handed.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace wire = palette::impl::wire;

namespace {

template <class T, class Same>
void check(std::string_view body, Same same) {
    auto const whole = wire::decode<T>(body);
    for (std::size_t piece : {std::size_t{1}, std::size_t{3}, body.size() / 2 + 1}) {
        auto const cut = decoding::from_equal_pieces<T>(body, piece);
        if (whole.has_value() != cut.has_value()) std::abort();
        if (whole ? !same(*whole, *cut) : whole.error() != cut.error()) std::abort();
    }
    if (!whole && whole.error().message().find('\n') != std::string::npos) std::abort();
}

template <class Element, class Page>
void check_handed(std::string_view body) {
    std::vector<Element> seen;
    wire::Decoder<wire::HandedPage<Element>> decoder;
    decoder.partial().items.to([&](Element&& element) { seen.push_back(std::move(element)); });
    auto const held = wire::decode<Page>(body);
    auto const written = decoder.write(body);
    if (!written) return;
    auto handed = decoder.finish();
    if (!held) return;  // it may be beyond the bound of a page that is held
    if (!handed) std::abort();
    handed->items.hand_on();
    if (handed->next != held->next || seen.size() != held->items.size()) std::abort();
    for (std::size_t i = 0; i < seen.size(); ++i)
        if (!(seen[i] == held->items[i])) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const body(reinterpret_cast<const char*>(data), size);
    check<wire::UserPage>(body, [](auto const& a, auto const& b) {
        return a.items == b.items && a.next == b.next && a.total == b.total;
    });
    check<wire::AuditPage>(
        body, [](auto const& a, auto const& b) { return a.items == b.items && a.next == b.next; });
    check<wire::ResourceLimits>(body, [](auto const& a, auto const& b) {
        if (a.resources.size() != b.resources.size()) return false;
        for (std::size_t i = 0; i < a.resources.size(); ++i)
            if (a.resources[i].limit != b.resources[i].limit || a.resources[i].kind != b.resources[i].kind)
                return false;
        return true;
    });
    check_handed<palette::ApiKey, wire::KeyPage>(body);
    check_handed<palette::User, wire::UserPage>(body);
    return 0;
}
