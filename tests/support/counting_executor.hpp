// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

// What became of all that was submitted to a CountingExecutor.
struct ExecutorLedger {
    std::atomic<std::size_t> executed = 0;
    std::atomic<std::size_t> alive = 0;  // submitted, and not destroyed yet

    // Called with how many were executed, after each of them.
    std::function<void(std::size_t)> after_each;
};

// An executor of a user's own: it runs everything on another one, and writes down what it ran. What it says
// about itself is what the other one says. The ledger outlives all that is submitted.
template <class Inner>
class CountingExecutor {
public:
    CountingExecutor(Inner inner, ExecutorLedger& ledger) noexcept
        : inner_(std::move(inner)),
          ledger_(&ledger) {}

    template <class F>
    void execute(F&& f) const {
        inner_.execute(Task<std::decay_t<F>>(std::forward<F>(f), *ledger_));
    }

    template <class Property>
        requires boost::asio::can_query_v<const Inner&, Property>
    [[nodiscard]] decltype(auto) query(const Property& property) const {
        return boost::asio::query(inner_, property);
    }

    template <class Property>
        requires boost::asio::can_require_v<const Inner&, Property>
    [[nodiscard]] auto require(const Property& property) const {
        auto inner = boost::asio::require(inner_, property);
        return CountingExecutor<decltype(inner)>(std::move(inner), *ledger_);
    }

    template <class Property>
        requires boost::asio::can_prefer_v<const Inner&, Property>
    [[nodiscard]] auto prefer(const Property& property) const {
        auto inner = boost::asio::prefer(inner_, property);
        return CountingExecutor<decltype(inner)>(std::move(inner), *ledger_);
    }

    friend bool operator==(const CountingExecutor& a, const CountingExecutor& b) noexcept {
        return a.inner_ == b.inner_ && a.ledger_ == b.ledger_;
    }

private:
    template <class F>
    class Task {
    public:
        template <class G>
        Task(G&& f, ExecutorLedger& ledger) : f_(std::forward<G>(f)),
                                              ledger_(&ledger) {
            ++ledger_->alive;
        }
        Task(Task&& other) noexcept
            : f_(std::move(other.f_)),
              ledger_(std::exchange(other.ledger_, nullptr)) {}
        Task& operator=(Task&&) = delete;
        ~Task() {
            if (ledger_ != nullptr) --ledger_->alive;
        }

        void operator()() {
            std::move(f_)();
            auto const count = ++ledger_->executed;
            if (ledger_->after_each) ledger_->after_each(count);
        }

    private:
        F f_;
        ExecutorLedger* ledger_;
    };

    Inner inner_;
    ExecutorLedger* ledger_;
};
