// SPDX-License-Identifier: BSL-1.0
#include "support/seeds.hpp"

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <ostream>
#include <string>

namespace {

// Prints the seeds of a test that fails, so that it can be repeated.
class SeedPrinter : public doctest::IReporter {
public:
    explicit SeedPrinter(const doctest::ContextOptions& options) : out_(*options.cout) {}

    void test_case_start(const doctest::TestCaseData&) override { seeds::Used::of_this_test().clear(); }

    void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
        auto const used = seeds::Used::of_this_test().to_string();
        if (stats.failure_flags == 0 || used.empty()) return;
        out_ << "random seeds of this test: " << used << " (PALETTE_KEYS_SEED=" << seeds::shift() << ")\n";
    }

    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}

private:
    std::ostream& out_;
};

REGISTER_LISTENER("seeds", 1, SeedPrinter);

}  // namespace
