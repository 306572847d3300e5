// SPDX-License-Identifier: BSL-1.0

// Whatever the text is: no crash, and a plan that is read is written as it was. The same text as a journal:
// what is read of it are whole lines, which are written as they were.

#include <palette/lifecycle/apply.hpp>

#include <palette/impl/lifecycle/plans/apply_journal.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace inner = palette::impl::lifecycle;
    std::string_view const text(reinterpret_cast<const char*>(data), size);
    if (auto const plan = palette::lifecycle::Plan::parse(text)) {
        if (plan->to_text() != text) std::abort();
    } else if (plan.error().message().find('\n') != std::string::npos) {
        std::abort();
    }
    std::string const digest(64, 'd');
    if (auto const journal = inner::parse_journal(text, digest)) {
        auto written = journal->whole == 0 ? std::string() : inner::journal_header(digest);
        for (auto const& entry : journal->entries)
            written += inner::to_line(entry);
        if (written.size() != journal->whole) std::abort();
    }
    return 0;
}
